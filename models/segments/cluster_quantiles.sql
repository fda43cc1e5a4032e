{%- set metrics = range_metrics() -%}
with

customer_clusters as (

    select
        customer_id,
        cluster_id
    from {{ ref('customer_clusters') }}

),

customer_metrics as (

    select * from {{ ref('customer_metrics') }}

),

placed as (

    select
        customer_clusters.cluster_id,
        {%- for metric in metrics %}
        cast(customer_metrics.{{ metric }} as double) as {{ metric }},
        {%- endfor %}
        customer_metrics.customer_id
    from customer_clusters
    inner join customer_metrics using (customer_id)

),

measured as (

    select
        {%- for metric in metrics %}
        quantile_disc({{ metric }}, [step / 200 for step in range(1, 201)]) as {{ metric }},
        {%- endfor %}
        count(*) as num_customers,
        cluster_id
    from placed
    group by cluster_id

),

final as (

    {%- for metric in metrics %}
    select
        cluster_id,
        '{{ metric }}' as metric,
        num_customers,
        {{ metric }} as quantiles
    from measured
    {{ 'union all' if not loop.last }}
    {%- endfor %}

)

select * from final
