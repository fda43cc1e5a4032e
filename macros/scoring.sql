{#- The one scoring expression: customers with their cluster, distance and margin by the fitted clusterings, as the
    relation `name`. `customers` names a relation with customer_id, model_version, lifecycle_stage and the candidate
    features, whose other columns stay; `places` one that says which stage's clusters score each lifecycle stage of each
    version. -#}
{% macro scored(name, customers, places) -%}
{{ scaled(name ~ '_scaled', customers, places) }},

{{ name }}_measured as (

    select
        * exclude (
            {%- for feature in checked_var('candidate_features') %}
            {{ feature }},
            {{ feature }}_lower_limit,
            {{ feature }}_upper_limit,
            {{ feature }}_transform,
            {{ feature }}_centre,
            {{ feature }}_scale{{ ',' if not loop.last }}
            {%- endfor %}
        ),
        {{ squared_distances() }} as squared_distances
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
        cast(centroids[nearest]['cluster_id'] as integer) as cluster_id,
        round(sqrt(ascending[1]), 6) as distance,
        case
            -- The only cluster of its stage has no boundary.
            when ascending[2] is null then 1
            else round(coalesce(1 - sqrt(ascending[1] / nullif(ascending[2], 0)), 0), 6)
        end as margin
    from {{ name }}_ranked

)
{%- endmacro %}

{#- The same customers with their features within the limits and scaled, and the clusters of their stage as `centroids`: a list with
    a coordinate for each feature, null if it was not selected, in the order of the ids. -#}
{% macro scaled(name, customers, places) -%}
-- Limits, transform and scaling of every candidate feature, side by side in one row per version.
{{ name }}_scaling as (

    select
        {%- for feature in checked_var('candidate_features') %}
        max(lower_limit) filter (where feature = '{{ feature }}') as {{ feature }}_lower_limit,
        max(upper_limit) filter (where feature = '{{ feature }}') as {{ feature }}_upper_limit,
        max(transform) filter (where feature = '{{ feature }}') as {{ feature }}_transform,
        max(centre) filter (where feature = '{{ feature }}') as {{ feature }}_centre,
        max(scale) filter (where feature = '{{ feature }}') as {{ feature }}_scale,
        {%- endfor %}
        model_version
    from ({{ features_by_version() }}) as features
    group by model_version

),

-- One row per cluster; a feature that was not selected has no coordinate.
{{ name }}_centroids as (

    select
        {%- for feature in checked_var('candidate_features') %}
        max(centroid) filter (where feature = '{{ feature }}') as {{ feature }},
        {%- endfor %}
        model_version,
        stage,
        cluster_id
    from {{ ref('customer_segmentation', 'cluster_centroids') }}
    group by model_version, stage, cluster_id

),

-- A stage's clustering in one row, so that scoring needs no join with the centroids by customer.
{{ name }}_listed as (

    select
        model_version,
        stage,
        list(centroids order by cluster_id) as centroids -- noqa: RF02
    from {{ name }}_centroids as centroids
    group by model_version, stage

),

-- Kept, since a planner that expects too few customers would build its joins on them.
{{ name }}_scorers as materialized (

    select
        places.lifecycle_stage,
        listed.centroids,
        scaling.*
    from {{ places }} as places
    inner join {{ name }}_listed as listed
        on places.model_version = listed.model_version and places.stage = listed.stage
    inner join {{ name }}_scaling as scaling on places.model_version = scaling.model_version

),

-- Winsorised at the limits of the version.
{{ name }}_within_limits as (

    select
        customers.* replace (
            {%- for feature in checked_var('candidate_features') %}
            {{ within_limits(feature, 'customers.' ~ feature, 'scorers.') }} as {{ feature }}{{ ',' if not loop.last }}
            {%- endfor %}
        ),
        scorers.* exclude (model_version, lifecycle_stage)
    from {{ customers }} as customers
    inner join {{ name }}_scorers as scorers
        on customers.model_version = scorers.model_version and customers.lifecycle_stage = scorers.lifecycle_stage

),

{{ name }} as (

    select
        * replace (
            {%- for feature in checked_var('candidate_features') %}
            {{ scaled_value(feature, feature) }} as {{ feature }}{{ ',' if not loop.last }}
            {%- endfor %}
        )
    from {{ name }}_within_limits

)
{%- endmacro %}

{#- A feature's value within the limits. Not with least and greatest, which would take a limit for a null. -#}
{% macro within_limits(feature, value, scorers='') -%}
            case
                when {{ value }} < {{ scorers }}{{ feature }}_lower_limit then {{ scorers }}{{ feature }}_lower_limit
                when {{ value }} > {{ scorers }}{{ feature }}_upper_limit then {{ scorers }}{{ feature }}_upper_limit
                else {{ value }}
            end
{%- endmacro %}

{#- The same, scaled. -#}
{% macro scaled_value(feature, value) -%}
            (
                case when {{ feature }}_transform = 'log1p' then ln(1 + {{ value }}) else {{ value }} end
                - {{ feature }}_centre
            ) / {{ feature }}_scale
{%- endmacro %}

{#- A list of the squared distances from each of `centroids`; features in `moving` are those `days` after the first. -#}
{% macro squared_distances(moving=[]) -%}
        list_transform(
            centroids,
            lambda centroid:
            {%- for feature in checked_var('candidate_features') %}
            {%- set at_day = within_limits(feature, '(' ~ feature ~ '_at_first + days)') %}
            {%- set value = scaled_value(feature, at_day) if feature in moving else feature %}
            coalesce(pow({{ value }} - centroid['{{ feature }}'], 2), 0){{ ' +' if not loop.last }} -- noqa: RF02
            {%- endfor %}
        )
{%- endmacro %}

{#- Everybody who can be clustered on the days of `days`, which names a relation with as_of_date and the model_version that
    scores it, with their cluster and stage, as the relation `name`; `places` as for scored(). -#}
{% macro scored_on(name, days, places) -%}
{{ name }}_metrics as (

    select
        customer_metrics_history.customer_id,
        customer_metrics_history.as_of_date,
        days.model_version,
        {%- for feature in checked_var('candidate_features') %}
        cast(customer_metrics_history.{{ feature }} as double) as {{ feature }},
        {%- endfor %}
        customer_metrics_history.num_order_days as known_order_days,
        customer_metrics_history.mean_gap_days as known_mean_gap_days,
        customer_metrics_history.silence_days as known_silence_days
    from {{ ref('customer_segmentation', 'customer_metrics_history') }} as customer_metrics_history
    inner join {{ days }} as days on customer_metrics_history.as_of_date = days.as_of_date
    where customer_metrics_history.is_clusterable

),

{{ lifecycle_stages(name ~ '_staged', name ~ '_metrics') }},

-- Narrow, since every step of the scoring carries its columns along.
{{ name }}_customers as (

    select
        customer_id,
        as_of_date,
        model_version,
        {%- for feature in checked_var('candidate_features') %}
        {{ feature }},
        {%- endfor %}
        repurchase_probability,
        lifecycle_stage
    from {{ name }}_staged

),

{{ scored(name, name ~ '_customers', places) }}
{%- endmacro %}

{#- Which stage's clusters score each lifecycle stage of each version, as the relation `name`; of a version that knows no
    stages, everybody's. -#}
{% macro serving_places(name) -%}
{{ name }} as (

    select
        versions.model_version,
        lifecycle_stages.lifecycle_stage,
        coalesce(stages.stage, 'everybody') as stage
    from {{ ref('customer_segmentation', 'lifecycle_stages') }} as lifecycle_stages
    cross join (
        select distinct model_version from {{ ref('customer_segmentation', 'cluster_centroids') }}
    ) as versions
    left join {{ ref('customer_segmentation', 'stages') }} as stages
        on
            lifecycle_stages.lifecycle_stage = stages.lifecycle_stage
            and versions.model_version = stages.model_version

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
