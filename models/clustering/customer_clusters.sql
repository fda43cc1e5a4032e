with

clusterable_customers as (

    select * from {{ ref('customer_metrics') }}
    where is_clusterable

),

active_features as (

    select * from {{ ref('clustering_features') }}
    where model_version = {{ active_version() }}

),

active_centroids as (

    select * from {{ ref('cluster_centroids') }}
    where model_version = {{ active_version() }}

),

-- Transform and scaling of every candidate feature, side by side in one row.
scaling as (

    select
        {%- for feature in checked_var('candidate_features') %}
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
        cluster_id
    from active_centroids
    group by cluster_id

),

-- The whole clustering in one row, so that scoring needs no join by customer.
listed as (

    select list(centroids order by cluster_id) as centroids -- noqa: RF02
    from centroids -- noqa: AL05

),

scaled as (

    select
        clusterable_customers.customer_id,
        scaling.model_version,
        {%- for feature in checked_var('candidate_features') %}
        (
            case
                when scaling.{{ feature }}_transform = 'log1p'
                    then ln(1 + cast(clusterable_customers.{{ feature }} as double))
                else cast(clusterable_customers.{{ feature }} as double)
            end - scaling.{{ feature }}_centre
        ) / scaling.{{ feature }}_scale as {{ feature }},
        {%- endfor %}
        listed.centroids
    from clusterable_customers
    cross join scaling
    cross join listed

),

measured as (

    select
        customer_id,
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
        round(coalesce(1 - sqrt(ascending[1] / nullif(ascending[2], 0)), 0), 6) as margin,
        model_version
    from ranked

)

select * from final
