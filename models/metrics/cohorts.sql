with

customer_months as (

    select * from {{ ref('customer_segmentation', 'customer_months') }}
    where first_order_month is not null and month >= first_order_month

),

as_of as (

    select as_of_date from {{ ref('customer_segmentation', 'as_of') }}

),

counted as (

    select
        first_order_month,
        month,
        count(*) as num_customers,
        count(*) filter (where has_ordered) as num_active,
        sum(revenue) as revenue
    from customer_months
    group by first_order_month, month

),

-- In the month of their first order everybody has a row.
cohorts as (

    select
        first_order_month,
        num_customers
    from counted
    where month = first_order_month

),

months as (

    select
        cohorts.first_order_month,
        cohorts.num_customers,
        cast(unnest(generate_series(
            cohorts.first_order_month, as_of.as_of_date - 1, interval 1 month
        )) as date) as month
    from cohorts
    cross join as_of

),

final as (

    select
        months.first_order_month,
        cast(datediff('month', months.first_order_month, months.month) as integer) as months_since,
        months.month,
        months.month + interval 1 month <= as_of.as_of_date as is_whole,
        months.num_customers,
        coalesce(counted.num_active, 0) as num_active,
        coalesce(counted.num_active, 0) / months.num_customers as share_active,
        cast(coalesce(counted.revenue, 0) as decimal(38, 4)) as revenue,
        cast(coalesce(counted.revenue, 0) / months.num_customers as decimal(38, 4)) as revenue_per_customer
    from months
    cross join as_of
    left join counted
        on months.first_order_month = counted.first_order_month and months.month = counted.month

)

select * from final
