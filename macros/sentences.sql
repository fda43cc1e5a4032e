{#- A share, a list of values and an amount, as they stand in a sentence. -#}
{% macro in_percent(share) -%}
    format('{:g} %', round(100 * {{ share }}, 1))
{%- endmacro %}

{% macro in_a_row(values) -%}
    array_to_string({{ values }}, ', ')
{%- endmacro %}

{% macro in_currency(amount, currency) -%}
    coalesce({{ currency }} || ' ', '') || format('{:,.2f}', {{ amount }})
{%- endmacro %}
