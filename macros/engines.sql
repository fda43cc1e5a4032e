{#- The project's SQL is DuckDB's. Another engine's adapter translates models and tests; what macros ask and do goes
    through here. -#}

{#- Files, editions and attached databases are DuckDB's alone. -#}
{% macro is_duckdb() -%}
    {{ return(target.type == 'duckdb') }}
{%- endmacro %}

{#- A query's rows. -#}
{% macro asked(sql) -%}
    {{ return(run_query(sql if is_duckdb() else adapter.in_words_of_the_engine(sql)) if execute) }}
{%- endmacro %}

{#- Stops the model that a hook runs before, with a sentence. -#}
{% macro stop_with(sentence) -%}
    {%- if is_duckdb() -%}
        select error({{ sql_text(sentence) }});
    {%- else -%}
        {{ exceptions.raise_compiler_error(sentence) }}
    {%- endif -%}
{%- endmacro %}

{#- The functions that translated queries call. -#}
{% macro prepare_engine() -%}
    {%- if execute and not is_duckdb() -%}
        {{ adapter.functions_of_the_engine() }}
    {%- endif -%}
{%- endmacro %}

{#- The layers' schemas of a build that is made beside those that are read: what is made, by what is read. -#}
{% macro schemas_beside() -%}
    {%- set suffix = env_var('BUILDS_BESIDE', '') -%}
    {%- set schemas = {} -%}
    {%- for node in graph.nodes.values() if suffix and node.schema.endswith(suffix) and node.resource_type in ('model', 'seed') -%}
        {%- do schemas.update({node.schema: node.schema[:-(suffix | length)]}) -%}
    {%- endfor -%}
    {{ return(schemas) }}
{%- endmacro %}

{% macro relations_of(schema) -%}
    {{ return(run_query(
        "select table_name from information_schema.tables where table_schema = " ~ sql_text(schema) ~ " order by table_name"
    ).columns[0].values()) }}
{%- endmacro %}

{#- Begins such a build: what a killed one left goes, and tables that only grow, or are read before they are made, come
    along. -#}
{% macro begin_beside() -%}
    {%- if execute and not is_duckdb() and flags.WHICH == 'build' -%}
        {%- set nodes = graph.nodes.values() | selectattr('resource_type', 'in', ['model', 'seed']) | list -%}
        {%- for beside, published in schemas_beside().items() -%}
            {#- The sample's orders and customers are not among the nodes of a shop. -#}
            {%- set ours = nodes | selectattr('schema', 'equalto', beside) | map(attribute='alias') | list
                + ['raw_orders', 'raw_customers'] -%}
            {%- for name in relations_of(published) if name not in ours and not modules.re.search('__dbt_(tmp|backup)', name) -%}
                {{ exceptions.raise_compiler_error("The schema " ~ published ~ " has a relation that is not of this project: "
                    ~ name ~ ". A build replaces the schema. Move it elsewhere, or set schema_prefix.") }}
            {%- endfor -%}
            {%- for name in relations_of(beside) -%}
                {%- do adapter.cache_dropped(api.Relation.create(database=target.database, schema=beside, identifier=name)) -%}
            {%- endfor %}
    drop schema if exists {{ adapter.quote(beside) }} cascade;
    create schema {{ adapter.quote(beside) }};
        {%- endfor -%}
        {%- for node in nodes if node.schema in schemas_beside()
            and (node.config.materialized == 'incremental' or node.config.meta.get('is_read_before_it_is_rebuilt')) -%}
            {%- set before = adapter.get_relation(target.database, schemas_beside()[node.schema], node.alias) -%}
            {%- if before -%}
                {%- set copy = api.Relation.create(
                    database=target.database, schema=node.schema, identifier=node.alias, type='table'
                ) %}
    create table {{ copy }} as select * from {{ before }};
                {%- do adapter.cache_added(copy) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}

{#- Ends it: in one transaction what was made takes the place of what was read, if everything succeeded. -#}
{% macro publish_beside() -%}
    {%- if execute and not is_duckdb() and flags.WHICH == 'build' and schemas_beside()
        and not results | rejectattr('status', 'in', ['success', 'pass', 'warn', 'no-op']) | list %}
    begin;
        {%- for beside, published in schemas_beside().items() %}
    drop schema if exists {{ adapter.quote(published) }} cascade;
    alter schema {{ adapter.quote(beside) }} rename to {{ adapter.quote(published) }};
        {%- endfor %}
    commit;
    {%- endif -%}
{%- endmacro %}

{#- Every identifier of `both_ways` with the least one that it is connected with, as the relation `labels`. DuckDB keeps one
    row for each; elsewhere all pairs are found first, which are few, as few identifiers are connected. -#}
{% macro least_connected_identifiers() -%}
{%- if is_duckdb() -%}
labels (identifier, label) using key (identifier) as (

    select distinct
        one as identifier,
        one as label
    from both_ways
    union
    select
        both_ways.other as identifier,
        min(labels.label) as label
    from labels
    inner join both_ways on labels.identifier = both_ways.one
    inner join recurring.labels as current_labels on both_ways.other = current_labels.identifier
    where labels.label < current_labels.label
    group by both_ways.other

)
{%- else -%}
connected (identifier, label) as (

    select
        one as identifier,
        one as label
    from both_ways
    union
    select
        both_ways.other as identifier,
        connected.label
    from connected
    inner join both_ways on connected.identifier = both_ways.one

),

labels as (

    select
        identifier,
        min(label) as label
    from connected
    group by identifier

)
{%- endif -%}
{%- endmacro %}
