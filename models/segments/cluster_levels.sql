-- Mean ranks, not means: they don't depend on currency or on a few very large customers.
with

clustering_sample as (

    select customer_id from {{ ref('clustering_sample') }}

),

customer_clusters as (

    select * from {{ ref('customer_clusters') }}

),

customer_metrics as (

    select * from {{ ref('customer_metrics') }}

),

sampled as (

    select
        customer_clusters.cluster_id,
        customer_metrics.days_since_last_order,
        customer_metrics.num_orders,
        customer_metrics.total_amount
    from clustering_sample
    inner join customer_clusters using (customer_id)
    inner join customer_metrics using (customer_id)

),

ranked as (

    select
        cluster_id,
        {{ double_mid_rank('days_since_last_order desc') }} as recency,
        {{ double_mid_rank('num_orders') }} as frequency,
        {{ double_mid_rank('total_amount') }} as value,
        count(*) over () as num_ranked
    from sampled

),

final as (

    select
        cluster_id,
        {{ mean_mid_rank('recency') }} as recency,
        {{ mean_mid_rank('frequency') }} as frequency,
        {{ mean_mid_rank('value') }} as value
    from ranked
    group by cluster_id

)

select * from final
