{#- How a segment_archetypes.csv of an earlier version of this project is made one of this, in one sentence; null if it
    has the columns of this. -#}
{% macro archetypes_problem() -%}
    {%- set columns = adapter.get_columns_in_relation(ref('customer_segmentation', 'segment_archetypes')) | map(attribute='name') | list -%}
    {%- for column in ['archetype', 'name', 'claims', 'description', 'strategy', 'action'] if column not in columns -%}
        {{ return("segment_archetypes.csv: the column '" ~ column ~ "' is missing; there are " ~ columns | join(', ')
            ~ (". Names are claims now: rename segment to name, and in place of recency, frequency and value write a column"
                ~ " claims, words of claims.csv like 'lapsed once', nothing for the segments by rule."
                if 'recency' in columns else ".")) }}
    {%- endfor -%}
    {{ return(none) }}
{%- endmacro %}
