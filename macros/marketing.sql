{#- The rules of targeting_rules.csv; columns that it lacks limit nothing, so that one of an earlier version still works. -#}
{% macro targeting_rules() -%}
    select * from {{ ref('customer_segmentation', 'targeting_rules') }}
    union all by name
    select
        cast(null as varchar) as lifecycle_stage,
        cast(null as double) as min_repurchase_probability,
        cast(null as double) as max_repurchase_probability,
        cast(null as integer) as min_days_since_last_order,
        cast(null as integer) as max_days_since_last_order,
        cast(null as integer) as min_num_orders,
        cast(null as integer) as max_num_orders,
        cast(null as double) as min_spend_rank,
        cast(null as double) as max_spend_rank,
        cast(null as integer) as max_days_until_lapse
    where false
{%- endmacro %}

{#- The customers to contact with one action, the most valuable first. -#}
{% macro eligible_targets(action) -%}
with

marketing_targets as (

    select * from {{ ref('customer_segmentation', 'marketing_targets') }}

),

final as (

    select
        customer_id,
        segment,
        priority,
        total_amount,
        num_orders,
        days_since_last_order,
        lifecycle_stage,
        repurchase_probability,
        changes_on,
        next_segment,
        lapses_on,
        consent_status,
        last_contacted_on,
        as_of_date
    from marketing_targets
    where action = '{{ action }}' and is_eligible

)

select * from final
order by priority, total_amount desc, customer_id
{%- endmacro %}
