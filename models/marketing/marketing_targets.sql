{{ config(materialized='table') }}

with

customer_segments as (

    select * from {{ ref('customer_segments') }}

),

segment_definitions as (

    select * from {{ ref('segment_definitions') }}

),

stg_customers as (

    select * from {{ ref('stg_customers') }}

),

-- The rules in one row, first to last: each customer takes the first that fits.
rules as (

    select list(targeting_rules order by priority, rule) as rules
    from {{ ref('targeting_rules') }} as targeting_rules

),

ranked as (

    select
        *,
        case when is_clusterable then cume_dist() over (partition by is_clusterable order by total_amount) end as spend_rank
    from customer_segments

),

ruled as (

    select
        ranked.*,
        case
            when ranked.is_clusterable
                then list_filter(
                    rules.rules,
                    lambda rule:
                    coalesce(ranked.days_since_last_order >= rule.min_days_since_last_order, true)
                    and coalesce(ranked.days_since_last_order <= rule.max_days_since_last_order, true)
                    and coalesce(ranked.num_orders >= rule.min_num_orders, true)
                    and coalesce(ranked.num_orders <= rule.max_num_orders, true)
                    and coalesce(ranked.spend_rank >= rule.min_spend_rank, true)
                    and coalesce(ranked.spend_rank <= rule.max_spend_rank, true)
                )[1]
        end as rule
    from ranked
    cross join rules

),

joined as (

    select
        ruled.customer_id,
        ruled.segment_id,
        ruled.segment,
        coalesce(ruled.rule.action, segment_definitions.action) as action,
        coalesce(ruled.rule.rule, 'segment') as action_source,
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
        case
            when stg_customers.is_unsubscribed then 'unsubscribed'
            when not stg_customers.has_consent then 'no_consent'
            when stg_customers.has_consent is null and not {{ true_or_false('unknown_consent_is_eligible') }}
                then 'unknown_consent'
            when not ruled.is_clusterable and ruled.not_clusterable_reason != 'no_order_in_window'
                then ruled.not_clusterable_reason
            when coalesce(ruled.rule.action, segment_definitions.action) = 'none' then 'no_action'
            when stg_customers.last_contacted_on >= ruled.as_of_date - {{ whole_number('contact_pause_days') }}
                then 'recently_contacted'
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
