{#- Customers ranked below, counted twice, plus those ranked equal: whole numbers, so that their sums
    are exact. Divided by twice the number of customers it is the mid-rank, 0.5 on average. -#}
{% macro double_mid_rank(order_by) -%}
    rank() over (order by {{ order_by }}) - 1 + count(*) over (order by {{ order_by }})
{%- endmacro %}

{#- What the clusters of the version that scores are called as of today. -#}
{% macro names_of_today() -%}
    select segment_names.*
    from {{ ref('customer_segmentation', 'segment_names') }} as segment_names
    inner join {{ ref('customer_segmentation', 'as_of') }} as as_of on segment_names.as_of_date = as_of.as_of_date
    where segment_names.model_version = {{ active_version() }}
{%- endmacro %}
