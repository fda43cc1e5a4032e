{#- Runs before anything is replaced: the fits that there are, or the registry's, are those of this dataset, and can do
    what the vars ask. -#}
{% macro check_fits() -%}
    {%- if execute and flags.WHICH in ('build', 'run') and 'model.' in selected_resources | join(' ') -%}
        {%- set problem = registry_problem() or unknown_feature_problem() or pin_problem() -%}
        {%- if problem -%}
            {{ exceptions.raise_compiler_error(problem) }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{#- Why nothing can be fitted though it is asked for, in one sentence; null if it can. -#}
{% macro pin_problem() -%}
    {%- if var('refit') != false and var('model_version') is none and pinned_version() is not none -%}
        {{ return("refit: a rollback went back to version " ~ pinned_version() ~ ", which scores until you release it."
            ~ " Release it first: customer-segmentation rollback --release.") }}
    {%- endif -%}
    {{ return(none) }}
{%- endmacro %}

{#- Why the registry of fits can't be used as the vars ask, in one sentence; null if it can: it is another
    dataset's, the pinned version does not exist, or that version needs a feature that is gone. -#}

{% macro registry_problem() -%}
    {%- set pinned = pinned_version() -%}
    {%- set location = var('registry_location') -%}
    {%- set versions = table_at_the_start('clustering', 'model_versions') -%}
    {%- set centroids = table_at_the_start('clustering', 'cluster_centroids') -%}
    {%- set problem = registry_file_problem(location) if location else none -%}
    {%- if problem -%}
        {{ return(problem) }}
    {%- endif -%}
    {%- if not versions -%}
        {%- if location -%}
            {%- set versions = "(" ~ registry_rows(location) ~ ")" -%}
            {%- set centroids = versions -%}
        {%- elif pinned is not none -%}
            {{ return("model_version: there is no version " ~ pinned ~ ", since nothing was fitted yet. Set it to null, or name"
                ~ " a registry_location.") }}
        {%- else -%}
            {{ return(none) }}
        {%- endif -%}
    {%- endif -%}

    {%- set known = asked("select distinct cast(model_version as integer) as model_version, dataset from " ~ versions
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
        {%- set needed = asked("select distinct feature from " ~ centroids ~ " where cast(model_version as integer) = "
            ~ pinned ~ " and centroid is not null order by feature").columns[0].values() -%}
        {%- for feature in needed if feature not in checked_var('candidate_features') -%}
            {{ return("model_version: version " ~ pinned ~ " needs the feature '" ~ feature ~ "', which is not among"
                ~ " candidate_features any more. Add it, or choose another version.") }}
        {%- endfor -%}
    {%- endif -%}
    {{ return(none) }}
{%- endmacro %}

{#- What is wrong with the registry's CSV, in one sentence; null if nothing is. A file that is none, or is cut short, must not
    pass for one without versions: the build would fit anew, without a word. -#}
{% macro registry_file_problem(location) -%}
    {%- set num_files = asked("select count(*) from glob(" ~ sql_text(location) ~ ")").columns[0][0] -%}
    {%- if num_files != 1 -%}
        {{ return("registry_location: " ~ ("there is no file" if num_files == 0 else num_files ~ " files match") ~ " '"
            ~ location ~ "'. Check the path, or set it to null and let this build fit anew.") }}
    {%- endif -%}
    {%- set is_utf8, num_widths = asked(registry_widths(location)).rows[0].values() -%}
    {%- set problem = 'is not in UTF-8' if not is_utf8
        else 'has rows with more or fewer columns than others' if num_widths > 1 -%}
    {%- set columns = asked("describe " ~ registry_file(location)).columns[0].values() | list if not problem else [] -%}
    {#- One of an earlier version of this project has no records, and no limits. -#}
    {%- set needed = ['model_version', 'dataset', 'fitted_on', 'settings', 'feature', 'cluster_id', 'centroid']
        + (['record'] if 'limit_name' in columns else []) -%}
    {%- set missing = needed | reject('in', columns) | list -%}
    {%- set query -%}
        with

        registry as ({{ registry_rows(location) }}),

        versions as (select distinct model_version from registry where coalesce(record, 'version') = 'version'),

        features as (select * from registry where coalesce(record, 'feature') = 'feature'),

        centroids as (
            select * from registry
            where coalesce(record, 'centroid') = 'centroid' and cluster_id is not null
        ),

        wrong_values as (
            {%- for column, type in registry_columns().items() if type != 'varchar' %}
            select '{{ column }}' as column_name, {{ column }} as value from registry
            where
                {{ column }} is not null
                and try_cast({{ column }} as {{ type }}) is null
            union all
            {%- endfor %}
            select 'settings' as column_name, settings as value from registry
            where not json_valid(settings)
            union all
            select 'model_version' as column_name, model_version as value from registry
            where try_cast(model_version as integer) < 1
            union all
            select 'scale' as column_name, scale as value from features
            where try_cast(scale as double) = 0
            union all
            select 'centroid' as column_name, coalesce(centroid, '') as value from centroids
            where not coalesce(isfinite(try_cast(centroid as double)), false)
        )

        select 1 as position, 'holds no version' as problem
        where not exists (from versions)
        union all
        select 2, 'has the value ''' || value || ''' in its column ' || column_name
        from wrong_values
        union all
        select 3, 'has a row of version ' || model_version || ' twice'
        from registry
        group by
            record, model_version, stage, feature, window_days, order_class, gap_class, silence_from, limit_name,
            lifecycle_stage, cluster_id, as_of_date
        having count(*) > 1
        union all
        select 4, 'has no clusters of version ' || model_version
        from versions
        anti join centroids using (model_version)
        union all
        select 5, 'has clusters of version ' || model_version || ' by ''' || feature || ''', which is no feature of it'
        from centroids
        anti join features using (model_version, feature)
        order by position, problem
        limit 1
    {%- endset -%}
    {%- set problem = problem or ("has no column '" ~ missing[0] ~ "'" if missing
        else asked(query).columns[1].values() | first) -%}
    {%- if problem -%}
        {{ return("registry_location: '" ~ location ~ "' is no whole registry, as it " ~ problem ~ ". Export it again"
            ~ " (make registry-export), or set it to null and let this build fit anew.") }}
    {%- endif -%}
    {{ return(none) }}
{%- endmacro %}

{#- Whether a registry's CSV is in UTF-8, and how many different numbers of columns its rows have. Commas between quotes
    separate nothing. -#}
{% macro registry_widths(location) -%}
    with

    given as (select try(decode(content)) as content from read_blob({{ sql_text(location) }})),

    lines as (
        select unnest(string_split(regexp_replace(content, '"[^"]*"', '', 'g'), chr(10))) as line from given
    )

    select
        any_value(given.content) is not null as is_utf8,
        count(distinct length(lines.line) - length(replace(lines.line, ',', ''))) as num_widths
    from given
    left join lines on trim(lines.line, chr(13)) != ''
{%- endmacro %}

{#- For the tests: what is wrong with each of many files, one JSON text a line. -#}
{% macro tell_registry_problems(locations) -%}
    {%- for location in locations -%}
        {%- do log('problem: ' ~ tojson(registry_file_problem(location)), info=true) -%}
    {%- endfor -%}
{%- endmacro %}
