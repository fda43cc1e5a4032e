with

customer_clusters as (

    select * from {{ ref('customer_segmentation', 'customer_clusters') }}
    where lifecycle_stage != 'unknown'

),

at_fit as (

    select
        lifecycle_stage,
        share_at_fit
    from {{ ref('customer_segmentation', 'stages') }}
    where model_version = {{ active_version() }} and lifecycle_stage != 'unknown' and share_at_fit > 0

),

counted as (

    select
        lifecycle_stage,
        count(*) as num_customers
    from customer_clusters
    group by lifecycle_stage

),

shares as (

    select
        lifecycle_stage,
        coalesce(counted.num_customers, 0) as num_customers,
        coalesce(at_fit.share_at_fit, 0) as share_at_fit,
        coalesce(counted.num_customers, 0) / sum(counted.num_customers) over () as share_now
    from at_fit
    full join counted using (lifecycle_stage)

),

compared as (

    select
        *,
        {{ share_for_stability('share_now') }} as floored_now,
        {{ share_for_stability('share_at_fit') }} as floored_at_fit
    from shares

),

measured as (

    select
        lifecycle_stage,
        num_customers,
        round(share_at_fit, 6) as share_at_fit,
        round(share_now, 6) as share_now,
        round({{ population_stability_index('floored_now', 'floored_at_fit') }} over (), 6)
            as population_stability_index
    from compared

),

final as (

    select
        *,
        {{ drift_word('population_stability_index') }} as drift
    from measured

)

select * from final
