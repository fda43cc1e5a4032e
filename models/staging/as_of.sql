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
        {{ chosen_as_of_date('max(order_date) + 1') }} as as_of_date,
        {{ sql_text('latest order' if var('as_of_date') is none else 'as_of_date') }} as chosen_by
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
        {{ currency() }} as currency,
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
        {{ metrics_window_start('dated.as_of_date') }} as metrics_window_start
    from dated
    cross join top_reason

)

select * from final
