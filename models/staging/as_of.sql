{{ config(materialized='table') }}

{%- set given = var('as_of_date') %}

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
            datediff('day', lag(order_date) over (order by order_date), order_date)
            > {{ var('max_order_gap_days') }} as is_after_gap
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
        {{ "max(date '" ~ given ~ "')" if given else "cast(max(stretches.order_date) + interval 1 day as date)" }}
            as as_of_date,
        {{ "'as_of_date'" if given else "'latest order'" }} as chosen_by
    from main_stretch
    left join stretches on main_stretch.stretch >= stretches.stretch

),

top_reason as (

    select
        coalesce(row_reason, 'future_date') as reason,
        sum(num_rows) as num_rows,
        sum(sum(num_rows)) over () as num_all_rows
    from order_days
    group by row_reason
    order by num_rows desc, reason asc
    limit 1

),

dated as (

    select
        chosen.chosen_by,
        chosen.as_of_date,
        max(accepted_days.order_date) as latest_order_date
    from chosen
    left join accepted_days on chosen.as_of_date > accepted_days.order_date
    group by chosen.chosen_by, chosen.as_of_date

),

final as (

    select
        {{ sql_text(var('dataset')) }} as dataset,
        cast({{ 'null' if var('currency') is none else sql_text(var('currency')) }} as varchar) as currency,
        case
            when dated.latest_order_date is null
                then error(
                    'No order was accepted: of ' || top_reason.num_all_rows || ' rows most were excluded as '
                    || top_reason.reason || ' (' || top_reason.num_rows || ' rows). Check order_columns and the'
                    || ' cleaning vars; staging.order_days counts the rows of every reason.'
                )
            else dated.as_of_date
        end as as_of_date,
        dated.chosen_by,
        dated.latest_order_date,
        {%- if var('metrics_window_days') is none %}
        cast(null as date) as metrics_window_start
        {%- else %}
        cast(dated.as_of_date - interval {{ var('metrics_window_days') }} day as date) as metrics_window_start
        {%- endif %}
    from dated
    cross join top_reason

)

select * from final
