with

as_of as (

    select * from {{ ref('as_of') }}

),

month_starts as (

    select
        as_of_date,
        first_day_of_life,
        cast(
            unnest([
                {%- for months in range(var('history_months') + 1) %}
                date_trunc('month', as_of_date) - interval {{ months }} month{{ ',' if not loop.last }}
                {%- endfor %}
            ]) as date
        ) as month_start
    from as_of

),

-- A day before the shop's first order knows no customer.
past_days as (

    select month_start as as_of_date
    from month_starts
    where month_start < as_of_date and month_start > first_day_of_life
    order by month_start desc
    limit {{ var('history_months') }}

),

days as (

    select as_of_date from as_of
    union all
    select as_of_date from past_days

),

final as (

    select
        as_of_date,
        {%- if var('metrics_window_days') is none %}
        cast(null as date) as metrics_window_start
        {%- else %}
        cast(as_of_date - interval {{ var('metrics_window_days') }} day as date) as metrics_window_start
        {%- endif %}
    from days

)

select * from final
