{{ config(materialized='table') }}

with

order_days as (

    select * from {{ ref('order_days') }}

),

accepted_days as (

    select
        order_date,
        sum(num_rows) as num_rows
    from order_days
    where row_reason is null
    group by order_date

),

-- Stretches of days between gaps without any order.
stretches as (

    select
        order_date,
        num_rows,
        count(*) filter (where is_after_gap) over (order by order_date) as stretch
    from (
        select
            *,
            order_date - lag(order_date) over (order by order_date)
            > {{ whole_number('max_order_gap_days') }} as is_after_gap
        from accepted_days
    )

),

-- The stretch that holds most rows is the shop's life: a stray date before or after it is not.
main_stretch as (

    select stretch
    from stretches
    group by stretch
    order by sum(num_rows) desc, stretch desc
    limit 1

),

chosen as (

    select
        {%- if var('as_of_date') is none %}
        'latest order' as chosen_by,
        max(order_date) + 1 as as_of_date
        {%- else %}
        'as_of_date' as chosen_by,
        try_cast({{ sql_text(var('as_of_date')) }} as date) as as_of_date
        {%- endif %}
    from stretches
    where stretch <= (select main_stretch.stretch from main_stretch)

),

dated as (

    select
        chosen.chosen_by,
        chosen.as_of_date,
        (
            select max(accepted_days.order_date)
            from accepted_days
            where accepted_days.order_date < chosen.as_of_date
        ) as latest_order_date
    from chosen

),

top_reason as (

    select
        coalesce(row_reason, 'future_date') as reason,
        sum(num_rows) as num_rows
    from order_days
    group by 1
    order by num_rows desc, reason asc
    limit 1

),

final as (

    select
        {{ sql_text(var('dataset')) }} as dataset,
        case
            when as_of_date is null and chosen_by = 'as_of_date'
                then error('as_of_date: ''' || {{ sql_text(var('as_of_date')) }} || ''' is no date. Write it as YYYY-MM-DD.')
            when latest_order_date is null
                then error(
                    'No order was accepted. Of ' || (select sum(order_days.num_rows) from order_days)
                    || ' rows most were excluded as ' || top_reason.reason || ' (' || top_reason.num_rows
                    || ' rows). Check order_columns and the cleaning vars;'
                    || ' staging.order_days counts the rows of every reason.'
                )
            else as_of_date
        end as as_of_date,
        chosen_by,
        latest_order_date,
        {{ metrics_window_start('as_of_date') }} as metrics_window_start
    from dated
    cross join top_reason

)

select * from final
