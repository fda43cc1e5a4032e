with

clusterable_customers as (

    select * from {{ ref('customer_metrics') }}
    where is_clusterable

),

cluster_centroids as (

    select * from {{ ref('cluster_centroids') }}

),

-- One row per cluster, its centroid's coordinates side by side.
centroids as (

    select
        {%- for feature in clustering_features() %}
        any_value(transform) filter (where feature = '{{ feature }}') as {{ feature }}_transform,
        any_value(centre) filter (where feature = '{{ feature }}') as {{ feature }}_centre,
        any_value(scale) filter (where feature = '{{ feature }}') as {{ feature }}_scale,
        any_value(centroid) filter (where feature = '{{ feature }}') as {{ feature }},
        {%- endfor %}
        cluster_id
    from cluster_centroids
    group by cluster_id

),

-- The whole clustering in one row, so that scoring needs no join by customer.
clustering as (

    select
        {%- for feature in clustering_features() %}
        any_value({{ feature }}_transform) as {{ feature }}_transform,
        any_value({{ feature }}_centre) as {{ feature }}_centre,
        any_value({{ feature }}_scale) as {{ feature }}_scale,
        {%- endfor %}
        list(centroids order by cluster_id) as centroids -- noqa: RF02
    from centroids

),

scaled as (

    select
        clusterable_customers.customer_id,
        {%- for feature in clustering_features() %}
        (
            case
                when clustering.{{ feature }}_transform = 'log1p'
                    then ln(1 + cast(clusterable_customers.{{ feature }} as double))
                else cast(clusterable_customers.{{ feature }} as double)
            end - clustering.{{ feature }}_centre
        ) / clustering.{{ feature }}_scale as {{ feature }},
        {%- endfor %}
        clustering.centroids
    from clusterable_customers
    cross join clustering

),

measured as (

    select
        customer_id,
        centroids,
        list_transform(
            centroids,
            lambda centroid:
            {%- for feature in clustering_features() %}
            pow({{ feature }} - centroid['{{ feature }}'], 2){{ ' +' if not loop.last }}
            {%- endfor %}
        ) as squared_distances
    from scaled

),

ranked as (

    select
        *,
        -- The first of equals, so the lowest id.
        list_position(squared_distances, list_min(squared_distances)) as nearest,
        list_sort(squared_distances) as ascending
    from measured

),

final as (

    select
        customer_id,
        centroids[nearest]['cluster_id'] as cluster_id,
        round(sqrt(ascending[1]), 6) as distance,
        round(coalesce(1 - sqrt(ascending[1] / nullif(ascending[2], 0)), 0), 6) as margin
    from ranked

)

select * from final
