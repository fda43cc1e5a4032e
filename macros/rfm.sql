{#- What the three scores of RFM are made of. -#}
{% macro rfm_values() -%}
    {{ return({
        'recency': 'days_since_last_order',
        'frequency': 'frequency_rank' if var('rfm_ties') == 'rank' else 'num_orders',
        'monetary': 'total_amount',
    }) }}
{%- endmacro %}

{#- Who is scored, as of each metric day: the customers who can be clustered, so that both are about the same people. With
    `rfm_ties: rank` customers with as many orders are ranked by their ids, as many published tables do. -#}
{% macro customers_for_rfm() -%}
    select
        customer_id,
        as_of_date,
        days_since_last_order,
        {%- if var('rfm_ties') == 'rank' %}
        row_number() over (partition by as_of_date order by num_orders, customer_id) as frequency_rank,
        {%- else %}
        num_orders,
        {%- endif %}
        total_amount
    from {{ ref('customer_metrics_history') }}
    where is_clusterable
{%- endmacro %}
