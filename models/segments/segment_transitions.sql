with

segment_history as (

    select * from {{ ref('customer_segmentation', 'segment_history') }}

),

days as (

    select distinct as_of_date from segment_history

),

months as (

    select
        as_of_date,
        lag(as_of_date) over (order by as_of_date) as previous_as_of_date
    from days

),

revenues as (

    select
        customer_days.customer_id,
        months.as_of_date,
        sum(customer_days.amount) as revenue
    from {{ ref('customer_segmentation', 'customer_days') }} as customer_days
    inner join months
        on customer_days.day >= months.previous_as_of_date and customer_days.day < months.as_of_date
    group by customer_days.customer_id, months.as_of_date

),

-- Who is known on a day is known on all later ones; whoever was not on the day before is new.
in_order as (

    select
        *,
        lag(segment_id) over by_day as previous_segment_id,
        lag(segment) over by_day as previous_segment
    from segment_history
    window by_day as (partition by customer_id order by as_of_date)

),

moved as (

    select
        months.previous_as_of_date as from_date,
        in_order.as_of_date,
        coalesce(in_order.previous_segment_id, 'new') as from_segment_id,
        coalesce(in_order.previous_segment, 'No customer yet') as from_segment,
        in_order.segment_id,
        in_order.segment,
        coalesce(revenues.revenue, 0) as revenue
    from in_order
    inner join months on in_order.as_of_date = months.as_of_date
    left join revenues on in_order.customer_id = revenues.customer_id and in_order.as_of_date = revenues.as_of_date
    where months.previous_as_of_date is not null

),

counted as (

    select
        from_date,
        as_of_date,
        from_segment_id,
        from_segment,
        segment_id,
        segment,
        count(*) as num_customers,
        sum(revenue) as revenue
    from moved
    group by from_date, as_of_date, from_segment_id, from_segment, segment_id, segment

),

final as (

    select
        from_date,
        as_of_date,
        from_segment_id,
        from_segment,
        segment_id,
        segment,
        num_customers,
        num_customers / sum(num_customers) over (partition by as_of_date, from_segment_id) as share_of_from_segment,
        cast(revenue as decimal(38, 4)) as revenue
    from counted

)

select * from final
