with

judged_days as (

    select
        as_of_date,
        outcomes_until
    from {{ ref('customer_segmentation', 'metric_days') }}
    where is_for_choosing or is_for_grading or is_for_grading_since

),

clusterable_customers as (

    select
        customer_metrics_history.customer_id,
        judged_days.as_of_date,
        judged_days.outcomes_until
    from {{ ref('customer_segmentation', 'customer_metrics_history') }} as customer_metrics_history
    inner join judged_days on customer_metrics_history.as_of_date = judged_days.as_of_date
    where customer_metrics_history.is_clusterable

),

customer_days as (

    select * from {{ ref('customer_segmentation', 'customer_days') }}

),

orders as (

    select * from {{ ref('customer_segmentation', 'orders') }}
    where amount > 0

),

in_windows as (

    select
        customer_days.customer_id,
        judged_days.as_of_date,
        sum(customer_days.amount) as revenue,
        bool_or(customer_days.amount > 0) as has_ordered
    from customer_days
    inner join judged_days
        on
            customer_days.day >= judged_days.as_of_date
            and customer_days.day < judged_days.outcomes_until
    group by customer_days.customer_id, judged_days.as_of_date

),

ordered as (

    select
        orders.customer_id,
        judged_days.as_of_date,
        count(*) as num_orders
    from orders
    inner join judged_days
        on
            orders.order_date >= judged_days.as_of_date
            and orders.order_date < judged_days.outcomes_until
    group by orders.customer_id, judged_days.as_of_date

),

final as (

    select
        clusterable_customers.customer_id,
        clusterable_customers.as_of_date,
        clusterable_customers.outcomes_until,
        coalesce(in_windows.has_ordered, false) as has_ordered,
        cast(coalesce(ordered.num_orders, 0) as integer) as num_orders,
        cast(coalesce(in_windows.revenue, 0) as decimal(38, 4)) as revenue
    from clusterable_customers
    left join in_windows
        on
            clusterable_customers.customer_id = in_windows.customer_id
            and clusterable_customers.as_of_date = in_windows.as_of_date
    left join ordered
        on
            clusterable_customers.customer_id = ordered.customer_id
            and clusterable_customers.as_of_date = ordered.as_of_date

)

select * from final
