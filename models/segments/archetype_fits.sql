with

fact_counts as (

    select * from {{ ref('customer_segmentation', 'fact_counts') }}

),

cluster_claims as (

    select * from {{ ref('customer_segmentation', 'cluster_claims') }}

),

archetypes as (

    select
        archetype,
        string_split(trim(claims), ' ') as claims
    from {{ ref('customer_segmentation', 'segment_archetypes') }}
    where claims is not null

),

single_claims as (

    select
        archetype,
        unnest(claims) as claim
    from archetypes

),

-- Who claims more says more: lapsed is more than quiet, which it implies.
counted as (

    select
        archetype,
        count(distinct claim) as num_claims
    from (
        select
            archetype,
            claim
        from single_claims
        union all
        select
            single_claims.archetype,
            unnest(string_split(claims.implies, ' ')) as claim
        from single_claims
        inner join {{ ref('customer_segmentation', 'claims') }} as claims using (claim)
    ) as all_claims
    group by archetype

),

-- The claim that fewest of the members fulfil.
least as (

    select
        cluster_claims.as_of_date,
        cluster_claims.cluster_id,
        single_claims.archetype,
        min(cluster_claims.share_inside) as least_share
    from cluster_claims
    inner join single_claims using (claim)
    group by cluster_claims.as_of_date, cluster_claims.cluster_id, single_claims.archetype

),

jointly as (

    select
        fact_counts.as_of_date,
        fact_counts.cluster_id,
        archetypes.archetype,
        sum(fact_counts.num_customers) as num_customers,
        coalesce(
            sum(fact_counts.num_customers) filter (where list_has_all(fact_counts.facts, archetypes.claims)), 0
        ) as num_holding
    from fact_counts
    cross join archetypes
    group by fact_counts.as_of_date, fact_counts.cluster_id, archetypes.archetype

),

claimed as (

    select
        jointly.*,
        least.least_share,
        counted.num_claims,
        least.least_share >= {{ var('min_claim_share') }} as has_claims
    from jointly
    inner join least using (as_of_date, cluster_id, archetype)
    inner join counted using (archetype)

),

compared as (

    select
        *,
        round(num_holding / num_customers, 6) as share_inside,
        -- Of the members of all segments that it does not fit; null if it fits every one.
        round(
            sum(num_holding) filter (where not has_claims) over (partition by as_of_date, archetype)
            / sum(num_customers) filter (where not has_claims) over (partition by as_of_date, archetype),
            6
        ) as share_outside,
        round(
            sum(num_holding) over (partition by as_of_date, archetype)
            / sum(num_customers) over (partition by as_of_date, archetype),
            6
        ) as share_of_customers
    from claimed

),

final as (

    select
        as_of_date,
        cluster_id,
        archetype,
        num_claims,
        least_share,
        share_inside,
        share_outside,
        share_of_customers,
        has_claims and coalesce(share_inside >= share_outside + {{ var('min_claim_contrast') }}, false) as is_borne
    from compared

)

select * from final
