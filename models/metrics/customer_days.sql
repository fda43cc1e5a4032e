-- Sums are DECIMAL, so they don't depend on the order of rows or the number of threads.
with

orders as (

    select * from {{ ref('customer_segmentation', 'orders') }}
    {{ 'where last_line_date = order_date' if var('rows_are') != 'orders' }}

),

order_changes as (

    select * from {{ ref('customer_segmentation', 'order_changes') }}

),

changes as (

    select
        customer_id,
        order_date as day,
        amount,
        returned_amount,
        cast(amount > 0 as integer) as num_orders,
        case when amount > 0 then order_date end as lasting_order_date
    from orders
    union all
    select
        customer_id,
        change_date as day,
        amount,
        returned_amount,
        num_orders,
        case when stays_positive then order_date end as lasting_order_date
    from order_changes

),

daily as (

    select
        customer_id,
        day,
        sum(amount) as amount,
        sum(returned_amount) as returned_amount,
        sum(num_orders) as num_orders,
        min(lasting_order_date) as first_order_date,
        max(lasting_order_date) as last_order_date
    from changes
    group by customer_id, day

),

final as (

    select
        customer_id,
        day,
        amount,
        sum(amount) over up_to_now as total_amount,
        sum(returned_amount) over up_to_now as returned_amount,
        sum(num_orders) over up_to_now as num_orders,
        min(first_order_date) over up_to_now as first_order_date,
        max(last_order_date) over up_to_now as last_order_date,
        count(*) filter (where amount > 0) over up_to_now as num_order_days,
        min(day) filter (where amount > 0) over up_to_now as first_order_day,
        max(day) filter (where amount > 0) over up_to_now as last_order_day,
        lead(day) over (partition by customer_id order by day) as next_day,
        lead(case when amount > 0 then day end ignore nulls) over (partition by customer_id order by day)
            as next_order_day
    from daily
    window up_to_now as (
        partition by customer_id
        order by day
        rows between unbounded preceding and current row
    )

)

select * from final
