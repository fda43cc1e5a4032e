with

judged_days as (

    select
        as_of_date,
        outcomes_until
    from {{ ref('metric_days') }}
    where is_for_choosing or is_for_grading

),

clusterable_customers as (

    select
        customer_metrics_history.customer_id,
        judged_days.as_of_date,
        judged_days.outcomes_until
    from {{ ref('customer_metrics_history') }} as customer_metrics_history
    inner join judged_days on customer_metrics_history.as_of_date = judged_days.as_of_date
    where customer_metrics_history.is_clusterable

),

customer_days as (

    select * from {{ ref('customer_days') }}

),

in_windows as (

    select
        customer_days.customer_id,
        judged_days.as_of_date,
        min(customer_days.day) as first_day,
        sum(customer_days.amount) as revenue,
        bool_or(customer_days.amount > 0) as has_ordered,
        max_by(customer_days.num_orders, customer_days.day) as num_orders
    from customer_days
    inner join judged_days
        on
            customer_days.day >= judged_days.as_of_date
            and customer_days.day < judged_days.outcomes_until
    group by customer_days.customer_id, judged_days.as_of_date

),

-- What was known before the first day of it.
compared as (

    select
        in_windows.customer_id,
        in_windows.as_of_date,
        in_windows.revenue,
        in_windows.has_ordered,
        in_windows.num_orders - customer_days.num_orders as num_orders
    from in_windows
    inner join customer_days
        on in_windows.customer_id = customer_days.customer_id and in_windows.first_day = customer_days.next_day

),

final as (

    select
        clusterable_customers.customer_id,
        clusterable_customers.as_of_date,
        clusterable_customers.outcomes_until,
        coalesce(compared.has_ordered, false) as has_ordered,
        cast(coalesce(compared.num_orders, 0) as integer) as num_orders,
        cast(coalesce(compared.revenue, 0) as decimal(38, 4)) as revenue
    from clusterable_customers
    left join compared
        on
            clusterable_customers.customer_id = compared.customer_id
            and clusterable_customers.as_of_date = compared.as_of_date

)

select * from final
