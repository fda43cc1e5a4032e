{#- What a fit depends on: a change of any of it makes a fit due. With each its names in earlier versions of this project,
    its value in this run as JSON, and whether the repurchase curve and the limits of claims depend on it, too. -#}
{% macro settings_of_this_run() -%}
    {%- set names = [
        'candidate_features', 'clustering_sample_size', 'csv_options', 'custom_order_columns', 'evidence_sample_size',
        'excluded_statuses', 'feature_limits', 'feature_transforms', 'guest_customer_ids', 'max_order_gap_days',
        'max_skewness', 'max_lapsed_probability', 'max_unreadable_share', 'max_valley_p_value', 'max_variance_inflation',
        'metrics_window_days', 'min_active_probability', 'min_bootstrap_adjusted_rand', 'min_bootstrap_jaccard',
        'min_isolation_gap_days', 'min_segment_share', 'missing_id_values', 'num_bootstraps', 'num_resamples',
        'order_columns', 'random_seed', 'repurchase_window_days', 'returns', 'rows_are', 'scaler', 'segment_count',
        'segment_count_range', 'segmentation', 'selected_features', 'timezone',
    ] -%}
    {%- set of_the_curve = [
        'csv_options', 'excluded_statuses', 'guest_customer_ids', 'max_lapsed_probability', 'max_order_gap_days',
        'max_unreadable_share', 'metrics_window_days', 'min_active_probability', 'min_isolation_gap_days',
        'missing_id_values', 'order_columns', 'repurchase_window_days', 'returns', 'rows_are', 'timezone',
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
