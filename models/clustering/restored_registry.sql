{{ config(materialized='view') }}

with

registry as (

    {{ registry_rows() }}

),

final as (

    select
        cast(model_version as integer) as model_version,
        dataset,
        cast(fitted_on as date) as fitted_on,
        cast(num_customers as bigint) as num_customers,
        due_because,
        settings,
        feature,
        transform,
        cast(skewness as double) as skewness,
        cast(centre as double) as centre,
        cast(scale as double) as scale,
        cast(variance_inflation as double) as variance_inflation,
        cast(is_selected as boolean) as is_selected,
        reason,
        deciles,
        decile_shares,
        cast(cluster_id as integer) as cluster_id,
        cast(centroid as double) as centroid,
        cast(share_at_fit as double) as share_at_fit,
        cast(overlap as double) as overlap,
        archetype
    from registry

)

select * from final
