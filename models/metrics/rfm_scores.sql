{{ config(materialized='view') }}
{%- set values = rfm_values() -%}
with

clusterable_customers as (

    {{ customers_for_rfm() }}

),

thresholds as (

    select
        {%- for score in values %}
        {%- for quintile in [1, 2, 3, 4] %}
        max(upper_edge) filter (where score = '{{ score }}' and quintile = {{ quintile }}) as {{ score }}_{{ quintile }},
        {%- endfor %}
        {%- endfor %}
        as_of_date
    from {{ ref('rfm_thresholds') }}
    group by as_of_date

),

groups as (

    select * from {{ ref('rfm_groups') }}

),

-- How many quintiles are left behind.
placed as (

    select
        {%- for score, value in values.items() %}
        {%- for quintile in [1, 2, 3, 4] %}
        cast(cast(clusterable_customers.{{ value }} as double) > thresholds.{{ score }}_{{ quintile }} as integer)
        {{- ' as ' ~ score ~ '_above,' if loop.last else ' +' }}
        {%- endfor %}
        {%- endfor %}
        clusterable_customers.customer_id,
        clusterable_customers.as_of_date
    from clusterable_customers
    inner join thresholds on clusterable_customers.as_of_date = thresholds.as_of_date

),

scored as (

    select
        customer_id,
        as_of_date,
        -- Fewer days since the last order are better.
        5 - recency_above as recency_score,
        1 + frequency_above as frequency_score,
        1 + monetary_above as monetary_score
    from placed

),

final as (

    select
        scored.customer_id,
        scored.as_of_date,
        scored.recency_score,
        scored.frequency_score,
        scored.monetary_score,
        concat(scored.recency_score, scored.frequency_score, scored.monetary_score) as rfm_code,
        groups.rfm_group
    from scored
    left join groups
        on
            scored.recency_score between groups.min_recency_score and groups.max_recency_score
            and scored.frequency_score between groups.min_frequency_score and groups.max_frequency_score

)

select * from final
