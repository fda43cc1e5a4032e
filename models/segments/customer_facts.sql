{#- Where customers are today, and where they were on the days that segments are graded by. -#}
{%- set metrics = {'customer_clusters': 'customer_metrics', 'graded_clusters': 'customer_metrics_history'} -%}

-- depends_on: {{ ref('customer_segmentation', 'customer_clusters') }}
-- depends_on: {{ ref('customer_segmentation', 'graded_clusters') }}
-- depends_on: {{ ref('customer_segmentation', 'customer_metrics') }}
-- depends_on: {{ ref('customer_segmentation', 'customer_metrics_history') }}
with

limits as (

    {{ limits_by_version() }}

),

{% for clusters, metrics_then in metrics.items() -%}
{{ clusters }} as (

    select
        clusters.customer_id,
        metrics.as_of_date,
        {%- for fact, definition in customer_facts().items() %}
        {{ definition }} as is_{{ fact }},
        {%- endfor %}
        clusters.cluster_id
    from {{ ref('customer_segmentation', clusters) }} as clusters
    inner join {{ ref('customer_segmentation', metrics_then) }} as metrics
        on
            clusters.customer_id = metrics.customer_id
            {%- if clusters == 'graded_clusters' %}
            and clusters.as_of_date = metrics.as_of_date
            {%- endif %}
    inner join limits on clusters.model_version = limits.model_version

),

{% endfor -%}
final as (

    select * from customer_clusters
    union all
    select * from graded_clusters

)

select * from final
