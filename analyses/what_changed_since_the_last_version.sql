-- What did the newest fit change? Every cluster id with what became of it and how many customers it kept.
-- Run it with: dbt show --select what_changed_since_the_last_version
with

segment_registry as (

    select * from {{ ref('customer_segmentation', 'segment_registry') }}

),

final as (

    select
        model_version,
        due_because,
        cluster_id,
        segment,
        status,
        overlap,
        share_at_fit,
        share_at_fit - lag(share_at_fit) over (partition by cluster_id order by model_version) as change_of_share
    from segment_registry
    qualify model_version = max(model_version) over ()

)

select * from final
order by cluster_id
