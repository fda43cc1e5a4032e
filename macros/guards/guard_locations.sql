{#- Runs before a model that reads a location, and stops the build with one sentence when the
    location or its mapping can't work. Each question is asked only when the one before is settled,
    since DuckDB reports what fails to bind in its own words.

    Both locations are asked about before either is read, so that bad customers can't leave targets
    behind that are older than their segments. -#}
{% macro guard_locations() -%}
    {%- for name in ['orders', 'customers'] if execute and var(name ~ '_location') -%}
        {%- set problem = location_problem(name, var(name ~ '_location')) -%}
        {%- if problem -%}
            select error({{ sql_text(problem) }});
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}

{% macro location_problem(name, location) -%}
    {%- set required = {
        'orders': ['customer_id', 'order_id', 'ordered_at', 'amount'],
        'customers': ['customer_id'],
    }[name] -%}
    {%- set optional = {
        'orders': ['line_id', 'status'],
        'customers': ['has_consent', 'is_unsubscribed', 'last_contacted_on'],
    }[name] -%}
    {%- set kind = location_kind(location) -%}
    {%- set mapping = name[:-1] ~ '_columns' -%}
    {%- set columns = var(mapping) -%}

    {%- if kind == 'unknown' -%}
        {{ return(name ~ "_location: can't tell what '" ~ location ~ "' is. Give a path that ends in .csv or .parquet"
            ~ " (globs like orders/*.parquet work), or a table like shop.main.orders.") }}
    {%- endif -%}

    {%- if kind in ('csv', 'parquet') -%}
        {%- set files = run_query("select count(*) from glob(" ~ sql_text(location) ~ ")").columns[0][0] -%}
        {%- if files == 0 -%}
            {{ return(name ~ "_location: no file matches '" ~ location ~ "'. Check the path; a relative one starts at the"
                ~ " folder where dbt runs.") }}
        {%- endif -%}
        {%- set bytes = run_query("select sum(size) from read_blob(" ~ sql_text(location) ~ ")").columns[0][0] -%}
        {%- if bytes == 0 -%}
            {{ return(name ~ "_location: '" ~ location ~ "' is empty. Export it again with its header and rows.") }}
        {%- endif -%}
    {%- endif -%}

    {%- if kind == 'table' -%}
        {%- set parts = location.lower().replace('"', '').split('.') -%}
        {%- set attached = run_query("select database_name from duckdb_databases()").columns[0].values() | map('lower') | list -%}
        {%- if parts | length == 3 and parts[0] not in attached -%}
            {{ return(name ~ "_location: no database '" ~ parts[0] ~ "' is attached. Name its file in attached_databases,"
                ~ " as in {" ~ parts[0] ~ ": path/to/file.duckdb}.") }}
        {%- endif -%}
        {%- set known = run_query("select count(*) from information_schema.tables where "
            ~ sql_text(parts | join('.')) ~ " in (lower(table_catalog || '.' || table_schema || '.' || table_name),"
            ~ " lower(table_schema || '.' || table_name), case when table_schema = 'main' then"
            ~ " lower(table_catalog || '.' || table_name) end, case when table_schema = 'main' then"
            ~ " lower(table_name) end)").columns[0][0] -%}
        {%- if known == 0 -%}
            {{ return(name ~ "_location: no table '" ~ location ~ "' is known. Give database.schema.table with the database"
                ~ " in attached_databases, or a path that ends in .csv or .parquet.") }}
        {%- endif -%}
    {%- endif -%}

    {%- for field in required if not columns.get(field) -%}
        {{ return(mapping ~ ": the field '" ~ field ~ "' is not mapped. Give the SQL expression that yields it.") }}
    {%- endfor -%}
    {%- for field in columns if field not in required and field not in optional -%}
        {{ return(mapping ~ ": there is no field '" ~ field ~ "'. The fields are "
            ~ (required + optional) | join(', ') ~ (
                "; columns of your own go into custom_order_columns." if name == 'orders' else "."
            )) }}
    {%- endfor -%}

    {%- set problem = expression_problem(mapping, columns, location) -%}
    {%- if not problem and name == 'orders' -%}
        {%- set problem = expression_problem('custom_order_columns', var('custom_order_columns'), location) -%}
    {%- endif -%}
    {%- if problem -%}
        {{ return(problem) }}
    {%- endif -%}

    {%- set any_row = run_query("select count(*) from (select 1 from " ~ read_location(location) ~ " limit 1)").columns[0][0] -%}
    {%- if any_row == 0 and name == 'orders' -%}
        {{ return("orders_location: '" ~ location ~ "' has a header but no row. Export it again with its orders.") }}
    {%- endif -%}
    {{ return(none) }}
{%- endmacro %}

{#- Which expression of a mapping is no SQL or names a column that the location doesn't have, in one sentence;
    null if none does. -#}
{% macro expression_problem(mapping, columns, location) -%}
    {%- set available = run_query("describe select * from " ~ read_location(location)).columns[0].values() -%}
    {%- for field, expression in columns.items() if expression -%}
        {%- set parsed = run_query("select json_serialize_sql(" ~ sql_text("select try(" ~ expression ~ "\n)") ~ ") as tree").columns[0][0] -%}
        {%- set tree = fromjson(parsed) -%}
        {%- if tree.error -%}
            {{ return(mapping ~ ": the expression for '" ~ field ~ "' is no valid SQL: " ~ expression ~ " ("
                ~ tree.error_message ~ ").") }}
        {%- endif -%}
        {%- if 'lambda' not in expression | lower and '->' not in expression -%}
            {%- set names = run_query("select json_extract_string(name, '$[0]') from (select unnest(json_extract("
                ~ sql_text(parsed) ~ ", '$..column_names')) as name)").columns[0].values() -%}
            {%- for column in names if column | lower not in available | map('lower') | list -%}
                {{ return(mapping ~ ": the expression for '" ~ field ~ "' names a column '" ~ column
                    ~ "' that doesn't exist in '" ~ location ~ "'. Its columns are " ~ available | join(', ') ~ ".") }}
            {%- endfor -%}
        {%- endif -%}
    {%- endfor -%}

    {{ return(none) }}
{%- endmacro %}
