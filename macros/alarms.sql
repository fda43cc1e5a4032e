{#- Warns of each alarm that rings, if this run made the table of them. -#}
{% macro tell_input_alarms() -%}
    {%- for result in results if execute and result.node.name == 'input_alarms' and result.status == 'success' -%}
        {%- for row in run_query("select sentence from " ~ result.node.relation_name ~ " order by alarm").rows -%}
            {%- do exceptions.warn(row.sentence) -%}
        {%- endfor -%}
    {%- endfor -%}
{%- endmacro %}

{#- A share, and a list of values, as they stand in a sentence. -#}
{% macro in_percent(share) -%}
    round(100 * {{ share }}, 1) || ' %'
{%- endmacro %}

{% macro in_a_row(values) -%}
    array_to_string({{ values }}, ', ')
{%- endmacro %}
