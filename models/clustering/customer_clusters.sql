with

clusterable_customers as (

    select * from {{ ref('customer_metrics') }}
    where is_clusterable

),

cluster_centroids as (

    select * from {{ ref('cluster_centroids') }}

),

-- The whole clustering in one row: scaling per feature, and the centroids in the order of their ids.
clustering as (

    select
        {%- for feature in clustering_features() %}
        any_value(transform) filter (where feature = '{{ feature }}') as {{ feature }}_transform,
        any_value(centre) filter (where feature = '{{ feature }}') as {{ feature }}_centre,
        any_value(scale) filter (where feature = '{{ feature }}') as {{ feature }}_scale,
        list(centroid order by cluster_id) filter (where feature = '{{ feature }}') as {{ feature }}_centroids,
        {%- endfor %}
        list_sort(list(distinct cluster_id)) as cluster_ids
    from cluster_centroids

),

scaled as (

    select
        clusterable_customers.customer_id,
        {%- for feature in clustering_features() %}
        (
            case
                when clustering.{{ feature }}_transform = 'log1p' then ln(1 + cast({{ feature }} as double))
                else cast({{ feature }} as double)
            end - clustering.{{ feature }}_centre
        ) / clustering.{{ feature }}_scale as {{ feature }},
        {%- endfor %}
        clustering.cluster_ids,
        {%- for feature in clustering_features() %}
        clustering.{{ feature }}_centroids{{ ',' if not loop.last }}
        {%- endfor %}
    from clusterable_customers
    cross join clustering

),

measured as (

    select
        customer_id,
        cluster_ids,
        list_transform(
            cluster_ids,
            lambda cluster_id, position:
            {%- for feature in clustering_features() %}
            pow({{ feature }} - {{ feature }}_centroids[position], 2){{ ' +' if not loop.last }}
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
        cluster_ids[nearest] as cluster_id,
        round(sqrt(ascending[1]), 6) as distance,
        round(coalesce(1 - sqrt(ascending[1] / nullif(ascending[2], 0)), 0), 6) as margin
    from ranked

)

select * from final
