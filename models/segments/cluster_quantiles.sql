{%- set metrics = range_metrics() -%}
with

-- Today, and on the days that segments are graded by.
placed as (

    select
        customer_metrics.as_of_date,
        {%- for metric in metrics %}
        cast(customer_metrics.{{ metric }} as double) as {{ metric }},
        {%- endfor %}
        customer_clusters.cluster_id
    from {{ ref('customer_segmentation', 'customer_clusters') }} as customer_clusters
    inner join {{ ref('customer_segmentation', 'customer_metrics') }} as customer_metrics using (customer_id)
    union all
    select
        graded_clusters.as_of_date,
        {%- for metric in metrics %}
        cast(customer_metrics_history.{{ metric }} as double) as {{ metric }},
        {%- endfor %}
        graded_clusters.cluster_id
    from {{ ref('customer_segmentation', 'graded_clusters') }} as graded_clusters
    inner join {{ ref('customer_segmentation', 'customer_metrics_history') }} as customer_metrics_history
        on
            graded_clusters.customer_id = customer_metrics_history.customer_id
            and graded_clusters.as_of_date = customer_metrics_history.as_of_date

),

measured as (

    select
        {%- for metric in metrics %}
        quantile_disc({{ metric }}, [step / 200 for step in range(1, 201)]) as {{ metric }},
        {%- endfor %}
        count(*) as num_customers,
        as_of_date,
        cluster_id
    from placed
    group by as_of_date, cluster_id

),

final as (

    {%- for metric in metrics %}
    select
        as_of_date,
        cluster_id,
        '{{ metric }}' as metric,
        num_customers,
        {{ metric }} as quantiles
    from measured
    {{ 'union all' if not loop.last }}
    {%- endfor %}

)

select * from final
