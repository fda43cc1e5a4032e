with

metric_days as (

    select * from {{ ref('customer_segmentation', 'metric_days') }}
    where is_for_history

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
        cluster_spells.segment_id,
        cluster_spells.lifecycle_stage,
        cluster_spells.total_amount
    from {{ ref('customer_segmentation', 'cluster_spells') }} as cluster_spells
    inner join metric_days
        on cluster_spells.spell_from <= metric_days.as_of_date and cluster_spells.served_until >= metric_days.as_of_date

),

segment_definitions as (

    select * from {{ ref('customer_segmentation', 'segment_definitions') }}

),

-- By the model that scores today: what was served, where it was that model, or a segment by rule.
placed as (

    select
        served.customer_id,
        served.as_of_date,
        coalesce(cast(cluster_history.cluster_id as varchar), served.segment_id) as segment_id,
        coalesce(cluster_history.lifecycle_stage, served.lifecycle_stage) as lifecycle_stage,
        served.segment_id as served_segment_id,
        served.model_version as served_version,
        served.total_amount
    from served
    left join cluster_history
        on served.customer_id = cluster_history.customer_id and served.as_of_date = cluster_history.as_of_date

),

final as (

    select
        placed.customer_id,
        placed.as_of_date,
        placed.segment_id,
        segment_definitions.segment,
        placed.lifecycle_stage,
        placed.served_segment_id,
        placed.served_version,
        placed.total_amount
    from placed
    left join segment_definitions on placed.segment_id = segment_definitions.segment_id

)

select * from final
