{#- The registry of fits: which version scores, how the registry travels as a CSV, and how a database that an
    earlier version of this project built is read on. -#}

{#- The version that scores: the pinned one, else the newest. -#}
{% macro active_version() -%}
    {%- set pinned = pinned_version() -%}
    {%- if pinned is not none -%}
        {{ pinned }}
    {%- else -%}
        {{ newest_version() }}
    {%- endif -%}
{%- endmacro %}

{#- The version that is fitted if a fit is due, and the one whose curve, allocation and ids it may inherit. Fits of the
    past, which are judged and never score today, are numbered below zero. -#}
{% macro newest_version() -%}
    (
        select max(all_versions.model_version)
        from {{ ref('customer_segmentation', 'model_versions') }} as all_versions
        where all_versions.purpose = 'serves'
    )
{%- endmacro %}

{% macro version_before_the_newest() -%}
    (
        select max(all_versions.model_version)
        from {{ ref('customer_segmentation', 'model_versions') }} as all_versions
        where all_versions.purpose = 'serves' and all_versions.model_version < {{ newest_version() }}
    )
{%- endmacro %}

{#- The fit of the past that chooses the number of segments of the newest version, or grades it, if this run makes it or
    still has to grade it; null otherwise. -#}
{% macro past_version(purpose) -%}
    {%- if pinned_version() is not none -%}
        cast(null as integer)
    {%- else -%}
    (
        select max(all_versions.model_version)
        from {{ ref('customer_segmentation', 'model_versions') }} as all_versions
        inner join {{ ref('customer_segmentation', 'metric_days') }} as metric_days on all_versions.fitted_on = metric_days.as_of_date
        where
            all_versions.purpose = '{{ purpose }}'
            and all_versions.served_version = {{ newest_version() }}
            and metric_days.{{ 'is_for_choosing' if purpose == 'chooses' else 'is_for_grading' }}
    )
    {%- endif -%}
{%- endmacro %}

{#- The features that each version looks at, be it everybody's or those within stages. -#}
{% macro features_by_version() -%}
    select clustering_features.*
    from {{ ref('customer_segmentation', 'clustering_features') }} as clustering_features
    semi join {{ ref('customer_segmentation', 'cluster_centroids') }} as cluster_centroids
        on
            clustering_features.model_version = cluster_centroids.model_version
            and (clustering_features.stage = 'everybody') = (cluster_centroids.stage = 'everybody')
{%- endmacro %}

{% macro features_of_active_version() -%}
    select * from ({{ features_by_version() }}) as features
    where model_version = {{ active_version() }}
{%- endmacro %}

{#- The records of the registry's CSV: each the columns of a table, with their types. -#}
{% macro registry_records() -%}
    {{ return({
        'version': {
            'model_version': 'integer',
            'dataset': 'varchar',
            'fitted_on': 'date',
            'num_customers': 'bigint',
            'due_because': 'varchar',
            'settings': 'varchar',
            'curve_version': 'integer',
        },
        'feature': {
            'model_version': 'integer',
            'stage': 'varchar',
            'feature': 'varchar',
            'lower_limit': 'double',
            'upper_limit': 'double',
            'transform': 'varchar',
            'skewness': 'double',
            'centre': 'double',
            'scale': 'double',
            'variance_inflation': 'double',
            'is_selected': 'boolean',
            'reason': 'varchar',
            'deciles': 'varchar',
            'decile_shares': 'varchar',
        },
        'curve': {
            'model_version': 'integer',
            'window_days': 'integer',
            'order_class': 'integer',
            'gap_class': 'integer',
            'silence_from': 'integer',
            'silence_to': 'integer',
            'num_at_risk': 'bigint',
            'repurchase_probability': 'double',
        },
        'limit': {
            'model_version': 'integer',
            'limit_name': 'varchar',
            'limit_value': 'double',
        },
        'stage': {
            'model_version': 'integer',
            'lifecycle_stage': 'varchar',
            'stage': 'varchar',
            'rule': 'varchar',
            'reason': 'varchar',
            'num_customers': 'bigint',
            'share_at_fit': 'double',
            'num_clusters': 'integer',
        },
        'centroid': {
            'model_version': 'integer',
            'stage': 'varchar',
            'cluster_id': 'integer',
            'feature': 'varchar',
            'centroid': 'double',
            'share_at_fit': 'double',
            'overlap': 'double',
            'parents': 'varchar',
        },
        'name': {
            'model_version': 'integer',
            'cluster_id': 'integer',
            'as_of_date': 'date',
            'archetype': 'varchar',
            'claims': 'varchar',
            'range_metric': 'varchar',
            'range_above': 'double',
            'range_up_to': 'double',
            'segment': 'varchar',
            'named_because': 'varchar',
        },
    }) }}
{%- endmacro %}

{#- All columns of the CSV, with their types. -#}
{% macro registry_columns() -%}
    {%- set columns = {'record': 'varchar'} -%}
    {%- for record in registry_records().values() -%}
        {%- do columns.update(record) -%}
    {%- endfor -%}
    {{ return(columns) }}
{%- endmacro %}

{#- The registry's CSV as it is written: a file that is cut short is not taken for one of another form. -#}
{% macro registry_file(location) -%}
    select *
    from read_csv(
        {{ sql_text(location) }}, header = true, all_varchar = true, delim = ',', quote = '"', escape = '"', skip = 0,
        comment = ''
    )
{%- endmacro %}

{#- The rows of a registry's CSV, as text. Columns that it lacks are null: one of an earlier version of this project has
    no records, but wide rows by version, feature and cluster. -#}
{% macro registry_rows(location) -%}
    {{ registry_file(location) }}
    union all by name
    select
        {%- for column in registry_columns() %}
        cast(null as varchar) as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    where false
{%- endmacro %}

{#- Rows that an append-only table has; of a fresh database those of the registry's CSV. -#}
{% macro known_rows(record) -%}
    {%- if is_incremental() -%}
        {{ this }}
    {%- else -%}
        (
            select {{ registry_records()[record] | join(', ') }}
            from {{ ref('customer_segmentation', 'restored_registry') }}
            where record = '{{ record }}'
        )
    {%- endif -%}
{%- endmacro %}

{#- The frozen curves and the fitted clusterings as they were when this run began, for the models that decide what a refit
    keeps. -#}
{% macro known_curves() -%}
    {{ known_at_the_start('version_curves', 'curve') }}
{%- endmacro %}

{% macro known_centroids() -%}
    {{ known_at_the_start('cluster_centroids', 'centroid') }}
{%- endmacro %}

{% macro known_at_the_start(table, record) -%}
    {%- set relation = table_at_the_start('clustering', table) -%}
    {%- if relation -%}
        {{ relation }}
    {%- else -%}
        (
            select {{ registry_records()[record] | join(', ') }}
            from {{ ref('customer_segmentation', 'restored_registry') }}
            where record = '{{ record }}'
        )
    {%- endif -%}
{%- endmacro %}

{#- A table of a layer that comes later, as it was when this run began; none in a fresh database. -#}
{% macro table_at_the_start(schema, table) -%}
    {{ return(adapter.get_relation(database=target.database, schema=schema_of(schema), identifier=table) if execute) }}
{%- endmacro %}

{#- The registry that a fresh database takes its versions from; none if there is no such file, which a guard says. -#}
{% macro registry_at_the_start() -%}
    {%- set location = var('registry_location') -%}
    {%- if execute and location
        and asked("select count(*) from glob(" ~ sql_text(location) ~ ")").columns[0][0] > 0 -%}
        {{ return(location) }}
    {%- endif -%}
    {{ return(none) }}
{%- endmacro %}

{#- The version that serves when this run begins, in one row or none: of the database, or of the registry. -#}
{% macro serving_version_at_the_start() -%}
    {%- set versions = table_at_the_start('clustering', 'model_versions') -%}
    {%- set registry = none if versions else registry_at_the_start() -%}
    {%- set pinned = pinned_version() %}
    select
        cast(versions.model_version as integer) as model_version,
        cast(versions.fitted_on as date) as fitted_on,
        versions.settings
    from
        {%- if versions %} {{ versions }}
        {%- elif registry %} ({{ registry_rows(registry) }})
        {%- else %} (select null as model_version, null as fitted_on, null as settings)
        {%- endif %} as versions
    where
        versions.settings is not null
        {{- " and versions.purpose = 'serves'" if versions }}
        {{- ' and cast(versions.model_version as integer) = ' ~ pinned if pinned is not none }}
    order by model_version desc
    limit 1
{%- endmacro %}

{#- The limits of claims of all versions when this run begins, like the version. -#}
{% macro limits_at_the_start() -%}
    {%- set limits = table_at_the_start('clustering', 'claim_limits') -%}
    {%- set registry = none if limits else registry_at_the_start() -%}
    select
        cast(model_version as integer) as model_version,
        limit_name,
        cast(limit_value as double) as limit_value
    from
        {%- if limits %} {{ limits }}
        {%- elif registry %} ({{ registry_rows(registry) }})
        {%- else %} (select null as model_version, null as limit_name, null as limit_value)
        {%- endif %}
    where limit_name is not null
{%- endmacro %}

{#- The versions whose rows a table of curves or limits lacks, as the relation `lacking`: those of a registry, and the
    one that scores. `rows_from` is the version that they are copied from; null if they are measured anew. `known` is
    the relation of the rows that there are, of which those of `condition` show that a version has them. -#}
{% macro versions_without_rows(condition='true') -%}
versions as (

    select * from {{ ref('customer_segmentation', 'model_versions') }}

),

known_versions as (

    select distinct model_version from known
    where {{ condition }}

),

lacking as (

    select
        versions.model_version,
        -- Today, or the day of a fit of the past.
        case when versions.purpose = 'serves' then as_of.as_of_date else versions.fitted_on end as as_of_date,
        {%- if is_incremental() %}
        inherited.model_version as rows_from
        {%- else %}
        coalesce(own.model_version, inherited.model_version) as rows_from
        {%- endif %}
    from versions
    cross join {{ ref('customer_segmentation', 'as_of') }} as as_of
    left join known_versions as own on versions.model_version = own.model_version
    left join known_versions as inherited
        on versions.curve_version = inherited.model_version and versions.curve_version != versions.model_version
    where
        {%- if is_incremental() %}
        own.model_version is null
        and versions.model_version in ({{ active_version() }}, {{ past_version('chooses') }}, {{ past_version('grades') }})
        {%- else %}
        versions.model_version in ({{ active_version() }}, {{ past_version('chooses') }}, {{ past_version('grades') }})
        or (versions.origin = 'restored' and own.model_version is not null)
        {%- endif %}

)
{%- endmacro %}

{#- Writes the registry as a CSV that people can read and version.
    dbt run-operation export_registry --args '{path: registry.csv}' -#}
{% macro export_registry(path='registry.csv') -%}
    {%- if execute -%}
        {%- set tables = {
            'version': 'clustering.model_versions',
            'feature': 'clustering.clustering_features',
            'curve': 'clustering.version_curves',
            'limit': 'clustering.claim_limits',
            'stage': 'clustering.stages',
            'centroid': 'clustering.cluster_centroids',
            'name': 'segments.segment_names',
        } -%}
        {%- set rows %}
            {%- for record, columns in registry_records().items() %}
            select
                {{ loop.index }} as record_position,
                '{{ record }}' as record,
                {{ columns | join(', ') }},
                {{ "(select arg_max(edition_id, served_since) from " ~ editions() ~ ")" if has_editions() else 0 }} as edition_id
            from {{ schema_of(tables[record]) }}
            where
                model_version in (select model_version from {{ schema_of('clustering.model_versions') }} where purpose = 'serves')
                and model_version in (select model_version from {{ schema_of('clustering.cluster_centroids') }})
            {{ 'union all by name' if not loop.last }}
            {%- endfor %}
        {%- endset -%}
        {%- do asked(
            "copy (select " ~ registry_columns() | join(', ') ~ ", edition_id from (" ~ rows ~ ") order by model_version, record_position, "
            ~ "cluster_id, as_of_date, feature, limit_name, lifecycle_stage, window_days, order_class, gap_class, silence_from)"
            ~ " to " ~ sql_text(path) ~ " (header)"
        ) -%}
        {%- set written = asked("select count(*), count(distinct model_version) from (" ~ registry_rows(path) ~ ")") -%}
        {{ log(path ~ ": " ~ written.columns[1][0] ~ " version(s), " ~ written.columns[0][0] ~ " rows", info=true) }}
    {%- endif -%}
{%- endmacro %}

{#- Gives columns of the append-only tables their present names, and those that they lack, in a database that an earlier
    version of this project built. -#}
{% macro upgrade_registry() -%}
    {%- set renamed = {
        'clustering.clustering_candidates': {
            'mean_adjusted_rand': 'bootstrap_adjusted_rand',
            'least_jaccard': 'bootstrap_jaccard',
            'smallest_share': 'smallest_cluster_share',
        },
        'clustering.cluster_boundaries': {'customers_tested': 'num_customers_tested'},
    } -%}
    {%- set added = {
        'clustering.model_versions': {
            'curve_version': 'integer',
            'purpose': "varchar default 'serves'",
            'served_version': 'integer',
        },
        'clustering.clustering_features': {
            'stage': "varchar default 'everybody'",
            'lower_limit': 'double',
            'upper_limit': 'double',
        },
        'clustering.clustering_candidates': {
            'stage': "varchar default 'everybody'",
            'allocation': 'varchar',
            'agreement_with_stages': 'double',
            'bic': 'double',
            'valley_p_value': 'double',
            'least_valley_p_value': 'double',
            'greatest_valley_p_value': 'double',
            'num_splits_with_valleys': 'integer',
        },
        'clustering.cluster_centroids': {'stage': "varchar default 'everybody'", 'parents': 'varchar'},
        'clustering.cluster_boundaries': {'stage': "varchar default 'everybody'"},
        'clustering.stages': {
            'stage': "varchar default 'everybody'",
            'rule': 'varchar',
            'reason': 'varchar',
            'num_customers': 'bigint',
            'num_clusters': 'integer',
        },
    } -%}
    {#- adapter.get_columns_in_relation would begin a transaction, which nobody commits after the hook. -#}
    {%- for table in (renamed.keys() | list + added.keys() | list) | unique if execute and is_duckdb() -%}
        {%- set schema, name = table.split('.') -%}
        {%- set relation = adapter.get_relation(database=target.database, schema=schema_of(schema), identifier=name) -%}
        {%- set columns = asked("describe " ~ relation).columns[0].values() | list if relation else [] -%}
        {%- for old, new in renamed.get(table, {}).items() if old in columns -%}
            alter table {{ relation }} rename column {{ old }} to {{ new }};
        {%- endfor -%}
        {%- for column, type in added.get(table, {}).items() if columns and column not in columns -%}
            alter table {{ relation }} add column {{ column }} {{ type }};
        {%- endfor -%}
    {%- endfor -%}
{%- endmacro %}

{#- A fit that was interrupted leaves no version behind: what has no clusters, or was fitted for a version that has none,
    is taken away before the next run, so that nobody can pin it and a fit is due again if it was. -#}
{% macro remove_unfinished_versions() -%}
    {%- set versions, centroids = table_at_the_start('clustering', 'model_versions'),
        table_at_the_start('clustering', 'cluster_centroids') -%}
    {#- Where only whole builds are served there are none. -#}
    {%- set versions = none if all_builds_are_whole() else versions -%}
    {%- if versions -%}
        delete from {{ versions }}
        {%- if centroids %}
        where
            coalesce(served_version, model_version) not in (
                select centroids.model_version from {{ centroids }} as centroids
            )
        {%- endif %};
    {%- endif -%}
    {%- for table in ['version_curves', 'claim_limits', 'stages', 'clustering_features', 'clustering_candidates',
        'cluster_boundaries'] if versions -%}
        {%- set relation = table_at_the_start('clustering', table) -%}
        {%- if relation -%}
            delete from {{ relation }}
            where model_version not in (select versions.model_version from {{ versions }} as versions);
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}
