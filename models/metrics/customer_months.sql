with

customer_days as (

    select * from {{ ref('customer_segmentation', 'customer_days') }}

),

as_of as (

    select as_of_date from {{ ref('customer_segmentation', 'as_of') }}

),

final as (

    select
        customer_days.customer_id,
        cast(date_trunc('month', customer_days.day) as date) as month,
        cast(date_trunc('month', min(customer_days.first_order_day)) as date) as first_order_month,
        cast(sum(customer_days.amount) as decimal(38, 4)) as revenue,
        bool_or(customer_days.amount > 0) as has_ordered
    from customer_days
    cross join as_of
    where customer_days.day < as_of.as_of_date
    group by customer_days.customer_id, date_trunc('month', customer_days.day)

)

select * from final
