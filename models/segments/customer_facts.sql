{#- Where customers are today, and where they were on the days that segments are graded by; each with the limits of the
    version that placed them. -#}
{%- set places = {
    'customer_clusters': {'metrics': 'customer_metrics', 'version': active_version()},
    'graded_clusters': {
        'metrics': 'customer_metrics_history',
        'version': '(select max(graded.model_version) from ' ~ ref('graded_clusters') ~ ' as graded)',
    },
} -%}

-- depends_on: {{ ref('customer_clusters') }}, {{ ref('graded_clusters') }}
-- depends_on: {{ ref('customer_metrics') }}, {{ ref('customer_metrics_history') }}
with

{% for clusters, place in places.items() -%}
limits_of_{{ clusters }} as (

    {{ limits_of(place.version) }}

),

{{ clusters }} as (

    select
        clusters.customer_id,
        metrics.as_of_date,
        {%- for fact, definition in customer_facts().items() %}
        {{ definition }} as is_{{ fact }},
        {%- endfor %}
        clusters.cluster_id
    from {{ ref(clusters) }} as clusters
    inner join {{ ref(place.metrics) }} as metrics
        on
            clusters.customer_id = metrics.customer_id
            {%- if clusters == 'graded_clusters' %}
            and clusters.as_of_date = metrics.as_of_date
            {%- endif %}
    cross join limits_of_{{ clusters }}

),

{% endfor -%}
final as (

    select * from customer_clusters
    union all
    select * from graded_clusters

)

select * from final
