{#- Runs before anything is replaced: the fits that there are, or the registry's, are those of this dataset, and can do
    what the vars ask. -#}
{% macro check_fits() -%}
    {%- if execute and flags.WHICH in ('build', 'run') and 'model.' in selected_resources | join(' ') -%}
        {%- set problem = registry_problem() or unknown_feature_problem() -%}
        {%- if problem -%}
            {{ exceptions.raise_compiler_error(problem) }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{#- Why the registry of fits can't be used as the vars ask, in one sentence; null if it can: it is another
    dataset's, the pinned version does not exist, or that version needs a feature that is gone. -#}

{% macro registry_problem() -%}
    {%- set pinned = pinned_version() -%}
    {%- set location = var('registry_location') -%}
    {%- set versions = table_at_the_start('clustering', 'model_versions') -%}
    {%- set centroids = table_at_the_start('clustering', 'cluster_centroids') -%}
    {%- if not versions -%}
        {%- if location and run_query("select count(*) from glob(" ~ sql_text(location) ~ ")").columns[0][0] == 0 -%}
            {{ return("registry_location: there is no file '" ~ location ~ "'. Check the path, or set it to null and let this"
                ~ " build fit anew.") }}
        {%- elif location -%}
            {%- set versions = "(" ~ registry_rows(location) ~ ")" -%}
            {%- set centroids = versions -%}
        {%- elif pinned is not none -%}
            {{ return("model_version: there is no version " ~ pinned ~ ", since nothing was fitted yet. Set it to null, or name"
                ~ " a registry_location.") }}
        {%- else -%}
            {{ return(none) }}
        {%- endif -%}
    {%- endif -%}

    {%- set known = run_query("select distinct cast(model_version as integer) as model_version, dataset from " ~ versions
        ~ " where dataset is not null and cast(model_version as integer) > 0 order by model_version") -%}
    {%- for dataset in known.columns[1].values() if dataset != var('dataset') -%}
        {{ return("dataset: this registry's segments were fitted on '" ~ dataset ~ "', not on '" ~ var('dataset')
            ~ "'. Give each dataset a database of its own (DUCKDB_PATH), or set dataset to '" ~ dataset ~ "'.") }}
    {%- endfor -%}
    {%- if pinned is not none -%}
        {%- if pinned not in known.columns[0].values() | list -%}
            {{ return("model_version: there is no version " ~ pinned ~ ". There are "
                ~ known.columns[0].values() | join(', ') ~ ".") }}
        {%- endif -%}
        {%- set needed = run_query("select distinct feature from " ~ centroids ~ " where cast(model_version as integer) = "
            ~ pinned ~ " and centroid is not null order by feature").columns[0].values() -%}
        {%- for feature in needed if feature not in checked_var('candidate_features') -%}
            {{ return("model_version: version " ~ pinned ~ " needs the feature '" ~ feature ~ "', which is not among"
                ~ " candidate_features any more. Add it, or choose another version.") }}
        {%- endfor -%}
    {%- endif -%}
    {{ return(none) }}
{%- endmacro %}
