{%- set values = rfm_values() -%}
with

customer_metrics_history as (

    select * from {{ ref('customer_segmentation', 'customer_metrics_history') }}

),

clusterable_customers as (

    {{ values_for_rfm('customer_metrics_history') }}

),

measured as (

    select
        {%- for score, value in values.items() %}
        quantile_cont(cast({{ value }} as double), [0.2, 0.4, 0.6, 0.8]) as {{ score }},
        {%- endfor %}
        as_of_date
    from clusterable_customers
    group by as_of_date

),

-- Rounded, since the last bits of an interpolation differ between machines, and customers stand at an edge.
final as (

    {%- for score in values %}
    select
        as_of_date,
        '{{ score }}' as score,
        unnest([1, 2, 3, 4]) as quintile,
        round(unnest({{ score }}), 6) as upper_edge
    from measured
    {{ 'union all' if not loop.last }}
    {%- endfor %}

)

select * from final
