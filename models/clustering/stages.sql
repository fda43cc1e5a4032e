{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false) }}

with

known as (

    select * from {{ known_rows('stage') }}

),

known_versions as (

    select distinct model_version from known

),

versions as (

    select * from {{ ref('customer_segmentation', 'model_versions') }}

),

{% if not is_incremental() -%}
restored as (

    select known.*
    from known
    inner join versions on known.model_version = versions.model_version and versions.origin = 'restored'

),

{% endif -%}
-- Of the version that scores, when it scores for the first time.
lacking as (

    select versions.model_version
    from versions
    anti join known_versions on versions.model_version = known_versions.model_version
    where versions.model_version = {{ active_version() }}

),

clusters as (

    select
        cluster_centroids.model_version,
        cluster_centroids.stage,
        count(distinct cluster_centroids.cluster_id) as num_clusters
    from {{ ref('customer_segmentation', 'cluster_centroids') }} as cluster_centroids
    semi join lacking using (model_version)
    group by cluster_centroids.model_version, cluster_centroids.stage

),

decisions as (

    select
        model_version,
        reason
    from {{ ref('customer_segmentation', 'clustering_candidates') }}
    where is_selected

),

counted as (

    select
        lifecycle_stage,
        count(*) as num_customers
    from {{ ref('customer_segmentation', 'customer_stages') }}
    where {{ active_version() }} in (select lacking.model_version from lacking)
    group by lifecycle_stage

),

limits as (

    {{ limits_of_active_version() }}

),

claims as (

    select * from {{ ref('customer_segmentation', 'claims') }}

),

{{ places_of_stages('placed', 'clusters') }},

described as (

    select
        placed.model_version,
        placed.lifecycle_stage,
        placed.stage,
        coalesce(
            {{ with_limits('claims.says', 'limits', 'cast(null as varchar)') }},
            'no chance to order again is known'
        ) as rule,
        decisions.reason,
        coalesce(counted.num_customers, 0) as num_customers,
        round(
            coalesce(counted.num_customers, 0) / sum(coalesce(counted.num_customers, 0)) over (
                partition by placed.model_version
            ),
            12
        ) as share_at_fit,
        placed.num_clusters
    from placed
    cross join limits
    left join counted using (lifecycle_stage)
    left join claims on placed.lifecycle_stage = claims.claim
    left join decisions on placed.model_version = decisions.model_version

),

final as (

    select
        model_version,
        lifecycle_stage,
        stage,
        case
            when stage in (lifecycle_stage, 'everybody') then rule
            when num_customers = 0 then rule || '; nobody at the fit, so with ' || stage
            else rule || '; too few at the fit for segments of their own, so with ' || stage
        end as rule,
        reason,
        cast(num_customers as bigint) as num_customers,
        share_at_fit,
        cast(num_clusters as integer) as num_clusters
    from described
    {%- if not is_incremental() %}
    union all
    select * from restored
    {%- endif %}

)

select * from final
