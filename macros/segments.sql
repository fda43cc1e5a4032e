{#- Customers ranked below, counted twice, plus those ranked equal: whole numbers, so that their sums
    are exact. Divided by twice the number of customers it is the mid-rank, 0.5 on average. -#}
{% macro double_mid_rank(order_by) -%}
    rank() over (order by {{ order_by }}) - 1 + count(*) over (order by {{ order_by }})
{%- endmacro %}

{#- The mean mid-rank of a group of the customers ranked, from 0 to 1. -#}
{% macro mean_mid_rank(double_mid_rank) -%}
    round(sum({{ double_mid_rank }}) / (2 * count(*) * any_value(num_ranked)), 6)
{%- endmacro %}

{#- One of three words for a mean rank; the thirds are those that archetypes call low, medium, high. -#}
{% macro level_word(rank, low, medium, high) -%}
    case
        when {{ rank }} < 1 / 3 then '{{ low }}'
        when {{ rank }} < 2 / 3 then '{{ medium }}'
        else '{{ high }}'
    end
{%- endmacro %}
