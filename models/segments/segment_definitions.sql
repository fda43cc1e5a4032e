with

cluster_claims as (

    select cluster_claims.*
    from {{ ref('customer_segmentation', 'cluster_claims') }} as cluster_claims
    inner join {{ ref('customer_segmentation', 'as_of') }} as as_of on cluster_claims.as_of_date = as_of.as_of_date

),

segment_names as (

    {{ names_of_today() }}

),

segment_archetypes as (

    select * from {{ ref('customer_segmentation', 'segment_archetypes') }}

),

claims as (

    select * from {{ ref('customer_segmentation', 'claims') }}

),

limits as (

    {{ limits_of_active_version() }}

),

currency as (

    select currency as currency_code from {{ ref('customer_segmentation', 'as_of') }}

),

-- What to do with a cluster that bears no archetype: what fits the larger part of its members.
majorities as (

    select
        cluster_id,
        case
            when max(share_inside) filter (where claim = 'lapsed') > 0.5 then 'win_back'
            when max(share_inside) filter (where claim = 'once') > 0.5 then 'second_order'
            when max(share_inside) filter (where claim = 'high_value') > 0.5 then 'retain'
            else 'cross_sell'
        end as default_action
    from cluster_claims
    group by cluster_id

),

-- What the claims of a name say, for clusters that bear no archetype.
single_claims as (

    select
        cluster_id,
        unnest(string_split(claims, ' ')) as claim
    from segment_names
    where archetype is null

),

said as (

    select
        single_claims.cluster_id,
        string_agg(claims.says, '; ' order by claims.position) as says
    from single_claims
    inner join claims using (claim)
    group by single_claims.cluster_id

),

-- Of the stage, the orders and the amounts, the claim that tells the members most from others, with its shares.
telling as (

    select
        cluster_claims.cluster_id,
        claims.about,
        claims.position,
        {{ in_percent('cluster_claims.share_inside') }} || ' of them (others: '
        || {{ in_percent('cluster_claims.share_outside') }} || '): ' || claims.says as says
    from cluster_claims
    inner join claims using (claim)
    where round(cluster_claims.share_inside - cluster_claims.share_outside, 6) >= {{ var('min_claim_contrast') }}
    qualify
        row_number() over (
            partition by cluster_claims.cluster_id, claims.about
            order by cluster_claims.share_inside - cluster_claims.share_outside desc, claims.position
        ) = 1

),

told as (

    select
        cluster_id,
        string_agg(says, '; ' order by position) as says
    from telling
    group by cluster_id

),

from_clusters as (

    select
        cast(segment_names.cluster_id as varchar) as segment_id,
        segment_names.segment,
        segment_names.cluster_id,
        segment_names.archetype,
        coalesce(
            segment_archetypes.description,
            'Most of them have in common: ' || said.says || '.',
            'They are a mixture. What tells them from others: ' || told.says || '.',
            'They are a mixture that nothing much tells from others; look at their figures.'
        ) as description,
        coalesce(
            segment_archetypes.strategy,
            'No ready-made strategy fits them: look at their figures before you plan anything for all of them.'
        ) as strategy,
        coalesce(segment_archetypes.action, majorities.default_action) as action
    from segment_names
    inner join majorities using (cluster_id)
    left join said using (cluster_id)
    left join told using (cluster_id)
    left join segment_archetypes using (archetype)

),

-- Customers who can't be clustered have segments by rule; their archetypes have no claims.
from_rules as (

    select
        archetype as segment_id,
        name as segment,
        cast(null as integer) as cluster_id,
        archetype,
        description,
        strategy,
        action
    from segment_archetypes
    where archetype in ('no_order', 'no_order_in_window', 'nothing_left_after_returns')

),

all_segments as (

    select * from from_clusters
    union all
    select * from from_rules

),

final as (

    select
        all_segments.* replace (
            {{ with_limits('all_segments.description', 'limits', 'currency.currency_code') }} as description,
            {{ with_limits('all_segments.strategy', 'limits', 'currency.currency_code') }} as strategy
        )
    from all_segments
    cross join limits
    cross join currency

)

-- noqa: disable=AM04
select * from final
