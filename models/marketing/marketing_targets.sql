{{ config(materialized='table') }}

with

customer_segments as not materialized (

    select * from {{ ref('customer_segmentation', 'customer_segments') }}

),

segment_definitions as (

    select * from {{ ref('customer_segmentation', 'segment_definitions') }}

),

segment_countdown as (

    select
        customer_id,
        changes_on,
        next_segment,
        days_until_lapse,
        lapses_on
    from {{ ref('customer_segmentation', 'segment_countdown') }}

),

stg_customers as (

    select * from {{ ref('customer_segmentation', 'stg_customers') }}

),

targeting_rules as (

    {{ targeting_rules() }}

),

-- The rules in one row, first to last: each customer takes the first that fits.
rules as (

    select list(targeting_rules order by priority) as rules -- noqa: RF02
    from targeting_rules -- noqa: AL05

),

-- Narrow, since a window carries every column of its input along.
spend_ranks as (

    select
        customer_id,
        cume_dist() over (order by total_amount) as spend_rank
    from customer_segments
    where is_clusterable

),

ranked as (

    select
        customer_segments.*,
        spend_ranks.spend_rank,
        segment_countdown.changes_on,
        segment_countdown.next_segment,
        segment_countdown.days_until_lapse,
        segment_countdown.lapses_on,
        rules.rules
    from customer_segments
    left join spend_ranks using (customer_id)
    left join segment_countdown using (customer_id)
    cross join rules

),

ruled as (

    select
        *,
        case
            when is_clusterable
                then list_filter(
                    rules,
                    lambda rule:
                    coalesce(
                        lifecycle_stage = cast(rule['lifecycle_stage'] as varchar),
                        rule['lifecycle_stage'] is null
                    )
                    and coalesce(
                        repurchase_probability >= rule['min_repurchase_probability'],
                        rule['min_repurchase_probability'] is null
                    )
                    and coalesce(
                        repurchase_probability <= rule['max_repurchase_probability'],
                        rule['max_repurchase_probability'] is null
                    )
                    and coalesce(days_since_last_order >= rule['min_days_since_last_order'], true)
                    and coalesce(days_since_last_order <= rule['max_days_since_last_order'], true)
                    and coalesce(num_orders >= rule['min_num_orders'], true)
                    and coalesce(num_orders <= rule['max_num_orders'], true)
                    and coalesce(spend_rank >= rule['min_spend_rank'], true)
                    and coalesce(spend_rank <= rule['max_spend_rank'], true)
                    and coalesce(days_until_lapse <= rule['max_days_until_lapse'], rule['max_days_until_lapse'] is null)
                )[1]
        end as matched_rule
    from ranked

),

joined as (

    select
        ruled.customer_id,
        ruled.segment_id,
        ruled.segment,
        coalesce(cast(ruled.matched_rule['action'] as varchar), segment_definitions.action) as action,
        coalesce(cast(ruled.matched_rule['rule'] as varchar), 'segment') as action_source,
        case when ruled.spend_rank >= 0.8 then 1 when ruled.spend_rank >= 0.5 then 2 else 3 end as priority,
        case
            when stg_customers.has_consent then 'given'
            when not stg_customers.has_consent then 'refused'
            else 'unknown'
        end as consent_status,
        stg_customers.last_contacted_on,
        ruled.total_amount,
        ruled.num_orders,
        ruled.days_since_last_order,
        ruled.lifecycle_stage,
        ruled.repurchase_probability,
        ruled.changes_on,
        ruled.next_segment,
        ruled.lapses_on,
        case
            when stg_customers.is_unsubscribed then 'unsubscribed'
            when not stg_customers.has_consent then 'no_consent'
            when stg_customers.has_consent is null and not {{ var('unknown_consent_is_eligible') }}
                then 'unknown_consent'
            when not ruled.is_clusterable and ruled.not_clusterable_reason != 'no_order_in_window'
                then ruled.not_clusterable_reason
            when coalesce(cast(ruled.matched_rule['action'] as varchar), segment_definitions.action) = 'none'
                then 'no_action'
            when stg_customers.last_contacted_on >= ruled.as_of_date - interval {{ var('contact_pause_days') }} day
                then 'recently_contacted'
            when stg_customers.has_unreadable_contact then 'unreadable_contact'
        end as suppressed_reason,
        ruled.as_of_date
    from ruled
    left join segment_definitions using (segment_id)
    left join stg_customers using (customer_id)

),

final as (

    select
        *,
        suppressed_reason is null as is_eligible
    from joined

)

select * from final
