with

model_versions as (

    select * from {{ ref('customer_segmentation', 'model_versions') }}
    where purpose = 'serves'

),

clusters as (

    select distinct
        model_version,
        stage,
        cluster_id,
        share_at_fit,
        overlap,
        parents
    from {{ ref('customer_segmentation', 'cluster_centroids') }}
    where model_version in (select model_versions.model_version from model_versions)

),

decisions as (

    select
        model_version,
        any_value(reason) as segment_count_because
    from {{ ref('customer_segmentation', 'stages') }}
    group by model_version

),

segment_names as (

    select * from {{ ref('customer_segmentation', 'segment_names') }}
    where named_because != 'graded'

),

-- What a cluster was called last under each version, and the day from which on.
named as (

    select
        model_version,
        cluster_id,
        max_by(archetype, as_of_date) as archetype,
        max_by(segment, as_of_date) as segment,
        max(as_of_date) filter (where named_because != 'kept' or is_first) as named_on,
        max_by(named_because, as_of_date) filter (where named_because != 'kept' or is_first) as named_because
    from (
        select
            *,
            as_of_date = min(as_of_date) over (partition by model_version, cluster_id) as is_first
        from segment_names
    ) as days
    group by model_version, cluster_id

),

versions as (

    select
        model_version,
        lag(model_version) over (order by model_version) as previous_version,
        lead(model_version) over (order by model_version) as next_version
    from (select distinct clusters.model_version from clusters) as fits

),

present as (

    select
        clusters.*,
        case when clusters.overlap is null then 'new' else 'kept' end as status
    from clusters

),

-- A cluster that the next version does not have is retired by it.
retired as (

    select
        versions.next_version as model_version,
        clusters.stage,
        clusters.cluster_id,
        cast(null as double) as share_at_fit,
        cast(null as double) as overlap,
        cast(null as varchar) as parents,
        'retired' as status
    from clusters
    inner join versions using (model_version)
    anti join clusters as later
        on versions.next_version = later.model_version and clusters.cluster_id = later.cluster_id
    where versions.next_version is not null

),

history as (

    select * from present
    union all
    select * from retired

),

final as (

    select
        history.model_version,
        history.cluster_id,
        history.status,
        history.stage,
        history.overlap,
        history.parents,
        history.share_at_fit,
        coalesce(named.archetype, before.archetype) as archetype,
        coalesce(named.segment, before.segment) as segment,
        named.named_on,
        named.named_because,
        model_versions.fitted_on,
        model_versions.due_because,
        decisions.segment_count_because,
        model_versions.origin,
        history.model_version = {{ active_version() }} as is_active
    from history
    inner join model_versions using (model_version)
    inner join versions using (model_version)
    left join decisions on history.model_version = decisions.model_version
    left join named
        on history.model_version = named.model_version and history.cluster_id = named.cluster_id
    left join named as before
        on versions.previous_version = before.model_version and history.cluster_id = before.cluster_id

)

select * from final
