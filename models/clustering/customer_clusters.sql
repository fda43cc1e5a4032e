with

customer_stages as (

    select * from {{ ref('customer_stages') }}

),

active_centroids as (

    select * from {{ ref('cluster_centroids') }}
    where model_version = {{ active_version() }}

),

active_features as (

    {{ features_of_active_version() }}

),

-- The stage that scores each lifecycle stage; of a version that knows no stages, everybody.
active_stages as (

    select
        lifecycle_stages.lifecycle_stage,
        coalesce(stages.stage, 'everybody') as stage
    from {{ ref('lifecycle_stages') }} as lifecycle_stages
    left join {{ ref('stages') }} as stages
        on
            lifecycle_stages.lifecycle_stage = stages.lifecycle_stage
            and stages.model_version = {{ active_version() }}

),

-- Limits, transform and scaling of every candidate feature, side by side in one row.
scaling as (

    select
        {%- for feature in checked_var('candidate_features') %}
        max(lower_limit) filter (where feature = '{{ feature }}') as {{ feature }}_lower_limit,
        max(upper_limit) filter (where feature = '{{ feature }}') as {{ feature }}_upper_limit,
        max(transform) filter (where feature = '{{ feature }}') as {{ feature }}_transform,
        max(centre) filter (where feature = '{{ feature }}') as {{ feature }}_centre,
        max(scale) filter (where feature = '{{ feature }}') as {{ feature }}_scale,
        {%- endfor %}
        max(model_version) as model_version
    from active_features

),

-- One row per cluster; a feature that was not selected has no coordinate.
centroids as (

    select
        {%- for feature in checked_var('candidate_features') %}
        max(centroid) filter (where feature = '{{ feature }}') as {{ feature }},
        {%- endfor %}
        stage,
        cluster_id
    from active_centroids
    group by stage, cluster_id

),

-- A stage's clustering in one row, so that scoring needs no join with the centroids by customer.
listed as (

    select
        stage,
        list(centroids order by cluster_id) as centroids -- noqa: RF02
    from centroids -- noqa: AL05
    group by stage

),

scorers as (

    select
        active_stages.lifecycle_stage,
        listed.centroids
    from active_stages
    inner join listed using (stage)

),

-- Winsorised at the limits of the version. Not with least and greatest, which would take a limit for a null.
within_limits as (

    select
        customer_stages.customer_id,
        customer_stages.repurchase_probability,
        {%- for feature in checked_var('candidate_features') %}
        case
            when customer_stages.{{ feature }} < scaling.{{ feature }}_lower_limit
                then scaling.{{ feature }}_lower_limit
            when customer_stages.{{ feature }} > scaling.{{ feature }}_upper_limit
                then scaling.{{ feature }}_upper_limit
            else customer_stages.{{ feature }}
        end as {{ feature }},
        {%- endfor %}
        customer_stages.lifecycle_stage
    from customer_stages
    cross join scaling

),

scaled as (

    select
        within_limits.customer_id,
        within_limits.repurchase_probability,
        within_limits.lifecycle_stage,
        scaling.model_version,
        {%- for feature in checked_var('candidate_features') %}
        (
            case
                when scaling.{{ feature }}_transform = 'log1p' then ln(1 + within_limits.{{ feature }})
                else within_limits.{{ feature }}
            end - scaling.{{ feature }}_centre
        ) / scaling.{{ feature }}_scale as {{ feature }},
        {%- endfor %}
        scorers.centroids
    from within_limits
    inner join scorers using (lifecycle_stage)
    cross join scaling

),

measured as (

    select
        customer_id,
        repurchase_probability,
        lifecycle_stage,
        model_version,
        centroids,
        list_transform(
            centroids,
            lambda centroid:
            {%- for feature in checked_var('candidate_features') %}
            coalesce(pow({{ feature }} - centroid['{{ feature }}'], 2), 0){{ ' +' if not loop.last }}
            {%- endfor %}
        ) as squared_distances
    from scaled

),

ranked as (

    select
        *,
        -- The first if several are equal, so the lowest id.
        list_position(squared_distances, list_min(squared_distances)) as nearest,
        list_sort(squared_distances) as ascending
    from measured

),

final as (

    select
        customer_id,
        centroids[nearest]['cluster_id'] as cluster_id,
        round(sqrt(ascending[1]), 6) as distance,
        case
            -- The only cluster of its stage has no boundary.
            when ascending[2] is null then 1
            else round(coalesce(1 - sqrt(ascending[1] / nullif(ascending[2], 0)), 0), 6)
        end as margin,
        repurchase_probability,
        lifecycle_stage,
        model_version
    from ranked

)

select * from final
