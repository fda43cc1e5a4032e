-- Which customers could as well be in another segment? Those closest to a boundary come first: margin is
-- 0 on the boundary and 1 on the centroid. Run it with: dbt show --select which_customers_are_borderline
with

customer_segments as (

    select * from {{ ref('customer_segmentation', 'customer_segments') }}

),

final as (

    select
        customer_id,
        segment,
        margin,
        distance,
        total_amount,
        num_orders,
        avg_order_value,
        days_since_last_order
    from customer_segments
    where margin < 0.1

)

select * from final
order by margin, customer_id
