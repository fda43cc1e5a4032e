-- What a metric day knows of an order is what came before that day. Few orders change after their first day, so only
-- those are looked at line by line.
with

orders_of_several_days as (

    select
        customer_id,
        order_id,
        order_date
    from {{ ref('customer_segmentation', 'orders') }}
    -- Where each row is an order, none has lines of another day: no need to look.
    where {{ 'last_line_date > order_date' if var('rows_are') != 'orders' else 'false' }}

),

accepted_lines as (

    select * from {{ ref('customer_segmentation', 'stg_order_lines') }}
    where exclusion_reason is null

),

daily as (

    select
        accepted_lines.customer_id,
        accepted_lines.order_id,
        orders_of_several_days.order_date,
        cast(accepted_lines.ordered_at as date) as change_date,
        sum(accepted_lines.amount) as amount,
        sum({{ returned_of_line('accepted_lines') }}) as returned_amount
    from accepted_lines
    inner join orders_of_several_days
        on
            accepted_lines.customer_id = orders_of_several_days.customer_id
            and accepted_lines.order_id = orders_of_several_days.order_id
    group by
        accepted_lines.customer_id,
        accepted_lines.order_id,
        orders_of_several_days.order_date,
        cast(accepted_lines.ordered_at as date)

),

summed as (

    select
        *,
        sum(amount) over (
            partition by customer_id, order_id
            order by change_date
            rows between unbounded preceding and current row
        ) > 0 as is_positive,
        lead(change_date) over (partition by customer_id, order_id order by change_date) as next_change_date
    from daily

),

judged as (

    select
        *,
        cast(is_positive as integer)
        - coalesce(
            lag(cast(is_positive as integer)) over (partition by customer_id, order_id order by change_date), 0
        ) as num_orders,
        bool_and(is_positive) over (
            partition by customer_id, order_id
            order by change_date
            rows between current row and unbounded following
        ) as stays_positive
    from summed

),

final as (

    select
        customer_id,
        order_id,
        order_date,
        change_date,
        amount,
        returned_amount,
        num_orders,
        stays_positive,
        case when is_positive and not stays_positive then next_change_date end as positive_until_date
    from judged

)

select * from final
