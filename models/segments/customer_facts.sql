with

customer_metrics as (

    select * from {{ ref('customer_metrics') }}

),

customer_clusters as (

    select * from {{ ref('customer_clusters') }}

),

limits as (

    {{ limits_of_active_version() }}

),

final as (

    select
        customer_clusters.customer_id,
        {%- for fact, definition in customer_facts().items() %}
        {{ definition }} as is_{{ fact }},
        {%- endfor %}
        customer_clusters.cluster_id
    from customer_clusters
    inner join customer_metrics using (customer_id)
    cross join limits

)

select * from final
