{#- What a test of a key shows of the rows of each: how many there are, and which of these columns are null. -#}
{% macro nulls_in_rows(columns) -%}
    count(*) as num_rows
    {%- if columns %},
    concat_ws(', '
        {%- for column in columns %}, case when count({{ column }}) < count(*) then '{{ column }}' end{% endfor %}) as null_columns
    {%- endif %}
{%- endmacro %}

{#- The condition that rows of a key are null in one of these columns. -#}
{% macro or_any_null(columns) -%}
    {%- for column in columns %} or count({{ column }}) < count(*){% endfor %}
{%- endmacro %}
