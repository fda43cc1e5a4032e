{#- Runs before anything is built: the vars of the run, checked one by one against what each may be.
    The first fault stops the run with one sentence. It is raised here and not by error() in SQL, since
    dbt prints a stack trace when the SQL of such a hook fails in a project with exposures. -#}
{% macro check_vars() -%}
    {%- set problem = var_problem(invocation_args_dict.get('vars', {})) if execute else none -%}
    {%- set problem = problem or (problem_of_names() if execute else none) -%}
    {%- if problem -%}
        {{ exceptions.raise_compiler_error(problem) }}
    {%- endif -%}
{%- endmacro %}

{#- In a project that we are a package of: in the tests of our models dbt names them without their package, and would take
    a model of that project for ours. -#}
{% macro problem_of_names() -%}
    {%- for node in graph.nodes.values() if node.resource_type == 'test' and node.package_name == 'customer_segmentation' -%}
        {%- for id in node.depends_on.nodes
            if id in graph.nodes and graph.nodes[id].package_name != 'customer_segmentation' and not id.endswith('.custom_metrics') -%}
            {{ return("Your model '" ~ graph.nodes[id].name ~ "' is called like one of customer_segmentation, and dbt would test yours"
                ~ " in its place. In dbt_project.yml set flags: {require_ref_searches_node_package_before_root: true}.") }}
        {%- endfor -%}
    {%- endfor -%}
    {%- set ours = graph.nodes.values() | selectattr('package_name', 'equalto', 'customer_segmentation')
        | selectattr('resource_type', 'in', ['model', 'seed']) | list -%}
    {%- set schemas, tables = ours | map(attribute='schema') | unique | list, ours | map(attribute='alias') | list -%}
    {%- for node in graph.nodes.values() if node.package_name != 'customer_segmentation'
        and node.resource_type in ('model', 'seed', 'snapshot') and node.schema in schemas and node.alias in tables -%}
        {{ return("Your model '" ~ node.name ~ "' is called like one of customer_segmentation, and is in a schema of its: " ~ node.schema
            ~ ". Set schema_prefix, as in schema_prefix: my_.") }}
    {%- endfor -%}
    {{ return(none) }}
{%- endmacro %}

{#- Vars of earlier versions of this project: what each is called now. -#}
{% macro renamed_vars() -%}
    {{ return({
        'least_adjusted_rand': 'min_bootstrap_adjusted_rand',
        'least_jaccard': 'min_bootstrap_jaccard',
        'smallest_segment_share': 'min_segment_share',
        'min_cluster_share': 'min_segment_share',
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

{#- Vars of earlier versions that are no more: what stands in their place. -#}
{% macro gone_vars() -%}
    {{ return({
        'archetype_max_distance': 'names are claims now, and min_claim_share says how many members have to fulfil them.',
    }) }}
{%- endmacro %}

{#- What a var was called in earlier versions, as SQL text; fits of then have their settings under that name. -#}
{% macro former_names(name) -%}
    {%- set names = [] -%}
    {%- for old, new in renamed_vars().items() if new == name -%}
        {%- do names.append(sql_text(old)) -%}
    {%- endfor -%}
    cast([{{ names | join(', ') }}] as varchar[])
{%- endmacro %}

{#- Every var and what it may be. A list is a choice of words. -#}
{% macro var_units() -%}
    {{ return({
        'dataset': 'a text',
        'currency': 'a text or null',
        'orders_location': 'a path or a table, or null',
        'orders_model': 'a text or null',
        'csv_options': 'a mapping',
        'max_unreadable_share': 'a share from 0 to 1',
        'attached_databases': 'a mapping',
        'allow_network': 'true or false',
        'order_columns': 'a mapping',
        'custom_order_columns': 'a mapping',
        'order_rows': 'a text or null',
        'rows_are': ['order_lines', 'lines_with_order_total', 'orders'],
        'currency_rates_location': 'a path or a table, or null',
        'check_order_ids': 'true or false',
        'customers_location': 'a path or a table, or null',
        'customers_model': 'a text or null',
        'customers_csv_options': 'a mapping',
        'customer_columns': 'a mapping',
        'customer_identities_location': 'a path or a table, or null',
        'customer_identity_columns': 'a mapping',
        'merge_customers_by': 'a list of texts',
        'max_ids_of_customer': 'a whole number of at least 1',
        'consent_words': 'a list of texts',
        'refusal_words': 'a list of texts',
        'excluded_statuses': 'a list of texts',
        'counted_statuses': 'a list of texts',
        'guest_customer_ids': 'a list of texts',
        'missing_id_values': 'a list of texts',
        'returns': ['net', 'exclude'],
        'timezone': 'a text',
        'max_excluded_share': 'a share from 0 to 1',
        'max_chosen_exclusion_share': 'a share from 0 to 1',
        'max_excluded_share_of_a_place': 'a share from 0 to 1',
        'min_rows_of_a_place': 'a whole number of at least 1',
        'max_repeated_row_share': 'a share from 0 to 1',
        'max_customer_share_of_orders': 'a share from 0 to 1',
        'max_customer_share_of_amount': 'a share from 0 to 1',
        'max_similar_id_share': 'a share from 0 to 1',
        'min_repeat_customer_share': 'a share from 0 to 1',
        'max_spanning_order_share': 'a share from 0 to 1',
        'max_shared_order_share': 'a share from 0 to 1',
        'max_equal_amounts_share': 'a share from 0 to 1',
        'min_customers': 'a whole number of at least 0',
        'as_of_date': 'a day (YYYY-MM-DD) or null',
        'max_order_gap_days': 'a whole number of at least 1',
        'min_isolation_gap_days': 'a whole number of at least 1',
        'metrics_window_days': 'a whole number of at least 1 or null',
        'history_months': 'a whole number from 0 to 120',
        'repurchase_window_days': 'a whole number from 1 to 3650 or auto',
        'min_active_probability': 'a share from 0 to 1',
        'max_lapsed_probability': 'a share from 0 to 1',
        'rfm_ties': ['equal', 'rank'],
        'segmentation': ['auto', 'plain', 'stages'],
        'segment_count': 'a whole number from 2 to 20 or auto',
        'segment_count_by': ['foresight', 'evidence'],
        'segment_count_range': 'a list of two whole numbers',
        'candidate_features': 'a list of texts',
        'selected_features': 'a list of texts or auto',
        'feature_transforms': 'a mapping',
        'feature_limits': 'a mapping',
        'scaler': ['standard', 'robust', 'minmax', 'none'],
        'max_skewness': 'a number of at least 0',
        'max_variance_inflation': 'a number of at least 1',
        'max_valley_p_value': 'a share from 0 to 1',
        'min_bootstrap_jaccard': 'a share from 0 to 1',
        'min_bootstrap_adjusted_rand': 'a share from 0 to 1',
        'min_segment_share': 'a share from 0 to 1',
        'evidence_sample_size': 'a whole number of at least 10',
        'num_bootstraps': 'a whole number of at least 0',
        'num_resamples': 'a whole number of at least 0',
        'clustering_sample_size': 'a whole number of at least 10',
        'random_seed': 'a whole number of at least 0',
        'refit': 'true or false or anew',
        'refit_on_change': 'true or false',
        'model_version': 'a whole number of at least 1 or null',
        'registry_location': 'a path or null',
        'min_drift_to_watch': 'a number of at least 0',
        'min_drift_to_refit': 'a number of at least 0',
        'min_claim_share': 'a share from 0 to 1',
        'min_claim_contrast': 'a share from 0 to 1',
        'min_rule_fidelity': 'a share from 0 to 1',
        'max_rules': 'a whole number from 2 to 100',
        'unknown_consent_is_eligible': 'true or false',
        'contact_pause_days': 'a whole number of at least 0',
        'schema_prefix': 'a name of a-z, 0-9 and _, or null',
        'keep_editions': 'a whole number of at least 1',
        'readable_by': ['owner', 'group', 'everybody'],
    }) }}
{%- endmacro %}

{#- What is wrong with the vars of a run, in one sentence; null if nothing is. `given` are those of the command line. -#}
{% macro var_problem(given) -%}
    {%- set units = var_units() -%}
    {%- for old, new in renamed_vars().items() if old in given or var(old, none) is not none -%}
        {{ return("The var '" ~ old ~ "' is called '" ~ new ~ "' now: rename it in your vars.") }}
    {%- endfor -%}
    {%- for name, instead in gone_vars().items() if name in given or var(name, none) is not none -%}
        {{ return("The var '" ~ name ~ "' is gone: " ~ instead ~ " Take it out of your vars.") }}
    {%- endfor -%}
    {#- A project that we are a package of has vars of its own; one that is nearly one of ours is a mistake there, too. -#}
    {%- for name in given if name not in units and (project_name == 'customer_segmentation' or nearest(name, units)) -%}
        {{ return("There is no var '" ~ name ~ "'." ~ nearest(name, units) ~ " The vars are " ~ units | join(', ') ~ ".") }}
    {%- endfor -%}

    {%- set values = {} -%}
    {%- for name, unit in units.items() -%}
        {%- set value = given[name] if name in given else var(name) -%}
        {%- if not is_of_unit(value, unit) -%}
            {{ return(problem_of_unit(name, value, unit)) }}
        {%- endif -%}
        {%- do values.update({name: value}) -%}
    {%- endfor -%}
    {{ return(problem_between(values) or problem_outside(values)) }}
{%- endmacro %}

{% macro problem_of_unit(name, value, unit) -%}
    {{ return(name ~ ": '" ~ value ~ "' won't do. Give " ~ (unit if unit is string else unit | join(' or '))
        ~ (', not text: take its quotes away.' if value is string and ' number' in unit
            else '. Numbers need quotes, as in [\'0\'].' if value is not string and 'list of texts' in unit else '.')) }}
{%- endmacro %}

{#- A list or a mapping that is read while dbt parses, which is before check_vars: another kind of value would fail in
    Jinja's words. -#}
{% macro checked_var(name) -%}
    {%- set value, unit = var(name), var_units()[name] -%}
    {%- if not is_of_unit(value, unit) -%}
        {{ exceptions.raise_compiler_error(problem_of_unit(name, value, unit)) }}
    {%- endif -%}
    {{ return(value) }}
{%- endmacro %}

{#- Whether a value is what its var may be, by the words of the unit. -#}
{% macro is_of_unit(value, unit) -%}
    {%- set is_number = value is number and value is not boolean -%}
    {%- set is_list = value is sequence and value is not string and value is not mapping -%}
    {%- if unit is not string -%}
        {{ return(value is string and value in unit) }}
    {%- elif value is none -%}
        {{ return(unit.endswith('or null')) }}
    {%- elif value in ['auto', 'anew'] and unit.endswith('or ' ~ value) -%}
        {{ return(true) }}
    {%- elif unit.startswith('true or false') -%}
        {{ return(value is boolean) }}
    {%- elif unit == 'a mapping' -%}
        {{ return(value is mapping) }}
    {%- elif unit.startswith('a name') -%}
        {{ return(value is string and modules.re.match('^[a-z][a-z0-9_]*$', value) is not none) }}
    {%- elif unit.startswith('a list of texts') -%}
        {{ return(is_list and value | reject('string') | list | length == 0 and '' not in value | map('trim') | list) }}
    {%- elif unit.startswith('a list') -%}
        {{ return(is_list) }}
    {%- elif unit.startswith('a share') -%}
        {{ return(is_number and 0 <= value <= 1) }}
    {%- elif unit.startswith('a number') -%}
        {{ return(is_number and unit.split(' ')[-1] | int <= value < 2000000000) }}
    {%- elif unit.startswith('a whole number of at least') -%}
        {{ return(is_number and value is integer and unit.split(' ')[6] | int <= value < 2000000000) }}
    {%- elif unit.startswith('a whole number from') -%}
        {{ return(is_number and value is integer and unit.split(' ')[4] | int <= value <= unit.split(' ')[6] | int) }}
    {%- elif unit.startswith('a day') -%}
        {{ return(modules.re.match('^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$', value | string) is not none) }}
    {%- else -%}
        {{ return(value is string and value | trim | length > 0) }}
    {%- endif -%}
{%- endmacro %}

{#- Whether a value is two quantiles in ascending order, of which null is no limit. -#}
{% macro are_quantiles(value) -%}
    {%- if not is_of_unit(value, 'a list') or value | length != 2 -%}
        {{ return(false) }}
    {%- endif -%}
    {%- for quantile in value if quantile is not none and not is_of_unit(quantile, 'a share from 0 to 1') -%}
        {{ return(false) }}
    {%- endfor -%}
    {{ return(none in value or value[0] < value[1]) }}
{%- endmacro %}

{#- What is wrong with the vars among each other. -#}
{% macro problem_between(values) -%}
    {%- set sample = graph.nodes.values() | selectattr('name', 'equalto', 'raw_orders') | first -%}
    {%- for expression in values.order_columns.values() if not (values.orders_location or values.orders_model) -%}
        {%- if modules.re.match('[A-Za-z_][A-Za-z0-9_]*$', expression | string)
            and expression | string | lower not in sample.columns.keys() | list + ['true', 'false', 'null', 'none'] -%}
            {{ return("order_columns: the sample, which is read as orders_location is not set, has no column '" ~ expression
                ~ "'. Set orders_location to your orders.") }}
        {%- endif -%}
    {%- endfor -%}
    {%- set range = values.segment_count_range -%}
    {%- if range | length != 2 or range | select('boolean') | list or range | select('integer') | list | length != 2
        or not 2 <= range[0] <= range[1] <= 20 -%}
        {{ return("segment_count_range: '" ~ range ~ "' won't do. Give the least and the largest number of segments,"
            ~ " from 2 to 20, as in [3, 8].") }}
    {%- endif -%}
    {%- if not values.candidate_features or not values.selected_features -%}
        {{ return(('selected_features' if values.candidate_features else 'candidate_features')
            ~ ": the list '[]' is empty. Name a numeric column of customer_metrics.") }}
    {%- endif -%}
    {%- for name, value in values.items() if value is sequence and value is not string and value is not mapping -%}
        {%- set seen = [] -%}
        {%- for item in value if name != 'segment_count_range' -%}
            {%- if item | lower | trim in seen -%}
                {{ return(name ~ ": '" ~ item ~ "' stands there twice. Give each once.") }}
            {%- endif -%}
            {%- do seen.append(item | lower | trim) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- for feature in values.selected_features if values.selected_features != 'auto' and feature not in values.candidate_features -%}
        {{ return("selected_features: '" ~ feature ~ "' is not among candidate_features (" ~ values.candidate_features | join(', ')
            ~ ")." ~ nearest(feature, values.candidate_features) ~ " Add it there.") }}
    {%- endfor -%}
    {%- for feature, transform in values.feature_transforms.items() -%}
        {%- if transform not in ['none', 'log1p'] -%}
            {{ return("feature_transforms: '" ~ transform ~ "' for " ~ feature ~ " won't do. Give none or log1p.") }}
        {%- elif feature not in values.candidate_features -%}
            {{ return("feature_transforms: '" ~ feature ~ "' is not among candidate_features ("
                ~ values.candidate_features | join(', ') ~ ")." ~ nearest(feature, values.candidate_features)) }}
        {%- endif -%}
    {%- endfor -%}
    {%- for feature, limits in values.feature_limits.items() -%}
        {%- if not are_quantiles(limits) -%}
            {{ return("feature_limits: '" ~ limits ~ "' for " ~ feature ~ " won't do. Give a lower and a higher quantile from"
                ~ " 0 to 1, as in [0.01, 0.99]; null for no limit on that side.") }}
        {%- elif feature not in values.candidate_features -%}
            {{ return("feature_limits: '" ~ feature ~ "' is not among candidate_features ("
                ~ values.candidate_features | join(', ') ~ ")." ~ nearest(feature, values.candidate_features)) }}
        {%- endif -%}
    {%- endfor -%}
    {%- if values.max_lapsed_probability > values.min_active_probability -%}
        {{ return("max_lapsed_probability: '" ~ values.max_lapsed_probability ~ "' won't do. Give at most"
            ~ " min_active_probability (" ~ values.min_active_probability ~ "), since nobody is active and lapsed.") }}
    {%- endif -%}
    {%- if values.min_drift_to_watch > values.min_drift_to_refit -%}
        {{ return("min_drift_to_watch: '" ~ values.min_drift_to_watch ~ "' won't do. Give at most min_drift_to_refit ("
            ~ values.min_drift_to_refit ~ "), since who is asked to refit was warned before.") }}
    {%- endif -%}

    {%- for name in ['orders', 'customers'] if values[name ~ '_location'] and values[name ~ '_model'] -%}
        {{ return(name ~ "_model: " ~ name ~ "_location is set, too. Set one of them to null.") }}
    {%- endfor -%}
    {%- for rule in values.merge_customers_by if rule not in ['id_without_case', 'email'] -%}
        {{ return("merge_customers_by: there is no rule '" ~ rule ~ "'. Give id_without_case, email, or both.") }}
    {%- endfor -%}
    {%- if 'email' in values.merge_customers_by and not values.order_columns.get('email') -%}
        {{ return("merge_customers_by: customers can't be merged by their e-mail address, as order_columns has none. Map the"
            ~ " field email.") }}
    {%- endif -%}
    {%- if values.currency_rates_location and not (values.currency and values.order_columns.get('currency')) -%}
        {{ return("currency_rates_location: rates need to know from what and into what. Map the field currency in order_columns,"
            ~ " and give the var currency, as in EUR.") }}
    {%- endif -%}
    {%- for name in ['order_columns', 'customer_columns', 'customer_identity_columns', 'custom_order_columns', 'attached_databases'] -%}
        {%- for field, value in values[name].items() -%}
            {%- if value is mapping or (value is sequence and value is not string) or (value is string and not value | trim)
                or (name == 'attached_databases' and value is not string) -%}
                {{ return(name ~ ": '" ~ value ~ "' for '" ~ field ~ "' won't do. Give "
                    ~ ('the path of a DuckDB or SQLite file, or a server as in postgres:dbname=shop.' if name == 'attached_databases' else 'a SQL expression, or null.')) }}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- for column in values.custom_order_columns -%}
        {%- if not modules.re.match('^[a-z_][a-z0-9_]*$', column | string) -%}
            {{ return("custom_order_columns: '" ~ column ~ "' can't be a column's name. Give small letters, digits and"
                ~ " underscores, as in {category: product_group}.") }}
        {%- elif column in ['customer_id', 'order_id', 'ordered_at', 'amount', 'line_id', 'status', 'currency_code',
            'refunded_amount', 'email_hash', 'is_order_row', 'currency_reading', 'line_number', 'has_several_amounts', 'has_readable_total',
            'refunded_amount_of_order', 'lacks_rate', 'file',
            'raw_ordered_at', 'raw_amount', 'row_hash', 'row_reason', 'own_reason', 'exclusion_reason', 'as_of_date',
            'metrics_window_start'] -%}
            {{ return("custom_order_columns: the order lines have a column '" ~ column ~ "' already. Give yours another name.") }}
        {%- endif -%}
    {%- endfor -%}
    {{ return(none) }}
{%- endmacro %}

{#- What the vars name that does not exist. -#}
{% macro problem_outside(values) -%}
    {%- if values.as_of_date is not none
        and asked("select try_cast(" ~ sql_text(values.as_of_date) ~ " as date) is null").columns[0][0] -%}
        {{ return("as_of_date: there is no day '" ~ values.as_of_date ~ "'. Write it as YYYY-MM-DD.") }}
    {%- endif -%}
    {%- if not is_duckdb() -%}
        {%- set needs_duckdb = ['attached_databases', 'csv_options', 'customers_csv_options', 'currency_rates_location',
            'customer_identities_location', 'registry_location'] | select('in', values) | list -%}
        {%- for name in needs_duckdb if values[name] -%}
            {{ return(name ~ ": works on DuckDB only so far. Leave it out on the target " ~ target.name ~ ".") }}
        {%- endfor -%}
        {%- for name in ['orders_location', 'customers_location'] if values.get(name)
            and not modules.re.fullmatch('"?[A-Za-z_0-9]+"?([.]"?[A-Za-z_0-9]+"?){1,2}', values[name]) -%}
            {{ return(name ~ ": '" ~ values[name] ~ "' is no table. On the target " ~ target.name ~ " orders are read from a table, as in"
                ~ " public.orders, or from a model (orders_model).") }}
        {%- endfor -%}
    {%- endif -%}
    {%- if values.order_columns.get('email') and not is_duckdb() -%}
        {{ return("order_columns: e-mail addresses are hashed on DuckDB only so far. Leave email out on the target " ~ target.name ~ ".") }}
    {%- elif values.order_columns.get('email')
        and asked("select coalesce(length(getvariable('email_key')), 0) < 16").columns[0][0] -%}
        {{ return("order_columns: e-mail addresses are hashed with a secret key, and there is none of at least 16 signs. Set"
            ~ " CUSTOMER_EMAIL_KEY to a long random text, and keep it: with another key nobody is known again.") }}
    {%- endif -%}
    {%- for name, value in values.items() if name.endswith('_location') and modules.re.match('[a-z0-9]+://[^/@]*:[^/@]*@', value or '') -%}
        {{ return(name ~ ": the address has a password in it, which would be written into the database and the logs. Take it out, and"
            ~ " give it to DuckDB as a secret (create persistent secret).") }}
    {%- endfor -%}
    {%- for name, path in values.attached_databases.items() -%}
        {%- if name | lower == target.database | lower -%}
            {{ return("attached_databases: '" ~ name ~ "' is also the name of the database that is built into. Attach it under"
                ~ " another name, or set DUCKDB_PATH.") }}
        {%- endif -%}
        {%- set kind, place = database_of(path) -%}
        {%- if kind in ['postgres', 'mysql'] and modules.re.search('(?i)passw|pwd *=|passfile|://[^/@]*:[^/@]*@', place) -%}
            {{ return("attached_databases: '" ~ name ~ "' has a password in it, which would be written into the database and the logs. Take it"
                ~ " out, and give it in the environment: " ~ ('PGPASSWORD' if kind == 'postgres' else 'MYSQL_PWD') ~ ".") }}
        {%- elif '://' in place and kind not in ['postgres', 'mysql'] and not values.allow_network -%}
            {{ return("attached_databases: '" ~ path ~ "' is on the network, which is read only if you say so: allow_network: true.") }}
        {%- elif '://' not in place and kind not in ['postgres', 'mysql']
            and asked("select count(*) from glob(" ~ sql_text(place) ~ ")").columns[0][0] == 0 -%}
            {{ return("attached_databases: there is no file '" ~ place ~ "'. Check the path; a relative one starts at the"
                ~ " folder where dbt runs.") }}
        {%- endif -%}
        {%- if kind and asked("select count(*) from duckdb_extensions() where installed and list_contains(aliases, '" ~ kind
            ~ "')").columns[0][0] == 0 -%}
            {{ return("attached_databases: '" ~ name ~ "' needs DuckDB's extension " ~ kind ~ ", which is not installed. Install it once, which"
                ~ ' downloads it: python -c "import duckdb; duckdb.sql(\'install ' ~ kind ~ '\')".') }}
        {%- endif -%}
    {%- endfor -%}
    {%- if not is_time_zone(values.timezone) -%}
        {%- set zones = asked("select name from pg_timezone_names()").columns[0].values() if is_duckdb() else [] -%}
        {{ return("timezone: '" ~ values.timezone ~ "' is unknown." ~ nearest(values.timezone, zones)
            ~ " Give a name like UTC or Europe/London.") }}
    {%- endif -%}
    {{ return(none) }}
{%- endmacro %}

{#- A suggestion: the nearest of the names, if one is near. -#}
{% macro nearest(name, names) -%}
    {%- if not is_duckdb() -%}
        {{ return('') }}
    {%- endif -%}
    {%- set found = asked(
        "select name from (select unnest([" ~ names | map('string') | map('replace', "'", "''") | map('tojson') | join(', ') | replace('"', "'")
        ~ "]) as name) where jaro_winkler_similarity(lower(name), lower(" ~ sql_text(name) ~ ")) > 0.85"
        ~ " order by jaro_winkler_similarity(lower(name), lower(" ~ sql_text(name) ~ ")) desc, name limit 1"
    ).rows -%}
    {{ return(" Did you mean '" ~ found[0][0] ~ "'?" if found else "") }}
{%- endmacro %}

{#- For the tests: the problem of each of many sets of vars, one JSON text a line. -#}
{% macro tell_var_problems(configurations) -%}
    {%- for given in configurations -%}
        {%- do log('problem: ' ~ tojson(var_problem(given)), info=true) -%}
    {%- endfor -%}
{%- endmacro %}
