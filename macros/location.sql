{#- Reading a location: a CSV or Parquet path or glob, or a table (database.schema.table). -#}

{% macro location_kind(location) -%}
    {%- set path = location | lower -%}
    {%- if modules.re.search("[.](csv|tsv|txt)([.](gz|zst))?$", path) -%}csv
    {%- elif modules.re.search("[.](parquet|parq)$", path) -%}parquet
    {%- elif modules.re.match('^[a-z_][a-z0-9_]*([.][a-z_"][a-z0-9_ "]*){0,2}$', path) -%}table
    {%- else -%}unknown
    {%- endif -%}
{%- endmacro %}

{#- What to select from. All CSV columns arrive as text: sniffed types would lose leading zeros. Comments
    and quotes are not sniffed either: an id that starts with # is no comment, and a quote is one also
    where the first comes after the rows that the sniffer looks at. -#}
{% macro read_location(location) -%}
    {%- set kind = location_kind(location) -%}
    {%- if kind == 'csv' -%}
        read_csv(
            {{ sql_text(location) }}, header = true, all_varchar = true, union_by_name = true,
            comment = '', quote = '"', escape = '"'
        )
    {%- elif kind == 'parquet' -%}
        read_parquet({{ sql_text(location) }}, union_by_name = true)
    {%- else -%}
        {{ location }}
    {%- endif -%}
{%- endmacro %}

{#- The rows of orders (or customers): the var's location if it is given, else the sample's seed.
    With a location, the source node stands in the lineage. -#}
{% macro raw_rows(name) -%}
    {%- set location = var(name ~ '_location') -%}
    {%- if location -%}
        {%- do source('shop', name) -%}
        {{ read_location(location) }}
    {%- else -%}
        {{ ref('raw_' ~ name) }}
    {%- endif -%}
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
    {%- for name, path in var('attached_databases').items() if execute -%}
        {%- do run_query("attach if not exists " ~ sql_text(path) ~ " as " ~ adapter.quote(name) ~ " (read_only)") -%}
    {%- endfor -%}
{%- endmacro %}
