with

metric_days as (

    select * from {{ ref('customer_segmentation', 'metric_days') }}
    where is_for_history

),

customer_metrics_history as (

    select
        customer_metrics_history.customer_id,
        customer_metrics_history.as_of_date,
        customer_metrics_history.not_clusterable_reason
    from {{ ref('customer_segmentation', 'customer_metrics_history') }} as customer_metrics_history
    semi join metric_days on customer_metrics_history.as_of_date = metric_days.as_of_date

),

cluster_history as (

    select * from {{ ref('customer_segmentation', 'cluster_history') }}

),

-- What served on each day: the segment that the customer was told to be in.
served as (

    select
        cluster_spells.customer_id,
        metric_days.as_of_date,
        cluster_spells.model_version,
        cluster_spells.segment_id
    from {{ ref('customer_segmentation', 'cluster_spells') }} as cluster_spells
    inner join metric_days
        on cluster_spells.spell_from <= metric_days.as_of_date and cluster_spells.served_until >= metric_days.as_of_date

),

segment_definitions as (

    select * from {{ ref('customer_segmentation', 'segment_definitions') }}

),

placed as (

    select
        customer_metrics_history.customer_id,
        customer_metrics_history.as_of_date,
        coalesce(
            customer_metrics_history.not_clusterable_reason, cast(cluster_history.cluster_id as varchar)
        ) as segment_id,
        coalesce(cluster_history.lifecycle_stage, 'unknown') as lifecycle_stage,
        served.segment_id as served_segment_id,
        served.model_version as served_version
    from customer_metrics_history
    left join cluster_history
        on
            customer_metrics_history.customer_id = cluster_history.customer_id
            and customer_metrics_history.as_of_date = cluster_history.as_of_date
    left join served
        on
            customer_metrics_history.customer_id = served.customer_id
            and customer_metrics_history.as_of_date = served.as_of_date

),

final as (

    select
        placed.customer_id,
        placed.as_of_date,
        placed.segment_id,
        segment_definitions.segment,
        placed.lifecycle_stage,
        placed.served_segment_id,
        placed.served_version
    from placed
    left join segment_definitions on placed.segment_id = segment_definitions.segment_id

)

select * from final
