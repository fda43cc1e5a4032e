{#- Adds the columns of custom_metrics, with the types that they have, to the contract of the model that runs:
    dbt then enforces them like the listed columns, after which they stand, and writes what custom_metrics says
    of them. A pre-hook runs in the context of the materialization, which reads the contract from model.columns. -#}
{% macro add_custom_metrics_to_contract() -%}
    {%- if execute -%}
        {%- set described = {} -%}
        {%- for node in graph.nodes.values() if node.name == 'custom_metrics' and node.resource_type == 'model' -%}
            {%- do described.update(node.columns) -%}
        {%- endfor -%}
        {%- for column in custom_metric_columns() -%}
            {%- do model.columns.update({column.name: {
                'name': column.name,
                'constraints': [],
                'data_type': column.dtype | lower,
                'description': described.get(column.name, {}).get('description', ''),
            }}) -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}
