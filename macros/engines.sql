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
