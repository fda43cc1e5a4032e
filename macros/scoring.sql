{#- The one scoring expression: customers with their cluster, distance and margin by the fitted clustering of a version, as
    the relation `name`. `customers` names a relation with customer_id, lifecycle_stage and the candidate features, whose
    other columns stay; `places` one that says which stage's clusters score each lifecycle stage. -#}
{% macro scored(name, customers, version, places) -%}
-- Limits, transform and scaling of every candidate feature, side by side in one row.
{{ name }}_scaling as (

    select
        {%- for feature in checked_var('candidate_features') %}
        max(lower_limit) filter (where feature = '{{ feature }}') as {{ feature }}_lower_limit,
        max(upper_limit) filter (where feature = '{{ feature }}') as {{ feature }}_upper_limit,
        max(transform) filter (where feature = '{{ feature }}') as {{ feature }}_transform,
        max(centre) filter (where feature = '{{ feature }}') as {{ feature }}_centre,
        max(scale) filter (where feature = '{{ feature }}') as {{ feature }}_scale,
        {%- endfor %}
        max(model_version) as model_version
    from ({{ features_of(version) }}) as features

),

-- One row per cluster; a feature that was not selected has no coordinate.
{{ name }}_centroids as (

    select
        {%- for feature in checked_var('candidate_features') %}
        max(centroid) filter (where feature = '{{ feature }}') as {{ feature }},
        {%- endfor %}
        stage,
        cluster_id
    from {{ ref('customer_segmentation', 'cluster_centroids') }}
    where model_version = {{ version }}
    group by stage, cluster_id

),

-- A stage's clustering in one row, so that scoring needs no join with the centroids by customer.
{{ name }}_listed as (

    select
        stage,
        list(centroids order by cluster_id) as centroids -- noqa: RF02
    from {{ name }}_centroids as centroids
    group by stage

),

{{ name }}_scorers as (

    select
        places.lifecycle_stage,
        listed.centroids
    from {{ places }} as places
    inner join {{ name }}_listed as listed on places.stage = listed.stage

),

-- Winsorised at the limits of the version. Not with least and greatest, which would take a limit for a null.
{{ name }}_within_limits as (

    select
        customers.* replace (
            {%- for feature in checked_var('candidate_features') %}
            case
                when customers.{{ feature }} < scaling.{{ feature }}_lower_limit
                    then scaling.{{ feature }}_lower_limit
                when customers.{{ feature }} > scaling.{{ feature }}_upper_limit
                    then scaling.{{ feature }}_upper_limit
                else customers.{{ feature }}
            end as {{ feature }}{{ ',' if not loop.last }}
            {%- endfor %}
        )
    from {{ customers }} as customers
    cross join {{ name }}_scaling as scaling

),

{{ name }}_scaled as (

    select
        customers.* exclude ({{ checked_var('candidate_features') | join(', ') }}),
        scaling.model_version,
        {%- for feature in checked_var('candidate_features') %}
        (
            case
                when scaling.{{ feature }}_transform = 'log1p' then ln(1 + customers.{{ feature }})
                else customers.{{ feature }}
            end - scaling.{{ feature }}_centre
        ) / scaling.{{ feature }}_scale as {{ feature }},
        {%- endfor %}
        scorers.centroids
    from {{ name }}_within_limits as customers
    inner join {{ name }}_scorers as scorers on customers.lifecycle_stage = scorers.lifecycle_stage
    cross join {{ name }}_scaling as scaling

),

{{ name }}_measured as (

    select
        * exclude ({{ checked_var('candidate_features') | join(', ') }}),
        list_transform(
            centroids,
            lambda centroid:
            {%- for feature in checked_var('candidate_features') %}
            coalesce(pow({{ feature }} - centroid['{{ feature }}'], 2), 0){{ ' +' if not loop.last }}
            {%- endfor %}
        ) as squared_distances
    from {{ name }}_scaled

),

{{ name }}_ranked as (

    select
        *,
        -- The first if several are equal, so the lowest id.
        list_position(squared_distances, list_min(squared_distances)) as nearest,
        list_sort(squared_distances) as ascending
    from {{ name }}_measured

),

{{ name }} as (

    select
        * exclude (centroids, squared_distances, nearest, ascending),
        centroids[nearest]['cluster_id'] as cluster_id,
        round(sqrt(ascending[1]), 6) as distance,
        case
            -- The only cluster of its stage has no boundary.
            when ascending[2] is null then 1
            else round(coalesce(1 - sqrt(ascending[1] / nullif(ascending[2], 0)), 0), 6)
        end as margin
    from {{ name }}_ranked

)
{%- endmacro %}

{#- Which stage's clusters score each lifecycle stage, as the relation `name`: its own, else the first of those that it
    joins, else everybody's. `clusters` names a relation with model_version, stage and num_clusters. -#}
{% macro places_of_stages(name, clusters) -%}
-- The stage itself, then those that it joins, in their order.
{{ name }}_in_order as (

    select
        lifecycle_stage,
        list_concat([lifecycle_stage], string_split(joins, ' '), ['everybody']) as stages
    from {{ ref('customer_segmentation', 'lifecycle_stages') }}

),

{{ name }}_one_by_one as (

    select
        lifecycle_stage,
        stages,
        unnest(stages) as stage
    from {{ name }}_in_order

),

{{ name }} as (

    select
        one_by_one.lifecycle_stage,
        one_by_one.stage,
        clusters.model_version,
        clusters.num_clusters
    from {{ name }}_one_by_one as one_by_one
    inner join {{ clusters }} as clusters on one_by_one.stage = clusters.stage
    qualify
        row_number() over (
            partition by clusters.model_version, one_by_one.lifecycle_stage
            order by list_position(one_by_one.stages, one_by_one.stage)
        ) = 1

)
{%- endmacro %}
