{{ config(pre_hook="{{ add_custom_metrics_to_contract() }}") }}

-- The columns of custom_metrics come last; the hook adds them to the contract.
-- depends_on: {{ ref('custom_metrics') }}
with

customer_metrics as (

    select * from {{ ref('customer_segmentation', 'customer_metrics') }}

),

customer_clusters as (

    select * from {{ ref('customer_segmentation', 'customer_clusters') }}

),

segment_definitions as (

    select * from {{ ref('customer_segmentation', 'segment_definitions') }}

),

last_changes as (

    select * from {{ ref('customer_segmentation', 'customer_segment_changes') }}
    qualify
        row_number() over (
            partition by customer_id
            order by changed_on desc, cause != 'corrected' desc
        ) = 1

),

placed as (

    select
        customer_metrics.*,
        customer_clusters.cluster_id,
        customer_clusters.distance,
        customer_clusters.margin,
        customer_clusters.repurchase_probability,
        coalesce(customer_clusters.lifecycle_stage, 'unknown') as lifecycle_stage,
        customer_clusters.model_version,
        coalesce(
            customer_metrics.not_clusterable_reason, cast(customer_clusters.cluster_id as varchar)
        ) as segment_id
    from customer_metrics
    left join customer_clusters using (customer_id)

),

final as (

    select
        placed.*,
        segment_definitions.segment,
        segment_definitions.archetype,
        last_changes.changed_on as segment_since,
        last_changes.previous_segment_id,
        last_changes.previous_segment
    from placed
    left join segment_definitions using (segment_id)
    left join last_changes on placed.customer_id = last_changes.customer_id

)

-- noqa: disable=AM04
select * from final
