with

metric_days as (

    select * from {{ ref('customer_segmentation', 'metric_days') }}
    where is_for_history

),

segment_definitions as (

    select * from {{ ref('customer_segmentation', 'segment_definitions') }}

),

days as (

    select list(as_of_date order by as_of_date) as days
    from metric_days

),

named_spells as (

    select
        cluster_spells.*,
        segment_definitions.segment
    from {{ ref('customer_segmentation', 'cluster_spells') }} as cluster_spells
    left join segment_definitions on cluster_spells.segment_id = segment_definitions.segment_id

),

-- By the model that scores today, where it was another one that served.
cluster_history as (

    select
        cluster_history.customer_id,
        cluster_history.as_of_date,
        cast(cluster_history.cluster_id as varchar) as segment_id,
        segment_definitions.segment,
        cluster_history.lifecycle_stage
    from {{ ref('customer_segmentation', 'cluster_history') }} as cluster_history
    left join segment_definitions on cast(cluster_history.cluster_id as varchar) = segment_definitions.segment_id

),

-- What served on each day: the segment that the customer was told to be in. Days are a list in the row of the spell:
-- of a join by days a planner expects few rows, and would keep all of them in memory to look eight names up.
served as (

    select
        named_spells.customer_id,
        unnest(list_filter(
            days.days,
            lambda day: day >= named_spells.spell_from and day <= named_spells.served_until -- noqa: RF02
        )) as as_of_date,
        named_spells.model_version,
        named_spells.segment_id,
        named_spells.segment,
        named_spells.lifecycle_stage,
        named_spells.total_amount
    from named_spells
    cross join days
    where named_spells.served_until is not null

),

final as (

    select
        served.customer_id,
        served.as_of_date,
        coalesce(cluster_history.segment_id, served.segment_id) as segment_id,
        case when cluster_history.segment_id is null then served.segment else cluster_history.segment end as segment,
        coalesce(cluster_history.lifecycle_stage, served.lifecycle_stage) as lifecycle_stage,
        served.segment_id as served_segment_id,
        served.model_version as served_version,
        served.total_amount
    from served
    left join cluster_history
        on served.customer_id = cluster_history.customer_id and served.as_of_date = cluster_history.as_of_date

)

select * from final
