{#- Schemas are named after the layers alone (metrics, not main_metrics), or with a prefix of one's own in front. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ return(schema_of(custom_schema_name or target.schema)) }}
{%- endmacro %}

{#- On an engine without editions a whole build is made in schemas beside those that are read (macros/engines.sql). -#}
{% macro schema_of(layer) -%}
    {{ return((checked_var('schema_prefix') or '') ~ layer | trim ~ env_var('BUILDS_BESIDE', '')) }}
{%- endmacro %}
