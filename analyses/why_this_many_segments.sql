-- Why this many segments? The evidence for every k of the active version, the selected one marked.
-- Run it with: dbt show --select why_this_many_segments --limit 20
with

clustering_candidates as (

    select * from {{ ref('customer_segmentation', 'clustering_candidates') }}
    where model_version = {{ active_version() }}

),

final as (

    select
        algorithm,
        k,
        allocation,
        is_selected,
        reason,
        verdict,
        round(silhouette, 3) as silhouette,
        round(bootstrap_jaccard, 2) as least_stable_cluster,
        round(bootstrap_adjusted_rand, 2) as adjusted_rand,
        round(smallest_cluster_share, 3) as smallest_cluster_share,
        is_reproduced,
        round(valley_p_value, 3) as valley_p_value,
        num_splits_with_valleys,
        resampling_share,
        brier_score,
        log_spend_error,
        is_elbow,
        round(agreement_with_kmeans, 2) as agreement_with_kmeans,
        round(agreement_with_stages, 2) as agreement_with_stages,
        round(noise_share, 2) as noise_share,
        round(bic) as bic
    from clustering_candidates

)

select * from final
order by algorithm like 'kmeans%' desc, algorithm desc, k asc
