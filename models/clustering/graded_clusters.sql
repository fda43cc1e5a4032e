{#- The fit of the past that this run made, else the version that scores. -#}
{%- set graded_version = 'coalesce(' ~ past_version('grades') ~ ', ' ~ active_version() ~ ')' -%}
with

graded_fit as (

    select
        model_version,
        fitted_on
    from {{ ref('model_versions') }}
    where model_version = {{ graded_version }}

),

-- No fit is graded by days that it has seen.
clusterable_customers as (

    select
        customer_metrics_history.customer_id,
        customer_metrics_history.as_of_date,
        {%- for feature in checked_var('candidate_features') %}
        cast(customer_metrics_history.{{ feature }} as double) as {{ feature }},
        {%- endfor %}
        customer_metrics_history.num_order_days as known_order_days,
        customer_metrics_history.mean_gap_days as known_mean_gap_days,
        customer_metrics_history.silence_days as known_silence_days
    from {{ ref('customer_metrics_history') }} as customer_metrics_history
    inner join {{ ref('metric_days') }} as metric_days
        on customer_metrics_history.as_of_date = metric_days.as_of_date and metric_days.is_for_grading
    inner join graded_fit on customer_metrics_history.as_of_date >= graded_fit.fitted_on
    where customer_metrics_history.is_clusterable

),

{{ lifecycle_stages('staged', 'clusterable_customers', graded_version) }},

customers as (

    select
        customer_id,
        as_of_date,
        {%- for feature in checked_var('candidate_features') %}
        {{ feature }},
        {%- endfor %}
        repurchase_probability,
        lifecycle_stage
    from staged

),

clusters as (

    select
        cluster_centroids.model_version,
        cluster_centroids.stage,
        count(distinct cluster_centroids.cluster_id) as num_clusters
    from {{ ref('cluster_centroids') }} as cluster_centroids
    inner join graded_fit on cluster_centroids.model_version = graded_fit.model_version
    group by cluster_centroids.model_version, cluster_centroids.stage

),

{{ places_of_stages('places', 'clusters') }},

{{ scored('clustered', 'customers', graded_version, 'places') }},

final as (

    select
        customer_id,
        as_of_date,
        model_version,
        cluster_id,
        repurchase_probability,
        lifecycle_stage
    from clustered

)

select * from final
