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
    {%- if execute and suffix and flags.WHICH == 'build' and not is_duckdb() -%}
        {%- for node in graph.nodes.values() if node.schema.endswith(suffix) and node.resource_type in ('model', 'seed') -%}
            {%- do schemas.update({node.schema: node.schema[:-(suffix | length)]}) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(schemas) }}
{%- endmacro %}

{#- Begins such a build: what a killed one left goes, and tables that only grow, or are read before they are made, come
    along. -#}
{% macro begin_beside() -%}
    {%- set schemas = schemas_beside() -%}
    {%- if schemas -%}
        {%- set nodes = graph.nodes.values() | selectattr('resource_type', 'in', ['model', 'seed']) | list -%}
        {%- for beside, published in schemas.items() -%}
            {#- The sample's orders and customers are not among the nodes of a shop. -#}
            {%- set ours = nodes | selectattr('schema', 'equalto', beside) | map(attribute='alias') | list
                + ['raw_orders', 'raw_customers'] -%}
            {%- for name in names_of_relations(published) if name not in ours and not modules.re.search('__dbt_(tmp|backup)', name) -%}
                {{ exceptions.raise_compiler_error("The schema " ~ published ~ " has a relation that is not of this project: "
                    ~ name ~ ". A build replaces the schema. Move it elsewhere, or set schema_prefix.") }}
            {%- endfor -%}
            {%- for name in names_of_relations(beside) -%}
                {%- do adapter.cache_dropped(api.Relation.create(database=target.database or none, schema=beside, identifier=name)) -%}
            {%- endfor %}
        {%- endfor %}
    {{ begin_schemas(schemas) }}
        {%- for node in nodes if node.schema in schemas
            and (node.config.materialized == 'incremental' or node.config.meta.get('is_read_before_it_is_rebuilt')) -%}
            {%- set before = adapter.get_relation(target.database or none, schemas[node.schema], node.alias) -%}
            {%- if before -%}
                {%- set copy = api.Relation.create(
                    database=target.database or none, schema=node.schema, identifier=node.alias, type='table'
                ) %}
    create table {{ copy }} as select * from {{ before }};
                {%- do adapter.cache_added(copy) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- elif execute and all_builds_are_whole() and flags.WHICH in ('build', 'run', 'seed', 'snapshot', 'retry') -%}
        {{ exceptions.raise_compiler_error("On the target " ~ target.name ~ " nothing is built in place, since a table can't be replaced"
            ~ " in one step there. Build the whole: customer-segmentation build --target " ~ target.name ~ ".") }}
    {%- endif -%}
{%- endmacro %}

{#- Ends it: what was made takes the place of what was read, if everything succeeded. -#}
{% macro publish_beside() -%}
    {%- set schemas = schemas_beside() -%}
    {%- if schemas and not results | rejectattr('status', 'in', ['success', 'pass', 'warn', 'no-op']) | list -%}
        {{ publish_schemas(schemas) }}
    {%- endif -%}
{%- endmacro %}

{#- Copies what people read into a DuckDB file: customer-segmentation fetch. -#}
{% macro fetch_what_is_read(database, prefix, tables) -%}
    {%- do adapter.fetch(prefix, tables, database) -%}
{%- endmacro %}

{#- What each engine does in its own way; the adapters have the macros. -#}
{% macro names_of_relations(schema) -%}
    {{ return(adapter.dispatch('names_of_relations')(schema)) }}
{%- endmacro %}

{% macro begin_schemas(schemas) -%}
    {{ adapter.dispatch('begin_schemas')(schemas) }}
{%- endmacro %}

{% macro publish_schemas(schemas) -%}
    {{ adapter.dispatch('publish_schemas')(schemas) }}
{%- endmacro %}

{% macro all_builds_are_whole() -%}
    {{ return(adapter.dispatch('all_builds_are_whole')()) }}
{%- endmacro %}

{% macro is_time_zone(name) -%}
    {{ return(adapter.dispatch('is_time_zone')(name)) }}
{%- endmacro %}

{#- DuckDB builds whole editions instead. -#}
{% macro default__names_of_relations(schema) -%}
    {{ return([]) }}
{%- endmacro %}

{% macro default__begin_schemas(schemas) -%}
{%- endmacro %}

{% macro default__publish_schemas(schemas) -%}
{%- endmacro %}

{% macro default__all_builds_are_whole() -%}
    {{ return(false) }}
{%- endmacro %}

{% macro default__is_time_zone(name) -%}
    {{ return(asked("select count(*) from pg_timezone_names() where name = " ~ sql_text(name)).columns[0][0] > 0) }}
{%- endmacro %}

{#- Every identifier of `both_ways` with the least one that it is connected with, as the relation `labels`. DuckDB keeps one
    row for each until none changes. Elsewhere each takes the least of its neighbours' for some rounds, which reaches one step
    further in each; what is not settled then is told. -#}
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
{%- set num_rounds = 10 -%}
round_0 as (

    select
        one,
        other,
        least(one, min(other) over (partition by one)) as label,
        cast(null as varchar) as label_of_other
    from both_ways

),
{% for number in range(1, num_rounds + 1) %}
round_{{ number }} as (

    select
        other as one,
        one as other,
        min(label) over (partition by other) as label,
        label as label_of_other
    from round_{{ number - 1 }}

),
{% endfor %}
labels as (

    select
        one as identifier,
        min(
            case
                when label = label_of_other then label
                else error('merge_customers_by: more than {{ num_rounds }} identifiers are connected in a row, as in '
                    || one || '. Merge them in your own model of the orders.')
            end
        ) as label
    from round_{{ num_rounds }}
    group by one

)
{%- endif -%}
{%- endmacro %}

{#- As dbt's own, in two statements for a table instead of four: its columns are asked for once, and all comments written
    at once. -#}
{% macro duckdb__persist_docs(relation, model, for_relation, for_columns) -%}
    {%- set comments = [] -%}
    {%- if for_relation and config.persist_relation_docs() and model.description -%}
        {%- do comments.append(alter_relation_comment(relation, model.description)) -%}
    {%- endif -%}
    {%- if for_columns and config.persist_column_docs() and model.columns -%}
        {%- set names = adapter.get_columns_in_relation(relation) | map(attribute='name') | list -%}
        {%- for name, column in validate_doc_columns(relation, model.columns, names).items() -%}
            {%- do comments.append(
                'comment on column ' ~ relation ~ '.' ~ (adapter.quote(name) if column.quote else name) ~ ' is '
                ~ duckdb_escape_comment(column.description) ~ ';'
            ) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- if comments -%}
        {%- call statement('comments') -%}
            {{ comments | join('\n') }}
        {%- endcall -%}
    {%- endif -%}
{%- endmacro %}
