with

customer_clusters as (

    select * from {{ ref('customer_segmentation', 'customer_clusters') }}

),

segment_definitions as (

    select * from {{ ref('customer_segmentation', 'segment_definitions') }}

),

at_fit as (

    select distinct
        model_version,
        cluster_id,
        share_at_fit
    from {{ ref('customer_segmentation', 'cluster_centroids') }}
    where model_version = {{ active_version() }}

),

counted as (

    select
        cluster_id,
        count(*) as num_customers
    from customer_clusters
    group by cluster_id

),

shares as (

    select
        at_fit.model_version,
        at_fit.cluster_id,
        coalesce(counted.num_customers, 0) as num_customers,
        at_fit.share_at_fit,
        coalesce(counted.num_customers, 0) / sum(counted.num_customers) over () as share_now
    from at_fit
    left join counted using (cluster_id)

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
        compared.cluster_id,
        segment_definitions.segment,
        compared.model_version,
        compared.num_customers,
        round(compared.share_at_fit, 6) as share_at_fit,
        round(compared.share_now, 6) as share_now,
        round({{ population_stability_index('compared.floored_now', 'compared.floored_at_fit') }} over (), 6)
            as population_stability_index
    from compared
    inner join segment_definitions using (cluster_id)

),

final as (

    select
        *,
        {{ drift_word('population_stability_index') }} as drift
    from measured

)

select * from final
