{#- Fills a seed as dbt-duckdb does, also in a folder whose name has an apostrophe. -#}
{% macro duckdb__load_csv_rows(model, agate_table) -%}
    {%- set query -%}
        copy {{ this }} from {{ sql_text(adapter.get_seed_file_path(model)) }} (format csv, header true, delimiter ',')
    {%- endset -%}
    {%- do adapter.add_query(query, abridge_sql_log=true) -%}
    {{ return(query) }}
{%- endmacro %}
