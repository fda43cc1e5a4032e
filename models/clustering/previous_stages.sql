-- As the database was when this run began; of a fresh one the versions of a registry.
with

centroids as (

    select * from {{ known_centroids() }}

),

final as (

    select
        model_version,
        stage,
        count(distinct cluster_id) as num_clusters
    from centroids
    where model_version = {{ version_before_the_newest() }}
    group by model_version, stage

)

select * from final
