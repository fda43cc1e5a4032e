{#- Runs before anything is built: what the selected models and tests read is selected as well, or is there. -#}
{% macro check_selection() -%}
    {%- if execute and flags.EMPTY and 'model.customer_segmentation.clustering_guards' in selected_resources -%}
        {{ exceptions.raise_compiler_error(
            "--empty: of no customers no segments can be made. It works up to the metrics: --empty --select +metrics."
        ) }}
    {%- endif -%}
    {%- for id in selected_resources | sort
        if execute and id in graph.nodes and graph.nodes[id].package_name == 'customer_segmentation' -%}
        {%- set node = graph.nodes[id] -%}
        {%- for parent_id in node.depends_on.nodes if parent_id not in selected_resources and parent_id in graph.nodes -%}
            {%- set parent = graph.nodes[parent_id] -%}
            {%- if not adapter.get_relation(parent.database, parent.schema, parent.alias) -%}
                {{ exceptions.raise_compiler_error(
                    node.name ~ " needs " ~ parent.schema ~ "." ~ parent.name ~ ", which is neither built nor selected."
                    ~ " Build everything once (dbt build), or put a + before what you select, as in --select +"
                    ~ (node.fqn[1] if node.fqn | length > 2 else node.name) ~ "."
                ) }}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
{%- endmacro %}
