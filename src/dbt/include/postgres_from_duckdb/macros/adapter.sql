{#- Queries of the project are translated; of a Python model the rows stand in a temporary table. -#}
{% macro postgres_from_duckdb__create_table_as(temporary, relation, sql) -%}
    {%- if model.language == 'python' -%}
        {{ postgres__create_table_as(temporary, relation, 'select * from ' ~ rows_of_the_python_model()) }}
    {%- else -%}
        {{ postgres__create_table_as(temporary, relation, adapter.in_words_of_the_engine(sql)) }}
    {%- endif %}
    -- The next model's plan knows its size.
    analyze {{ relation }};
{%- endmacro %}

{% macro postgres_from_duckdb__create_view_as(relation, sql) -%}
    {{ default__create_view_as(relation, adapter.in_words_of_the_engine(sql)) }}
{%- endmacro %}

{% macro postgres_from_duckdb__get_test_sql(main_sql, fail_calc, warn_if, error_if, limit) -%}
    {{ default__get_test_sql(adapter.in_words_of_the_engine(main_sql), fail_calc, warn_if, error_if, limit) }}
{%- endmacro %}

{% macro postgres_from_duckdb__get_unit_test_sql(main_sql, expected_fixture_sql, expected_column_names) -%}
    {{ default__get_unit_test_sql(adapter.in_words_of_the_engine(main_sql), expected_fixture_sql, expected_column_names) }}
{%- endmacro %}

{#- With the types of lists and decimals, which the information schema does not tell. -#}
{% macro postgres_from_duckdb__get_columns_in_relation(relation) -%}
    {%- set columns = [] -%}
    {%- for name, type in adapter.columns_with_types(relation.schema, relation.identifier).items() -%}
        {%- do columns.append(api.Column(name, type)) -%}
    {%- endfor -%}
    {{ return(columns) }}
{%- endmacro %}

{% macro rows_of_the_python_model() -%}
    "rows_of_{{ model.name }}"
{%- endmacro %}

{#- Types of contracts and seeds as Postgres calls them. -#}
{% macro name_types_of_the_engine(columns, key=none) -%}
    {%- set names = {'double': 'double precision', 'hugeint': 'numeric', 'varchar[]': 'text[]', 'json': 'text'} -%}
    {%- for column, described in columns.items() -%}
        {%- set type = described[key] if key else described -%}
        {%- if type in names and key -%}
            {%- do described.update({key: names[type]}) -%}
        {%- elif type in names -%}
            {%- do columns.update({column: names[type]}) -%}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}

{% macro postgres_from_duckdb__create_csv_table(model, agate_table) -%}
    {%- do name_types_of_the_engine(model['config'].get('column_types') or {}) -%}
    {{ return(default__create_csv_table(model, agate_table)) }}
{%- endmacro %}

{% macro postgres_from_duckdb__load_csv_rows(model, agate_table) -%}
    {{ return(adapter.copy_seed(this, model.root_path, model.original_file_path)) }}
{%- endmacro %}

{#- Before a table is made: its contract's types, and of a Python model its rows. -#}
{% macro prepare_table() -%}
    {%- do name_types_of_the_engine(model.columns, 'data_type') -%}
    {%- if model.language == 'python' -%}
        {%- do adapter.run_python_model(model, compiled_code, 'rows_of_' ~ model.name) -%}
    {%- endif -%}
{%- endmacro %}

{% materialization table, adapter='postgres_from_duckdb', supported_languages=['sql', 'python'] %}
    {%- do prepare_table() -%}
    {{ return(materialization_table_default()) }}
{% endmaterialization %}

{% materialization incremental, adapter='postgres_from_duckdb', supported_languages=['sql', 'python'] %}
    {%- do prepare_table() -%}
    {{ return(materialization_incremental_default()) }}
{% endmaterialization %}

{#- Builds beside what is read (macros/engines.sql). -#}
{% macro postgres_from_duckdb__names_of_relations(schema) -%}
    {{ return(run_query(
        "select table_name from information_schema.tables where table_schema = '" ~ schema ~ "' order by table_name"
    ).columns[0].values()) }}
{%- endmacro %}

{% macro postgres_from_duckdb__begin_schemas(schemas) -%}
    {%- for beside in schemas %}
    drop schema if exists {{ adapter.quote(beside) }} cascade;
    create schema {{ adapter.quote(beside) }};
    {%- endfor %}
{%- endmacro %}

{#- In one transaction. -#}
{% macro postgres_from_duckdb__publish_schemas(schemas) %}
    begin;
    {%- for beside, published in schemas.items() %}
    drop schema if exists {{ adapter.quote(published) }} cascade;
    alter schema {{ adapter.quote(beside) }} rename to {{ adapter.quote(published) }};
    {%- endfor %}
    commit;
{%- endmacro %}
