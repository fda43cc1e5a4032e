{#- The customers to contact with one action, the most valuable first. -#}
{% macro eligible_targets(action) -%}
with

marketing_targets as (

    select * from {{ ref('marketing_targets') }}

),

final as (

    select
        customer_id,
        segment,
        priority,
        total_amount,
        num_orders,
        days_since_last_order,
        consent_status,
        last_contacted_on,
        as_of_date
    from marketing_targets
    where action = '{{ action }}' and is_eligible

)

select * from final
order by priority, total_amount desc, customer_id
{%- endmacro %}
