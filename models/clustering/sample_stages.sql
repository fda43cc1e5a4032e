{#- Before a fit: whether segmentation: stages can be done, which depends on how many stages there are. -#}
{%- set stages_are_asked_for = var('segmentation') == 'stages' -%}
{%- set most = var('segment_count_range')[1] if var('segment_count') == 'auto' else var('segment_count') -%}

-- depends_on: {{ ref('customer_segmentation', 'restored_registry') }}
with

sampled_customers as (

    select
        customer_metrics.customer_id,
        customer_metrics.num_order_days as known_order_days,
        customer_metrics.mean_gap_days as known_mean_gap_days,
        customer_metrics.silence_days as known_silence_days
    from {{ ref('customer_segmentation', 'customer_metrics') }} as customer_metrics
    semi join {{ ref('customer_segmentation', 'clustering_sample') }} using (customer_id)

),

sampled_now as (

    select
        *,
        {{ newest_version() }} as model_version
    from sampled_customers

),

sampled_before as (

    select
        *,
        {{ version_before_the_newest() }} as model_version
    from sampled_customers

),

{{ lifecycle_stages('staged', 'sampled_now') }},

{{ lifecycle_stages('staged_before', 'sampled_before') }},

{% if stages_are_asked_for -%}
shares as (

    select
        lifecycle_stage,
        count(*) / sum(count(*)) over () as share
    from staged
    group by lifecycle_stage

),

-- As stages_of_their_own() counts them.
counted as (

    select count(*) filter (
        where share >= least({{ var('min_segment_share') }}, (
            select max(known.share) from shares as known where known.lifecycle_stage != 'unknown'
        ))
    ) as num_stages
    from shares
    where lifecycle_stage != 'unknown'

),

problems as (

    select
        case
            when num_stages = 0
                then 'segmentation: stages need a repurchase curve, and the history is too short for one;'
                    || ' metrics.repurchase_windows says why. Set segmentation to auto, or bring more orders.'
            else 'segmentation: ' || num_stages || ' lifecycle stages are more than {{ most }} segments. Set'
                || ' {{ "segment_count_range" if var("segment_count") == "auto" else "segment_count" }} higher, or'
                || ' segmentation to auto.'
        end as problem
    from counted
    where
        num_stages not between 1 and {{ most }}
        and {{ newest_version() }} not in (select centroids.model_version from {{ known_centroids() }} as centroids)

),

{% endif -%}
final as (

    select
        staged.customer_id,
        staged.lifecycle_stage,
        staged_before.lifecycle_stage as previous_lifecycle_stage
    from staged
    inner join staged_before using (customer_id)
    {%- if stages_are_asked_for %}
    left join problems on true
    where problems.problem is null or error(problems.problem) is null
    {%- endif %}

)

select * from final
