-- Why these features? What every candidate of the active version looks like, and why it was kept or left out.
-- Run it with: dbt show --select why_these_features
with

clustering_features as (

    select * from {{ ref('customer_segmentation', 'clustering_features') }}
    where model_version = {{ active_version() }}

),

final as (

    select
        stage,
        feature,
        is_selected,
        reason,
        lower_limit,
        upper_limit,
        transform,
        round(skewness, 2) as skewness,
        round(variance_inflation, 1) as variance_inflation
    from clustering_features

)

select * from final
order by stage desc, is_selected desc, feature asc
