{#- Reading a location: a CSV or Parquet path or glob, or a table (database.schema.table). -#}

{#- The rows of orders (or customers): of the model that the var names, or at its location, else the sample's seed. How each file is
    read was found out by source_files. With a location, the source node stands in the lineage.

    Of several files each row carries its file, as _file. -#}
{% macro raw_rows(name) -%}
    {%- set files = ref('customer_segmentation', 'source_files') -%}
    {%- if var(name ~ '_model', none) -%}
        select *, cast(null as varchar) as _file from {{ model_of(name) }}
    {%- elif not var(name ~ '_location') -%}
        select *, cast(null as varchar) as _file from {{ ref('customer_segmentation', 'raw_' ~ name) }}
    {%- else -%}
        {%- do source('shop', name) -%}
        {%- set known = load_relation(files) if execute else none -%}
        {%- set reads = asked(
            "select read_with, any_value(kind) as kind, count(*) as num_files, any_value(file) as file from " ~ known
            ~ " where source = '" ~ name ~ "' and problem is null group by read_with order by min(file)"
        ).rows if known else [] -%}
        {%- for read in reads %}
        select
            *,
            {% if read.kind in ('table', 'delta', 'iceberg') -%} cast(null as varchar)
            {%- elif read.num_files == 1 -%} {{ sql_text(read.file) }}
            {%- else -%} filename
            {%- endif %} as _file
        from {{ read.read_with }}
        {{ 'union all by name' if not loop.last }}
        {%- else -%}
        select cast(null as varchar) as _file
        where false
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}

{#- The model of a project that we are a package of, which is its own if it is not named with another package. -#}
{% macro model_of(name) -%}
    {%- set model = var(name ~ '_model') -%}
    {{ return(ref(*(([project_name] if '.' not in model else []) + model.split('.')))) }}
{%- endmacro %}

{#- Lets source_files wait for these models: a Python model can't name what a var says. -#}
{% macro wait_for_models() -%}
    {%- for name in ['orders', 'customers'] if var(name ~ '_model') -%}
        {%- do model_of(name) -%}
    {%- endfor -%}
{%- endmacro %}

{#- A mapped field: what the user's expression can't compute is null, never a failed build. -#}
{% macro mapped(columns, field, type=none) -%}
    {%- set expression = columns.get(field) -%}
    {%- if expression is none -%} cast(null as {{ type or 'varchar' }})
    {%- elif field.endswith('_id') -%} {{ id_text('try(' ~ expression ~ '\n)') }}
    {%- elif type -%} try_cast(try({{ expression ~ '\n' }}) as {{ type }})
    {%- else -%} try({{ expression ~ '\n' }})
    {%- endif -%}
{%- endmacro %}

{#- What the expression of a field of the orders was computed from, of columns of text: a value that could not be read is shown as
    it stands in the file. The types are known when the query is planned, so that other columns cost nothing. -#}
{% macro text_of_field(field) -%}
    {%- set files = load_relation(ref('customer_segmentation', 'source_files')) if execute and (var('orders_location') or var('orders_model')) else none -%}
    {%- set found = asked("select any_value(columns_of_fields) from " ~ files ~ " where source = 'orders'").columns[0][0] if files else none -%}
    {%- set texts = [] -%}
    {%- for column in fromjson(found or '{}').get(field, []) -%}
        {%- set quoted = '"' ~ column | replace('"', '""') ~ '"' -%}
        {%- do texts.append("case when typeof(" ~ quoted ~ ") = 'VARCHAR' then cast(" ~ quoted ~ " as varchar) end") -%}
    {%- endfor -%}
    {%- if texts -%} nullif(concat_ws(' ', {{ texts | join(', ') }}), '')
    {%- else -%} cast(null as varchar)
    {%- endif -%}
{%- endmacro %}

{#- An id as text. A whole number that gaps elsewhere in the column turned into floating point (17.0)
    loses its point again, and NaN is no id. The type is known when the query is planned, so that
    columns of other types pay nothing. -#}
{% macro id_text(expression) -%}
    case
        when typeof({{ expression }}) not in ('DOUBLE', 'FLOAT') then cast({{ expression }} as varchar)
        when isfinite(try_cast({{ expression }} as double))
            then regexp_replace(cast({{ expression }} as varchar), '[.]0$', '')
    end
{%- endmacro %}

{% macro sql_text(value) -%}
    '{{ value | string | replace("'", "''") }}'
{%- endmacro %}

{#- Attaches your databases before anything is built. -#}
{% macro attach_databases() -%}
    {%- for name, path in checked_var('attached_databases').items() if execute -%}
        {%- set kind, place = database_of(path) -%}
        {%- do asked("attach if not exists " ~ sql_text(place) ~ " as " ~ adapter.quote(name)
            ~ " (" ~ ("type " ~ kind ~ ", " if kind else "") ~ "read_only)") -%}
    {%- endfor -%}
{%- endmacro %}

{#- What kind of database a path of attached_databases is, if it is not DuckDB's own, and where it is. -#}
{% macro database_of(path) -%}
    {%- set kind = path.split(':')[0] -%}
    {%- if kind in ['postgres', 'mysql', 'sqlite'] and not path.startswith(kind ~ '://') -%}
        {{ return([kind, path[kind | length + 1:]]) }}
    {%- endif -%}
    {%- if kind in ['postgres', 'postgresql', 'mysql'] -%}
        {{ return([kind | replace('postgresql', 'postgres'), path]) }}
    {%- endif -%}
    {{ return(['sqlite' if modules.re.search('[.](sqlite3?|db3)$', path) else none, path]) }}
{%- endmacro %}
