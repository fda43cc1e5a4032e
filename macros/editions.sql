{#- Editions: what a run left in the database, as rows of main.editions, a table that survives everything. The row of the run
    that is served is the one that was served last. When a run was is for people who look for it: no model reads it. -#}

{#- Raised when a project of before could no longer read what this one writes. -#}
{% macro schema_version() -%}
    {{ return(1) }}
{%- endmacro %}

{% macro editions() -%}
    {{ return(api.Relation.create(database=target.database, schema=schema_of('main'), identifier='editions')) }}
{%- endmacro %}

{#- Not asked of dbt's cache, which does not know that schema. -#}
{% macro has_editions() -%}
    {{ return(asked(
        "select count(*) from duckdb_tables() where table_name = 'editions' and schema_name = " ~ sql_text(schema_of('main'))
        ~ " and database_name = " ~ sql_text(target.database)
    ).columns[0][0] > 0 if execute and is_duckdb()) }}
{%- endmacro %}

{#- The version that scores whatever else there is: the var's, else that of the edition that was rolled back to. -#}
{% macro pinned_version() -%}
    {%- if var('model_version') is none and has_editions() -%}
        {%- set served = asked(
            "select pinned_model_version from " ~ editions() ~ " order by served_since desc limit 1"
        ).rows -%}
        {{ return(served[0][0] if served) }}
    {%- endif -%}
    {{ return(var('model_version')) }}
{%- endmacro %}

{#- Runs before anything is changed: under another prefix the versions that are known would be lost, a table of somebody
    else's is not ours to write, and a database of a newer project may hold what this one would misread. -#}
{% macro check_database() -%}
    {%- set homes = asked(
        "select schema_name, bool_or(column_name = 'append_only_tables') from duckdb_columns() where table_name = 'editions'"
        ~ " and database_name = " ~ sql_text(target.database) ~ " group by all order by all"
    ).rows if execute and is_duckdb() else [] -%}
    {%- for home, is_ours in homes if is_ours and home != schema_of('main') -%}
        {{ exceptions.raise_compiler_error("The database '" ~ target.path ~ "' has a segmentation in the schemas with the schema_prefix '"
            ~ home[:-4] ~ "', and this run has '" ~ schema_of('') ~ "'. Take the same prefix, or build into another database (DUCKDB_PATH).") }}
    {%- endfor -%}
    {%- for home, is_ours in homes if not is_ours and home == schema_of('main') -%}
        {{ exceptions.raise_compiler_error("The table " ~ home ~ ".editions of the database '" ~ target.path
            ~ "' is not of this project. Set schema_prefix, so that it is left alone.") }}
    {%- endfor -%}
    {%- if has_editions() -%}
        {%- set newest = asked("select max(schema_version) from " ~ editions()).columns[0][0] -%}
        {%- if newest is not none and newest > schema_version() -%}
            {{ exceptions.raise_compiler_error("The database '" ~ target.path ~ "' was built by a newer version of this project. Update"
                ~ " the project, or build into another database (DUCKDB_PATH).") }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{#- Tables and views that dbt was about to rename or to drop, of a run that was killed or of an incremental Python model. -#}
{% macro drop_leftovers() -%}
    {%- set leftovers = asked(
        "select schema_name, table_name, 'table' as kind from duckdb_tables() where database_name = " ~ sql_text(target.database)
        ~ " and regexp_matches(table_name, '__dbt_(tmp|backup)[0-9]*$') union all"
        ~ " select schema_name, view_name, 'view' from duckdb_views() where database_name = " ~ sql_text(target.database)
        ~ " and regexp_matches(view_name, '__dbt_(tmp|backup)[0-9]*$')"
    ).rows if execute and is_duckdb() else [] -%}
    {%- for leftover in leftovers %}
    drop {{ leftover[2] }} if exists {{ api.Relation.create(
        database=target.database, schema=leftover[0], identifier=leftover[1]
    ) }};
    {%- endfor -%}
{%- endmacro %}

{#- In a copy that nobody reads, what this run builds anew is dropped first: the file need not hold it twice. -#}
{% macro drop_what_is_rebuilt() -%}
    {%- if execute and is_duckdb() and env_var('BUILDS_AN_EDITION', '') -%}
        {%- for node in graph.nodes.values()
            if node.unique_id in selected_resources and node.config.materialized in ('table', 'view', 'seed')
            and not node.config.meta.get('is_read_before_it_is_rebuilt') -%}
            {%- set relation = adapter.get_relation(node.database, node.schema, node.alias) -%}
            {%- if relation %}
    drop {{ relation.type }} if exists {{ relation }};
                {%- do adapter.cache_dropped(relation) -%}
            {%- endif -%}
        {%- endfor %}
    checkpoint;
    {%- endif -%}
{%- endmacro %}

{#- A run that builds begins a row; one that is killed leaves it without an outcome. -#}
{% macro begin_edition() -%}
    {%- if execute and is_duckdb() and flags.WHICH in ('build', 'run', 'seed', 'snapshot') %}
    create schema if not exists {{ schema_of('main') }};
    create table if not exists {{ editions() }} (
        edition_id integer primary key,
        dataset varchar,
        as_of_date date,
        model_version integer,
        pinned_model_version integer,
        started_at timestamp not null,
        served_since timestamp not null,
        outcome varchar,
        settings json,
        num_rows map(varchar, bigint),
        append_only_tables varchar[],
        schema_version integer not null
    );
    comment on table {{ editions() }} is
        'One row per run that built this database: what it built and from which settings. Served is the one with the latest served_since; without an outcome it did not end.';
    {%- set as_of, customers = table_at_the_start('staging', 'as_of'), table_at_the_start('segments', 'customer_segments') -%}
    {%- if as_of and customers and not has_editions() %}
    -- What was built before there were editions.
    insert into {{ editions() }} (
        edition_id, dataset, as_of_date, model_version, started_at, served_since, outcome, schema_version
    )
    select
        0,
        as_of.dataset,
        as_of.as_of_date,
        (select max(customers.model_version) from {{ customers }} as customers),
        {{ started_at() }},
        {{ started_at() }},
        'whole',
        0
    from {{ as_of }} as as_of;
    {%- endif %}
    insert into {{ editions() }} (
        edition_id, dataset, pinned_model_version, started_at, served_since, settings, schema_version
    )
    select
        coalesce(max(edition_id), 0) + 1,
        {{ sql_text(var('dataset')) }},
        arg_max_null(pinned_model_version, served_since),
        {{ started_at() }},
        greatest({{ started_at() }}, max(served_since) + interval 1 microsecond),
        {{ sql_text(tojson(settings_by_name(), sort_keys=true)) }},
        {{ schema_version() }}
    from {{ editions() }};
    {%- endif -%}
{%- endmacro %}

{% macro started_at() -%}
    timestamp '{{ run_started_at.strftime("%Y-%m-%d %H:%M:%S.%f") }}'
{%- endmacro %}

{% macro settings_by_name() -%}
    {%- set settings = {} -%}
    {%- for name in var_units() -%}
        {#- YAML takes a day without quotes for a day. -#}
        {%- set value = var(name) -%}
        {%- do settings.update({name: value | string if value.isoformat is defined else value}) -%}
    {%- endfor -%}
    {{ return(settings) }}
{%- endmacro %}

{#- What the run that ends left: whole, if it built and tested all that there is; untested; a part; or failed. -#}
{% macro end_edition() -%}
    {%- if execute and is_duckdb() and flags.WHICH in ('build', 'run', 'seed', 'snapshot') -%}
        {%- set built = results | selectattr('status', 'in', ['success', 'pass', 'warn'])
            | map(attribute='node.unique_id') | list -%}
        {%- set outcome = namespace(is='whole' if flags.WHICH == 'build' else 'part') -%}
        {%- set counts, append_only = [], [] -%}
        {%- for id, node in graph.nodes.items() if node.resource_type in ('model', 'seed', 'snapshot') -%}
            {%- if node.config.materialized != 'ephemeral' and id not in built -%}
                {%- set outcome.is = 'part' -%}
            {%- endif -%}
            {%- set relation = adapter.get_relation(node.database, node.schema, node.alias) -%}
            {%- if relation and relation.type == 'table' -%}
                {%- do counts.append(
                    sql_text(node.schema ~ '.' ~ node.alias) ~ ": (select count(*) from " ~ relation ~ ")"
                ) -%}
                {%- if node.config.full_refresh == false -%}
                    {%- do append_only.append(sql_text(node.schema ~ '.' ~ node.alias)) -%}
                {%- endif -%}
            {%- endif -%}
        {%- endfor -%}
        {%- set tests = graph.nodes.values() | selectattr('resource_type', 'equalto', 'test')
            | map(attribute='unique_id') | reject('in', built) | list -%}
        {%- if outcome.is == 'whole' and tests -%}
            {%- set outcome.is = 'untested' -%}
        {%- endif -%}
        {%- if results | rejectattr('status', 'in', ['success', 'pass', 'warn', 'no-op']) | list -%}
            {%- set outcome.is = 'failed' -%}
        {%- endif -%}
        {%- set as_of = table_at_the_start('staging', 'as_of') -%}
        {%- set customers = table_at_the_start('segments', 'customer_segments') %}
    update {{ editions() }}
    set
        outcome = '{{ outcome.is }}',
        {%- if as_of %}
        as_of_date = (select as_of.as_of_date from {{ as_of }} as as_of),
        {%- endif %}
        {%- if customers %}
        model_version = (select max(customers.model_version) from {{ customers }} as customers),
        {%- endif %}
        num_rows = map {{ '{' ~ counts | sort | join(', ') ~ '}' }},
        append_only_tables = [{{ append_only | sort | join(', ') }}]
    where edition_id = (select max(editions.edition_id) from {{ editions() }} as editions);
    {%- endif -%}
{%- endmacro %}
