with

customer_metrics as (

    select * from {{ ref('customer_metrics') }}

),

customer_clusters as (

    select * from {{ ref('customer_clusters') }}

),

segment_definitions as (

    select * from {{ ref('segment_definitions') }}

),

placed as (

    select
        customer_metrics.*,
        customer_clusters.cluster_id,
        customer_clusters.distance,
        customer_clusters.margin,
        customer_clusters.model_version,
        coalesce(
            customer_metrics.not_clusterable_reason, cast(customer_clusters.cluster_id as varchar)
        ) as segment_id
    from customer_metrics
    left join customer_clusters using (customer_id)

),

final as (

    select
        placed.customer_id,
        placed.segment_id,
        segment_definitions.segment,
        segment_definitions.archetype,
        placed.cluster_id,
        placed.distance,
        placed.margin,
        placed.total_amount,
        placed.num_orders,
        placed.avg_order_value,
        placed.days_since_last_order,
        placed.first_order_date,
        placed.last_order_date,
        placed.tenure_days,
        placed.returned_amount,
        placed.is_clusterable,
        placed.not_clusterable_reason,
        placed.as_of_date,
        placed.model_version
    from placed
    left join segment_definitions using (segment_id)

)

select * from final
