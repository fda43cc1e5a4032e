{#- What the three scores of RFM are made of. -#}
{% macro rfm_values() -%}
    {{ return({
        'recency': 'days_since_last_order',
        'frequency': 'frequency_rank' if var('rfm_ties') == 'rank' else 'num_orders',
        'monetary': 'total_amount',
    }) }}
{%- endmacro %}

{#- The values of the customers who can be clustered, so that RFM and the segments are about the same people. With
    `rfm_ties: rank` customers with as many orders are ranked by their ids, as many published tables have it. `customers`
    names a relation of metrics, with all customers of its days; its columns `carried` stay. -#}
{% macro values_for_rfm(customers, carried=[]) -%}
    select
        customer_id,
        as_of_date,
        {%- for column in carried if column not in rfm_values().values() %}
        {{ column }},
        {%- endfor %}
        days_since_last_order,
        {%- if var('rfm_ties') == 'rank' %}
        row_number() over (partition by as_of_date order by num_orders, customer_id) as frequency_rank,
        {%- else %}
        num_orders,
        {%- endif %}
        total_amount
    from {{ customers }}
    where is_clusterable
{%- endmacro %}

{#- Customers with their scores and group, as the relation `name`; `customers` and `carried` as for values_for_rfm. -#}
{% macro scored_by_rfm(name, customers, carried=[]) -%}
{{ name }}_values as (

    {{ values_for_rfm(customers, carried) }}

),

{{ name }}_thresholds as (

    select
        {%- for score in rfm_values() %}
        {%- for quintile in [1, 2, 3, 4] %}
        max(upper_edge) filter (where score = '{{ score }}' and quintile = {{ quintile }}) as {{ score }}_{{ quintile }},
        {%- endfor %}
        {%- endfor %}
        as_of_date
    from {{ ref('customer_segmentation', 'rfm_thresholds') }}
    group by as_of_date

),

-- How many quintiles are left behind.
{{ name }}_placed as (

    select
        {%- for score, value in rfm_values().items() %}
        {%- for quintile in [1, 2, 3, 4] %}
        cast(cast(customers.{{ value }} as double) > thresholds.{{ score }}_{{ quintile }} as integer)
        {{- ' as ' ~ score ~ '_above,' if loop.last else ' +' }}
        {%- endfor %}
        {%- endfor %}
        {%- for column in carried %}
        customers.{{ column }},
        {%- endfor %}
        customers.customer_id,
        customers.as_of_date
    from {{ name }}_values as customers
    inner join {{ name }}_thresholds as thresholds on customers.as_of_date = thresholds.as_of_date

),

{{ name }}_scores as (

    select
        customer_id,
        as_of_date,
        {%- for column in carried %}
        {{ column }},
        {%- endfor %}
        -- Fewer days since the last order are better.
        5 - recency_above as recency_score,
        1 + frequency_above as frequency_score,
        1 + monetary_above as monetary_score
    from {{ name }}_placed

),

{{ name }} as (

    select
        scores.customer_id,
        scores.as_of_date,
        {%- for column in carried %}
        scores.{{ column }},
        {%- endfor %}
        scores.recency_score,
        scores.frequency_score,
        scores.monetary_score,
        concat(scores.recency_score, scores.frequency_score, scores.monetary_score) as rfm_code,
        rfm_groups.rfm_group
    from {{ name }}_scores as scores
    left join {{ ref('customer_segmentation', 'rfm_groups') }} as rfm_groups
        on
            scores.recency_score between rfm_groups.min_recency_score and rfm_groups.max_recency_score
            and scores.frequency_score between rfm_groups.min_frequency_score and rfm_groups.max_frequency_score

)
{%- endmacro %}
