{#- A fit as of a past day is graded on that day, the version that serves on the month starts since its fit. -#}
{%- set graded = {
    'past_fit': {'version': past_version('grades'), 'day': 'is_for_grading'},
    'serving': {'version': active_version(), 'day': 'is_for_grading_since'},
} -%}
with

clusters as (

    select
        model_version,
        stage,
        count(distinct cluster_id) as num_clusters
    from {{ ref('customer_segmentation', 'cluster_centroids') }}
    group by model_version, stage

),

{{ places_of_stages('places', 'clusters') }},

{% for name, fit in graded.items() -%}
{{ name }} as (

    select
        model_version,
        fitted_on
    from {{ ref('customer_segmentation', 'model_versions') }}
    where model_version = {{ fit.version }}

),

-- No fit is graded by days that it has seen.
{{ name }}_metrics as (

    select
        customer_metrics_history.customer_id,
        customer_metrics_history.as_of_date,
        {%- for feature in checked_var('candidate_features') %}
        cast(customer_metrics_history.{{ feature }} as double) as {{ feature }},
        {%- endfor %}
        customer_metrics_history.num_order_days as known_order_days,
        customer_metrics_history.mean_gap_days as known_mean_gap_days,
        customer_metrics_history.silence_days as known_silence_days
    from {{ ref('customer_segmentation', 'customer_metrics_history') }} as customer_metrics_history
    inner join {{ ref('customer_segmentation', 'metric_days') }} as metric_days
        on customer_metrics_history.as_of_date = metric_days.as_of_date and metric_days.{{ fit.day }}
    inner join {{ name }} on customer_metrics_history.as_of_date >= {{ name }}.fitted_on
    where customer_metrics_history.is_clusterable

),

{{ lifecycle_stages(name ~ '_staged', name ~ '_metrics', fit.version) }},

{{ name }}_customers as (

    select
        customer_id,
        as_of_date,
        {%- for feature in checked_var('candidate_features') %}
        {{ feature }},
        {%- endfor %}
        repurchase_probability,
        lifecycle_stage
    from {{ name }}_staged

),

{{ name }}_places as (

    select places.*
    from places
    inner join {{ name }} on places.model_version = {{ name }}.model_version

),

{{ scored(name ~ '_clustered', name ~ '_customers', fit.version, name ~ '_places') }},

{% endfor -%}
final as (

    {%- for name in graded %}
    select
        customer_id,
        as_of_date,
        model_version,
        cluster_id,
        repurchase_probability,
        lifecycle_stage
    from {{ name }}_clustered
    {{ 'union all' if not loop.last }}
    {%- endfor %}

)

select * from final
