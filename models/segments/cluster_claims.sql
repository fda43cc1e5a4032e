with

fact_counts as (

    select * from {{ ref('customer_segmentation', 'fact_counts') }}

),

claims as (

    select * from {{ ref('customer_segmentation', 'claims') }}

),

clusters as (

    select
        as_of_date,
        cluster_id,
        sum(num_customers) as num_customers,
        sum(sum(num_customers)) over (partition by as_of_date) as num_all_customers
    from fact_counts
    group by as_of_date, cluster_id

),

held as (

    select
        as_of_date,
        cluster_id,
        unnest(facts) as claim,
        num_customers
    from fact_counts

),

counted as (

    select
        clusters.as_of_date,
        clusters.cluster_id,
        claims.claim,
        any_value(clusters.num_customers) as num_customers,
        any_value(clusters.num_all_customers) as num_all_customers,
        coalesce(sum(held.num_customers), 0) as num_holding
    from clusters
    cross join claims
    left join held
        on
            clusters.as_of_date = held.as_of_date
            and clusters.cluster_id = held.cluster_id
            and claims.claim = held.claim
    group by clusters.as_of_date, clusters.cluster_id, claims.claim

),

final as (

    select
        as_of_date,
        cluster_id,
        claim,
        cast(num_holding as bigint) as num_holding,
        round(num_holding / num_customers, 6) as share_inside,
        round(
            (sum(num_holding) over (partition by as_of_date, claim) - num_holding)
            / nullif(num_all_customers - num_customers, 0),
            6
        ) as share_outside
    from counted

)

select * from final
