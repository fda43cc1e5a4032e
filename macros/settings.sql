{#- What a fit depends on: a change of any of it makes a fit due. With each its names in earlier versions of this project,
    its value in this run as JSON, and whether the repurchase curve and the limits of claims depend on it, too. -#}
{% macro settings_of_this_run() -%}
    {%- set names = [
        'candidate_features', 'clustering_sample_size', 'csv_options', 'custom_order_columns', 'evidence_sample_size',
        'excluded_statuses', 'feature_limits', 'feature_transforms', 'guest_customer_ids', 'max_order_gap_days',
        'max_skewness', 'max_lapsed_probability', 'max_unreadable_share', 'max_valley_p_value',
        'max_variance_inflation', 'merge_customers_by', 'metrics_window_days', 'min_active_probability',
        'min_bootstrap_adjusted_rand', 'min_bootstrap_jaccard', 'min_isolation_gap_days', 'min_segment_share',
        'missing_id_values', 'num_bootstraps', 'num_resamples', 'order_columns', 'order_rows', 'random_seed',
        'repurchase_window_days', 'returns', 'rows_are', 'scaler', 'segment_count', 'segment_count_by',
        'segment_count_range', 'segmentation', 'selected_features', 'timezone',
    ] -%}
    {%- set of_the_curve = [
        'csv_options', 'excluded_statuses', 'guest_customer_ids', 'max_lapsed_probability', 'max_order_gap_days',
        'max_unreadable_share', 'merge_customers_by', 'metrics_window_days', 'min_active_probability',
        'min_isolation_gap_days', 'missing_id_values', 'order_columns', 'order_rows', 'repurchase_window_days',
        'returns', 'rows_are', 'timezone',
    ] -%}
    {%- for name in names %}
    select
        '{{ name }}' as name,
        {{ former_names(name) }} as former_names,
        {{ name in of_the_curve }} as decides_curve,
        json({{ sql_text(tojson(var(name), sort_keys=true)) }}) as value
    {{ 'union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#- A setting as a fit stored it, under its name or a former one; null if the fit did not know it. `setting` names the
    relation that settings_of_this_run() makes. -#}
{% macro stored_setting(settings, setting) -%}
    coalesce(
        json_extract({{ settings }}, '$.' || {{ setting }}.name),
        list_filter(
            list_transform(
                {{ setting }}.former_names, lambda former_name: json_extract({{ settings }}, '$.' || former_name)
            ),
            lambda former: former is not null
        )[1]
    )
{%- endmacro %}

{#- The settings of this run beside those of a fit, as relations: `settings_now`, a row per setting; `compared`, with the
    value then; `changes`, how many differ, in one row. `latest` names the relation of the fit, which may have no row. A
    setting that the fit did not know is adopted, not compared: a new knob refits nobody. -#}
{% macro changes_since(latest) -%}
settings_now as (

    {{ settings_of_this_run() }}

),

compared as (

    select
        settings_now.name,
        settings_now.decides_curve,
        settings_now.value as value_now,
        {{ stored_setting(latest ~ '.settings', 'settings_now') }} as value_then
    from settings_now
    left join {{ latest }} on true

),

changes as (

    select
        count(*) filter (where value_then != value_now) as num_changed,
        count(*) filter (where value_then != value_now and decides_curve) as num_changed_of_curve,
        '{' || string_agg('"' || name || '": ' || value_now, ', ' order by name) || '}' as settings_now,
        '{' || string_agg('"' || name || '": ' || coalesce(value_then, value_now), ', ' order by name) || '}'
            as settings_adopted
    from compared

)
{%- endmacro %}

{#- Why a fit is due, if it is: a pinned version comes before all; then the first build; then refit: true; then the
    settings. `curve` is a text that is added. -#}
{% macro fit_is_due_because(latest, curve="''") -%}
    case
        when {{ pinned_version() is not none }} then null
        when {{ latest }}.model_version is null then 'first build'
        when {{ var('refit') != false }} then 'refit' || {{ curve }}
        when {{ var('refit_on_change') }} and changes.num_changed > 0 then 'settings changed' || {{ curve }}
    end
{%- endmacro %}
