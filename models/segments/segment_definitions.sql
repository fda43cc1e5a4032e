with

cluster_levels as (

    select * from {{ ref('cluster_levels') }}

),

cluster_archetypes as (

    select * from {{ ref('cluster_archetypes') }}
    where model_version = {{ active_version() }}

),

segment_archetypes as (

    select * from {{ ref('segment_archetypes') }}

),

-- What to call a cluster that resembles no archetype, and what to do with it.
described as (

    select
        *,
        {{ level_word('recency', 'Lapsed', 'Slowing', 'Recent') }} || ', '
        || {{ level_word('frequency', 'rare', 'occasional', 'frequent') }} || ', '
        || {{ level_word('value', 'small', 'medium', 'big') }} || ' spenders' as words,
        case
            when recency < 1 / 3 then 'win_back'
            when recency >= 2 / 3 and frequency < 1 / 3 then 'second_order'
            when value >= 2 / 3 then 'retain'
            else 'cross_sell'
        end as default_action
    from cluster_levels

),

from_clusters as (

    select
        cast(described.cluster_id as varchar) as segment_id,
        coalesce(
            segment_archetypes.segment,
            case
                when count(*) over (partition by described.words, segment_archetypes.segment is null) = 1
                    then described.words
                else described.words || ' (cluster ' || described.cluster_id || ')'
            end
        ) as segment,
        described.cluster_id,
        cluster_archetypes.archetype,
        described.recency,
        described.frequency,
        described.value,
        coalesce(
            segment_archetypes.description,
            'They resemble no archetype; the name says where they stand among all customers.'
        ) as description,
        coalesce(
            segment_archetypes.strategy, 'Look at their profile, then describe them in segment_archetypes.csv.'
        ) as strategy,
        coalesce(segment_archetypes.action, described.default_action) as action
    from described
    inner join cluster_archetypes using (cluster_id)
    left join segment_archetypes using (archetype)

),

-- Customers who can't be clustered have segments by rule; their archetypes have no levels.
from_rules as (

    select
        archetype as segment_id,
        segment,
        null as cluster_id,
        archetype,
        null as recency,
        null as frequency,
        null as value,
        description,
        strategy,
        action
    from segment_archetypes
    where archetype in ('no_order', 'no_order_in_window', 'nothing_left_after_returns')

),

final as (

    select * from from_clusters
    union all
    select * from from_rules

)

select * from final
