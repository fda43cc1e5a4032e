{#- Runs before anything is built: the vars of the run, checked one by one against what each may be.
    The first fault stops the run with one sentence. It is raised here and not by error() in SQL, since
    dbt prints a stack trace when the SQL of such a hook fails in a project with exposures. -#}
{% macro check_vars() -%}
    {%- set problem = var_problem() if execute else none -%}
    {%- if problem -%}
        {{ exceptions.raise_compiler_error(problem) }}
    {%- endif -%}
{%- endmacro %}

{#- Vars of earlier versions of this project: what each is called now. -#}
{% macro renamed_vars() -%}
    {{ return({
        'least_adjusted_rand': 'min_bootstrap_adjusted_rand',
        'least_jaccard': 'min_bootstrap_jaccard',
        'smallest_segment_share': 'min_cluster_share',
        'valley_p_value': 'max_valley_p_value',
        'stability_bootstraps': 'num_bootstraps',
        'resamplings': 'num_resamples',
        'skewness_limit': 'max_skewness',
        'variance_inflation_limit': 'max_variance_inflation',
        'drift_warn_at': 'min_drift_to_watch',
        'drift_refit_at': 'min_drift_to_refit',
        'rules_least_fidelity': 'min_rule_fidelity',
        'rules_max': 'max_rules',
    }) }}
{%- endmacro %}

{#- What a var was called in earlier versions, as SQL text; fits of then have their settings under that name. -#}
{% macro former_name(name) -%}
    {%- for old, new in renamed_vars().items() if new == name -%}
        {{ sql_text(old) }}
    {%- else -%}
        null
    {%- endfor -%}
{%- endmacro %}

{% macro var_problem() -%}
    {%- set kinds = {
        'dataset': 'text',
        'currency': 'text or null',
        'orders_location': 'text or null',
        'csv_options': 'mapping',
        'max_unreadable_share': 'number',
        'attached_databases': 'mapping',
        'order_columns': 'mapping',
        'custom_order_columns': 'mapping',
        'rows_are': ['order_lines', 'orders'],
        'check_order_ids': 'true or false',
        'customers_location': 'text or null',
        'customers_csv_options': 'mapping',
        'customer_columns': 'mapping',
        'consent_words': 'list',
        'refusal_words': 'list',
        'excluded_statuses': 'list',
        'counted_statuses': 'list',
        'guest_customer_ids': 'list',
        'missing_id_values': 'list',
        'returns': ['net', 'exclude'],
        'timezone': 'text',
        'max_excluded_share': 'number',
        'max_chosen_exclusion_share': 'number',
        'max_excluded_share_of_a_place': 'number',
        'max_repeated_row_share': 'number',
        'max_customer_share_of_orders': 'number',
        'max_customer_share_of_amount': 'number',
        'max_similar_id_share': 'number',
        'min_repeat_customer_share': 'number',
        'max_spanning_order_share': 'number',
        'max_shared_order_share': 'number',
        'max_equal_amounts_share': 'number',
        'min_rows_of_a_place': 'whole number',
        'min_customers': 'whole number',
        'as_of_date': 'day (YYYY-MM-DD) or null',
        'max_order_gap_days': 'whole number',
        'min_isolation_gap_days': 'whole number',
        'metrics_window_days': 'whole number or null',
        'segment_count': 'whole number from 2 to 20, or auto',
        'segment_count_range': 'list',
        'candidate_features': 'list',
        'selected_features': 'list or auto',
        'feature_transforms': 'mapping',
        'scaler': ['standard', 'robust', 'minmax'],
        'max_skewness': 'number',
        'max_variance_inflation': 'number',
        'max_valley_p_value': 'number',
        'min_bootstrap_jaccard': 'number',
        'min_bootstrap_adjusted_rand': 'number',
        'min_cluster_share': 'number',
        'evidence_sample_size': 'whole number',
        'num_bootstraps': 'whole number',
        'num_resamples': 'whole number',
        'clustering_sample_size': 'whole number',
        'random_seed': 'whole number',
        'refit': 'true or false',
        'model_version': 'whole number or null',
        'registry_location': 'text or null',
        'min_drift_to_watch': 'number',
        'min_drift_to_refit': 'number',
        'archetype_max_distance': 'number',
        'min_rule_fidelity': 'number',
        'max_rules': 'whole number from 2 to 100',
        'unknown_consent_is_eligible': 'true or false',
        'contact_pause_days': 'whole number',
    } -%}

    {%- for old, new in renamed_vars().items() if var(old, none) is not none -%}
        {{ return("The var '" ~ old ~ "' is called '" ~ new ~ "' now: rename it in your vars.") }}
    {%- endfor -%}
    {%- set a_kind = ['day', 'list', 'mapping', 'number', 'text', 'whole'] -%}
    {%- for name in invocation_args_dict.get('vars', {}) if name not in kinds -%}
        {{ return("There is no var '" ~ name ~ "'. The vars are " ~ kinds | join(', ') ~ ".") }}
    {%- endfor -%}

    {%- for name, kind in kinds.items() -%}
        {%- set value = var(name) -%}
        {%- set text = value | string -%}
        {%- if kind is not string -%}
            {%- set fits = value in kind -%}
        {%- elif value is none -%}
            {%- set fits = 'or null' in kind -%}
        {%- elif kind == 'true or false' -%}
            {%- set fits = value is boolean -%}
        {%- elif kind == 'mapping' -%}
            {%- set fits = value is mapping -%}
        {%- elif kind.startswith('list') -%}
            {%- set fits = (value == 'auto' and 'auto' in kind) or value is sequence and value is not string and value is not mapping -%}
        {%- elif kind.startswith('day') -%}
            {%- set fits = modules.re.match('^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$', text) -%}
        {%- elif name == 'segment_count' -%}
            {%- set fits = value == 'auto' or (value is integer and value is not boolean and 2 <= value <= 20) -%}
        {%- elif name == 'max_rules' -%}
            {%- set fits = value is integer and value is not boolean and 2 <= value <= 100 -%}
        {%- elif kind.startswith('whole number') -%}
            {%- set fits = value is integer and value is not boolean and 0 <= value < 2000000000 -%}
        {%- elif kind.startswith('number') -%}
            {%- set fits = value is number and value is not boolean and 0 <= value < 2000000000 -%}
        {%- else -%}
            {%- set fits = value is string -%}
        {%- endif -%}
        {%- if not fits -%}
            {{ return(name ~ ": '" ~ text ~ "' won't do. Give " ~ ('a ' if kind is string and kind.split(' ')[0] in a_kind else '')
                ~ (kind if kind is string else kind | join(' or ')) ~ ".") }}
        {%- endif -%}
    {%- endfor -%}

    {%- set range = var('segment_count_range') -%}
    {%- if range | length != 2 or range | select('integer') | list | length != 2 or not 2 <= range[0] <= range[1] <= 20 -%}
        {{ return("segment_count_range: '" ~ range ~ "' won't do. Give the least and the largest number of segments,"
            ~ " from 2 to 20, as in [3, 8].") }}
    {%- endif -%}
    {%- if not var('candidate_features') or not var('selected_features') -%}
        {{ return("candidate_features and selected_features: the list is empty. Name a numeric column of customer_metrics.") }}
    {%- endif -%}
    {%- for feature in var('selected_features') if var('selected_features') != 'auto' and feature not in var('candidate_features') -%}
        {{ return("selected_features: '" ~ feature ~ "' is not among candidate_features. Add it there.") }}
    {%- endfor -%}
    {%- for feature, transform in var('feature_transforms').items() if transform not in ['none', 'log1p'] -%}
        {{ return("feature_transforms: '" ~ transform ~ "' for " ~ feature ~ " won't do. Give none or log1p.") }}
    {%- endfor -%}

    {%- for column in var('custom_order_columns') -%}
        {%- if not modules.re.match('^[a-z_][a-z0-9_]*$', column) -%}
            {{ return("custom_order_columns: '" ~ column ~ "' can't be a column's name. Give small letters, digits and"
                ~ " underscores, as in {category: product_group}.") }}
        {%- elif column in ['customer_id', 'order_id', 'ordered_at', 'amount', 'line_id', 'status', 'raw_ordered_at',
            'raw_amount', 'currency_code', 'file', 'row_hash', 'row_reason', 'own_reason', 'exclusion_reason', 'as_of_date', 'metrics_window_start'] -%}
            {{ return("custom_order_columns: the order lines have a column '" ~ column ~ "' already. Give yours another name.") }}
        {%- endif -%}
    {%- endfor -%}

    {%- for name in ['consent_words', 'refusal_words', 'excluded_statuses', 'counted_statuses', 'guest_customer_ids',
        'missing_id_values', 'candidate_features'] -%}
        {%- for value in var(name) if value is not string -%}
            {{ return(name ~ ": '" ~ value ~ "' is not read as text. Put quotes around it, as in ['" ~ value ~ "'].") }}
        {%- endfor -%}
    {%- endfor -%}
    {%- if var('as_of_date') is not none
        and run_query("select try_cast(" ~ sql_text(var('as_of_date')) ~ " as date) is null").columns[0][0] -%}
        {{ return("as_of_date: there is no day '" ~ var('as_of_date') ~ "'. Write it as YYYY-MM-DD.") }}
    {%- endif -%}
    {%- for name, path in var('attached_databases').items() -%}
        {%- if name | lower == target.database | lower -%}
            {{ return("attached_databases: '" ~ name ~ "' is also the name of the database that is built into. Attach it under"
                ~ " another name, or set DUCKDB_PATH.") }}
        {%- endif -%}
        {%- if run_query("select count(*) from glob(" ~ sql_text(path) ~ ")").columns[0][0] == 0 -%}
            {{ return("attached_databases: there is no file '" ~ path ~ "'. Check the path; a relative one starts at the"
                ~ " folder where dbt runs.") }}
        {%- endif -%}
    {%- endfor -%}

    {%- set zones = run_query("select count(*) from pg_timezone_names() where name = " ~ sql_text(var('timezone'))) -%}
    {%- if zones.columns[0][0] == 0 -%}
        {{ return("timezone: '" ~ var('timezone') ~ "' is unknown. Give a name like UTC or Europe/London.") }}
    {%- endif -%}
    {{ return(none) }}
{%- endmacro %}
