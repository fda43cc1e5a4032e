{#- The registry of fits: what decides that a fit is due, which version scores, and how the registry
    travels as a CSV. -#}

{#- What a fit depends on. A change of any of it makes a fit due. -#}
{% macro clustering_settings() -%}
    {%- set names = [
        'candidate_features', 'selected_features', 'feature_transforms', 'scaler', 'max_skewness',
        'max_variance_inflation', 'segment_count', 'segment_count_range', 'clustering_sample_size',
        'evidence_sample_size', 'num_bootstraps', 'num_resamples', 'max_valley_p_value', 'min_bootstrap_jaccard',
        'min_bootstrap_adjusted_rand', 'min_cluster_share', 'random_seed', 'metrics_window_days', 'returns',
    ] -%}
    {%- set settings = {} -%}
    {%- for name in names -%}
        {%- do settings.update({name: var(name)}) -%}
    {%- endfor -%}
    {{ return(tojson(settings, sort_keys=true)) }}
{%- endmacro %}

{#- The versions of this database; in a fresh one those of the registry, if one is given. -#}
{% macro versions_so_far() -%}
    {%- if is_incremental() -%}
        select * from {{ this }}
    {%- else -%}
        select distinct
            model_version,
            dataset,
            fitted_on,
            num_customers,
            due_because,
            settings,
            'restored' as origin
        from {{ ref('restored_registry') }}
    {%- endif -%}
{%- endmacro %}

{#- A pinned version comes before all; then the first build; then refit: true; then the settings. -#}
{% macro why_a_fit_is_due(latest_settings) -%}
    case
        {%- if var('model_version') is not none %}
        when true then null
        {%- endif %}
        when {{ latest_settings }} is null then 'first build'
        {%- if var('refit') %}
        when true then 'refit'
        {%- endif %}
        when {{ latest_settings }} != {{ sql_text(clustering_settings()) }} then 'settings changed'
    end
{%- endmacro %}

{#- The version that scores: the pinned one, else the newest. -#}
{% macro active_version() -%}
    {%- if var('model_version') is not none -%}
        {{ var('model_version') }}
    {%- else -%}
        (select max(all_versions.model_version) from {{ ref('model_versions') }} as all_versions)
    {%- endif -%}
{%- endmacro %}

{#- Rows of the registry's CSV; none without registry_location. -#}
{% macro registry_rows() -%}
    {%- set location = var('registry_location') -%}
    {%- if location -%}
        select * from read_csv({{ sql_text(location) }}, header = true, all_varchar = true)
    {%- else -%}
        select
            {%- for column in registry_columns() %}
            cast(null as varchar) as {{ column }}{{ ',' if not loop.last }}
            {%- endfor %}
        where false
    {%- endif -%}
{%- endmacro %}

{% macro registry_columns() -%}
    {{ return([
        'model_version', 'dataset', 'fitted_on', 'num_customers', 'due_because', 'settings', 'feature', 'transform',
        'skewness', 'centre', 'scale', 'variance_inflation', 'is_selected', 'reason', 'deciles', 'decile_shares',
        'cluster_id', 'centroid', 'share_at_fit', 'overlap', 'archetype',
    ]) }}
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
        {%- set written = run_query("select count(*), count(distinct model_version) from read_csv("
            ~ sql_text(path) ~ ", header = true, all_varchar = true)") -%}
        {{ log(path ~ ": " ~ written.columns[1][0] ~ " version(s), " ~ written.columns[0][0] ~ " rows", info=true) }}
    {%- endif -%}
{%- endmacro %}

{#- Stops the build before anything of clustering is replaced: when the registry is another dataset's, when the
    pinned version does not exist, or when the version that will score needs a feature that is gone. -#}
{% macro guard_registry() -%}
    {%- set table = adapter.get_relation(database=this.database, schema=this.schema, identifier='model_versions') if execute -%}
    {%- if table -%}
        {%- set registry = table -%}
        {%- set features = api.Relation.create(database=this.database, schema=this.schema, identifier='clustering_features') -%}
    {%- elif execute and var('registry_location') -%}
        {%- if run_query("select count(*) from glob(" ~ sql_text(var('registry_location')) ~ ")").columns[0][0] == 0 -%}
            select error({{ sql_text("registry_location: there is no file '" ~ var('registry_location') ~ "'. Check the path, or"
                ~ " set it to null and let this build fit anew.") }});
        {%- else -%}
            {%- set registry = "(" ~ registry_rows() ~ ")" -%}
            {%- set features = registry -%}
        {%- endif -%}
    {%- elif execute and var('model_version') is not none -%}
        select error({{ sql_text("model_version: there is no version " ~ var('model_version') ~ ", since nothing was fitted yet."
            ~ " Set it to null, or name a registry_location.") }});
    {%- endif -%}
    {%- if registry -%}
        {%- set known = run_query("select distinct cast(model_version as integer) as model_version, dataset from "
            ~ registry ~ " order by model_version") -%}
        {%- set versions = known.columns[0].values() | list -%}
        {%- for dataset in known.columns[1].values() if dataset != var('dataset') -%}
            select error({{ sql_text("dataset: this registry's segments were fitted on '" ~ dataset ~ "', not on '" ~ var('dataset')
                ~ "'. Give each dataset a database of its own (DUCKDB_PATH), or set dataset to '" ~ dataset ~ "'.") }});
        {%- endfor -%}
        {%- if var('model_version') is not none and var('model_version') not in versions -%}
            select error({{ sql_text("model_version: there is no version " ~ var('model_version') ~ ". There are "
                ~ versions | join(', ') ~ ".") }});
        {%- endif -%}
        {%- if var('model_version') is not none -%}
            {%- set needed = run_query("select distinct feature from " ~ features ~ " where cast(model_version as integer) = "
                ~ var('model_version') ~ " and cast(is_selected as boolean)").columns[0].values() -%}
            {%- for feature in needed if feature not in var('candidate_features') -%}
                select error({{ sql_text("model_version: version " ~ var('model_version') ~ " needs the feature '" ~ feature
                    ~ "', which is not among candidate_features any more. Add it, or choose another version.") }});
            {%- endfor -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
