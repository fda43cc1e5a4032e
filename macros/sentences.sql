{#- A share, and a list of values, as they stand in a sentence. -#}
{% macro in_percent(share) -%}
    round(100 * {{ share }}, 1) || ' %'
{%- endmacro %}

{% macro in_a_row(values) -%}
    array_to_string({{ values }}, ', ')
{%- endmacro %}
