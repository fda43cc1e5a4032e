with

judged_days as (

    select
        as_of_date,
        outcomes_until
    from {{ ref('metric_days') }}
    where is_for_choosing or is_for_grading

),

customer_metrics_history as (

    select
        customer_id,
        as_of_date
    from {{ ref('customer_metrics_history') }}
    where is_clusterable

),

customer_days as (

    select * from {{ ref('customer_days') }}

),

-- What was known of the customers on the day, and a window later.
before as (

    select
        customer_metrics_history.customer_id,
        judged_days.as_of_date,
        judged_days.outcomes_until,
        customer_days.num_order_days,
        customer_days.num_orders,
        customer_days.total_amount
    from customer_metrics_history
    inner join judged_days on customer_metrics_history.as_of_date = judged_days.as_of_date
    inner join customer_days
        on
            customer_metrics_history.customer_id = customer_days.customer_id
            and customer_days.day < judged_days.as_of_date
            and coalesce(customer_days.next_day, date 'infinity') >= judged_days.as_of_date

),

final as (

    select
        before.customer_id,
        before.as_of_date,
        before.outcomes_until,
        customer_days.num_order_days > before.num_order_days as has_ordered,
        cast(customer_days.num_orders - before.num_orders as integer) as num_orders,
        cast(customer_days.total_amount - before.total_amount as decimal(38, 4)) as revenue
    from before
    inner join customer_days
        on
            before.customer_id = customer_days.customer_id
            and customer_days.day < before.outcomes_until
            and coalesce(customer_days.next_day, date 'infinity') >= before.outcomes_until

)

select * from final
