{#- Queries of the project are translated. -#}
{% macro spark_from_duckdb__create_table_as(temporary, relation, sql, language='sql') -%}
    {%- set query = adapter.in_words_of_the_engine(sql) -%}
    {%- if temporary -%}
        create or replace temporary view {{ relation }} as {{ query }}
    {%- else -%}
        create table {{ relation }} using parquet as
        {%- if config.get('contract') and config.get('contract').enforced %}
        select
            {%- for column, described in model.columns.items() %}
            cast({{ adapter.quote(column) }} as {{ adapter.type_of_the_engine(described.data_type) }}) as {{ adapter.quote(column) }}
            {{- ',' if not loop.last }}
            {%- endfor %}
        from (
            {{ query }}
        )
        {%- else %}
        {{ query }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{% macro spark_from_duckdb__create_view_as(relation, sql) -%}
    create or replace view {{ relation }} as
    {{ adapter.in_words_of_the_engine(sql) }}
{%- endmacro %}

{% macro spark_from_duckdb__get_test_sql(main_sql, fail_calc, warn_if, error_if, limit) -%}
    {{ default__get_test_sql(adapter.in_words_of_the_engine(main_sql), fail_calc, warn_if, error_if, limit) }}
{%- endmacro %}

{% macro spark_from_duckdb__get_unit_test_sql(main_sql, expected_fixture_sql, expected_column_names) -%}
    {{ default__get_unit_test_sql(
        adapter.in_words_of_the_engine(main_sql),
        expected_fixture_sql if 'dbt_internal_unit_test_actual' in expected_fixture_sql
            else adapter.in_words_of_the_engine(expected_fixture_sql),
        expected_column_names | map('replace', '"', '`') | list
    ) }}
{%- endmacro %}

{#- As the project's SQL casts, since fixtures are translated with it. -#}
{% macro spark_from_duckdb__safe_cast(field, type) -%}
    cast({{ field }} as {{ type }})
{%- endmacro %}

{#- What a model is made of: its query, or the rows of a Python model, which are laid under a temporary view. -#}
{% macro query_of_the_model() -%}
    {%- if model.language == 'python' -%}
        {%- do adapter.run_python_model(model, compiled_code, 'rows_of_' ~ model.name) -%}
        {{ return('select * from rows_of_' ~ model.name) }}
    {%- endif -%}
    {{ return(sql) }}
{%- endmacro %}

{#- Makes the table of a query, in the place of what is there. -#}
{% macro put_in_place(before, build) -%}
    {%- set table = this.incorporate(type='table') -%}
    {%- set made = table.incorporate(path={'identifier': this.identifier ~ '__dbt_tmp'}) if before else table -%}
    {%- if before %}
        {%- do run_query('drop table if exists ' ~ made) -%}
    {%- endif -%}
    {%- call statement('main') -%}
        {{ get_create_table_as_sql(False, made, build) }}
    {%- endcall -%}
    {%- if before -%}
        {%- do adapter.drop_relation(before) -%}
        {%- do adapter.rename_relation(made, table) -%}
    {%- endif -%}
    {{ return({'relations': [table]}) }}
{%- endmacro %}

{% materialization table, adapter='spark_from_duckdb', supported_languages=['sql', 'python'] %}
    {{ run_hooks(pre_hooks) }}
    {%- set made = put_in_place(load_cached_relation(this), query_of_the_model()) -%}
    {{ run_hooks(post_hooks) }}
    {{ return(made) }}
{% endmaterialization %}

{#- A catalog takes the text of a view up to some length; what is longer is dear to compute again, and made a table. -#}
{% materialization view, adapter='spark_from_duckdb' %}
    {%- set before = load_cached_relation(this) -%}
    {{ run_hooks(pre_hooks) }}
    {%- if adapter.in_words_of_the_engine(sql) | length > 30000 -%}
        {%- set made = put_in_place(before, sql) -%}
    {%- else -%}
        {%- if before and before.type != 'view' -%}
            {%- do adapter.drop_relation(before) -%}
        {%- endif -%}
        {%- call statement('main') -%}
            {{ get_create_view_as_sql(this, sql) }}
        {%- endcall -%}
        {%- set made = {'relations': [this.incorporate(type='view')]} -%}
    {%- endif -%}
    {{ run_hooks(post_hooks) }}
    {{ return(made) }}
{% endmaterialization %}

{#- Tables that grow are those of the fits, which are small: they are written anew. -#}
{% materialization incremental, adapter='spark_from_duckdb', supported_languages=['sql', 'python'] %}
    {%- set before = load_cached_relation(this) -%}
    {{ run_hooks(pre_hooks) }}
    {%- if before and not should_full_refresh() -%}
        {%- set new = this.incorporate(path={'identifier': this.identifier ~ '__dbt_new'}, type='table') -%}
        {%- do run_query('drop table if exists ' ~ new) -%}
        {%- do run_query(get_create_table_as_sql(False, new, query_of_the_model())) -%}
        {%- set key = config.get('unique_key') or [] -%}
        {%- set key = [key] if key is string else key -%}
        {%- set grown -%}
            select * from {{ before }} as kept
            {%- if key %}
            where not exists (
                select 1 from {{ new }} as added
                where {% for column in key %} added.{{ column }} = kept.{{ column }} {{ 'and' if not loop.last }} {% endfor %}
            )
            {%- endif %}
            union all by name
            select * from {{ new }}
        {%- endset -%}
        {%- set made = put_in_place(before, grown) -%}
        {%- do run_query('drop table ' ~ new) -%}
    {%- else -%}
        {%- set made = put_in_place(before, query_of_the_model()) -%}
    {%- endif -%}
    {{ run_hooks(post_hooks) }}
    {{ return(made) }}
{% endmaterialization %}

{% materialization seed, adapter='spark_from_duckdb' %}
    {%- set agate_table = load_agate_table() -%}
    {%- do store_result('agate_table', response='OK', agate_table=agate_table) -%}
    {{ run_hooks(pre_hooks) }}
    {%- set types = {} -%}
    {%- for column in agate_table.column_names -%}
        {%- do types.update({column: (config.get('column_types') or {}).get(column, adapter.convert_type(agate_table, loop.index0))}) -%}
    {%- endfor -%}
    {%- do adapter.copy_seed('rows_of_' ~ model.name, model.root_path, model.original_file_path, types) -%}
    {%- set made = put_in_place(load_cached_relation(this), 'select * from rows_of_' ~ model.name) -%}
    {{ run_hooks(post_hooks) }}
    {{ return(made) }}
{% endmaterialization %}

{#- Builds beside what is read (macros/engines.sql). Spark renames no schema: each build has its own. -#}
{% macro spark_from_duckdb__begin_schemas(schemas) -%}
    {%- do adapter.begin_build(home_of_the_builds(), schemas, descriptions_of_the_nodes()) -%}
{%- endmacro %}

{% macro spark_from_duckdb__publish_schemas(schemas) -%}
    {%- do adapter.publish_build(home_of_the_builds(), env_var('BUILDS_BESIDE'), schemas, descriptions_of_the_nodes()) -%}
{%- endmacro %}

{% macro spark_from_duckdb__names_of_relations(schema) -%}
    {{ return(adapter.names_of_relations(schema)) }}
{%- endmacro %}

{% macro spark_from_duckdb__all_builds_are_whole() -%}
    {{ return(true) }}
{%- endmacro %}

{% macro spark_from_duckdb__is_time_zone(name) -%}
    {{ return(adapter.knows_time_zone(name)) }}
{%- endmacro %}

{% macro home_of_the_builds() -%}
    {{ return((var('schema_prefix', none) or '') ~ target.schema) }}
{%- endmacro %}

{% macro descriptions_of_the_nodes() -%}
    {%- set found = {} -%}
    {%- for node in graph.nodes.values() if node.resource_type in ('model', 'seed') -%}
        {%- set columns = {} -%}
        {%- for name, column in node.columns.items() -%}
            {%- do columns.update({name: column.description}) -%}
        {%- endfor -%}
        {%- do found.update({node.alias: (node.description, columns)}) -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}
