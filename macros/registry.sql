{#- The registry of fits: which version scores, how the registry travels as a CSV, and how a database that an
    earlier version of this project built is read on. -#}

{#- The version that scores: the pinned one, else the newest. -#}
{% macro active_version() -%}
    {%- if var('model_version') is not none -%}
        {{ var('model_version') }}
    {%- else -%}
        (select max(all_versions.model_version) from {{ ref('model_versions') }} as all_versions)
    {%- endif -%}
{%- endmacro %}

{#- Columns of the registry's CSV, with their types. -#}
{% macro registry_columns() -%}
    {{ return({
        'model_version': 'integer',
        'dataset': 'varchar',
        'fitted_on': 'date',
        'num_customers': 'bigint',
        'due_because': 'varchar',
        'settings': 'varchar',
        'feature': 'varchar',
        'transform': 'varchar',
        'skewness': 'double',
        'centre': 'double',
        'scale': 'double',
        'variance_inflation': 'double',
        'is_selected': 'boolean',
        'reason': 'varchar',
        'deciles': 'varchar',
        'decile_shares': 'varchar',
        'cluster_id': 'integer',
        'centroid': 'double',
        'share_at_fit': 'double',
        'overlap': 'double',
        'archetype': 'varchar',
    }) }}
{%- endmacro %}

{#- The columns in their types, as a select list: from a registry's text, or as nulls without a location. -#}
{% macro registry_select_list(location) -%}
    {%- for column, type in registry_columns().items() -%}
        cast({{ column if location else 'null' }} as {{ type }}) as {{ column }}{{ ', ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{#- The rows of a registry's CSV, as text. -#}
{% macro registry_rows(location) -%}
    select * from read_csv({{ sql_text(location) }}, header = true, all_varchar = true)
{%- endmacro %}

{#- Writes the registry as a CSV that people can read and version: one row per version, feature and cluster.
    dbt run-operation export_registry --args '{path: registry.csv}' -#}
{% macro export_registry(path='registry.csv') -%}
    {%- if execute -%}
        {%- set rows %}
            select {{ registry_columns() | join(', ') }}
            from clustering.model_versions
            inner join clustering.clustering_features using (model_version)
            left join clustering.cluster_centroids using (model_version, feature)
            left join segments.cluster_archetypes using (model_version, cluster_id)
            order by model_version, cluster_id nulls first, feature
        {%- endset -%}
        {%- do run_query("copy (" ~ rows ~ ") to " ~ sql_text(path) ~ " (header)") -%}
        {%- set written = run_query("select count(*), count(distinct model_version) from (" ~ registry_rows(path) ~ ")") -%}
        {{ log(path ~ ": " ~ written.columns[1][0] ~ " version(s), " ~ written.columns[0][0] ~ " rows", info=true) }}
    {%- endif -%}
{%- endmacro %}

{#- Gives columns of the append-only tables their present names, in a database that an earlier version of this
    project built. -#}
{% macro upgrade_registry() -%}
    {%- set renamed = {
        'clustering.clustering_candidates': {
            'mean_adjusted_rand': 'bootstrap_adjusted_rand',
            'least_jaccard': 'bootstrap_jaccard',
            'smallest_share': 'smallest_cluster_share',
        },
        'clustering.cluster_boundaries': {'customers_tested': 'num_customers_tested'},
    } -%}
    {#- adapter.get_columns_in_relation would begin a transaction, which nobody commits after the hook. -#}
    {%- for table in renamed if execute -%}
        {%- set schema, name = table.split('.') -%}
        {%- set relation = adapter.get_relation(database=target.database, schema=schema, identifier=name) -%}
        {%- set columns = run_query("describe " ~ relation).columns[0].values() | list if relation else [] -%}
        {%- for old, new in renamed[table].items() if old in columns -%}
            alter table {{ relation }} rename column {{ old }} to {{ new }};
        {%- endfor -%}
    {%- endfor -%}
{%- endmacro %}
