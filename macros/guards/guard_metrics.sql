{#- Stops the build before customer_metrics is replaced, when a column of custom_metrics has a name that is taken
    or a candidate feature is no metric. -#}
{% macro guard_metrics() -%}
    {%- set problem = (custom_metrics_problem() or feature_problem()) if execute else none -%}
    {%- if problem -%}
        {{ stop_with(problem) }}
    {%- endif -%}
{%- endmacro %}

{#- Columns of custom_metrics that are metrics. -#}
{% macro custom_metric_columns() -%}
    {%- set columns = [] -%}
    {%- for column in adapter.get_columns_in_relation(ref('custom_metrics'))
        if column.name not in ('customer_id', 'as_of_date') -%}
        {%- do columns.append(column) -%}
    {%- endfor -%}
    {{ return(columns) }}
{%- endmacro %}

{#- Which column of custom_metrics has a name that means something else later on, in one sentence; null if none. -#}
{% macro custom_metrics_problem() -%}
    {%- set taken = ['num_customers', 'sample_position'] -%}
    {%- for model in ['customer_metrics', 'customer_segments', 'marketing_targets', 'past_samples', 'graded_customers'] -%}
        {%- do taken.extend(graph.nodes['model.customer_segmentation.' ~ model].columns) -%}
    {%- endfor -%}
    {%- for column in custom_metric_columns() if column.name | lower in taken -%}
        {{ return("custom_metrics: a column can't be called '" ~ column.name ~ "', since customer_metrics or a table after"
            ~ " it has one of that name. Give it another name.") }}
    {%- endfor -%}
    {{ return(none) }}
{%- endmacro %}

{#- The numeric columns of customer_metrics, whose types the contract of customer_segments states. -#}
{% macro metrics_of_the_project() -%}
    {%- set measured = graph.nodes['model.customer_segmentation.customer_metrics'].columns -%}
    {%- set metrics = [] -%}
    {%- for column in graph.nodes['model.customer_segmentation.customer_segments'].columns.values()
        if column.name in measured and is_numeric(column.data_type) -%}
        {%- do metrics.append(column.name) -%}
    {%- endfor -%}
    {{ return(metrics) }}
{%- endmacro %}

{% macro is_numeric(type) -%}
    {{ return(type.split('(')[0] | lower in ['tinyint', 'smallint', 'integer', 'bigint', 'hugeint', 'utinyint', 'usmallint',
        'uinteger', 'ubigint', 'uhugeint', 'float', 'double', 'decimal']) }}
{%- endmacro %}

{#- Which candidate feature is no metric, in one sentence; null if all are. -#}
{% macro feature_problem() -%}
    {%- set metrics = metrics_of_the_project() -%}
    {%- for column in custom_metric_columns() if is_numeric(column.dtype) -%}
        {%- do metrics.append(column.name) -%}
    {%- endfor -%}
    {{ return(problem_of_features(metrics, [])) }}
{%- endmacro %}

{#- The same before anything is built, when the columns of custom_metrics are known by its text alone: a feature that is
    no word of it is none of them, unless it makes columns of values, or is the model of a host, which may do so by macros. -#}
{% macro unknown_feature_problem() -%}
    {%- set ours = graph.nodes.get('model.customer_segmentation.custom_metrics') -%}
    {%- set text = modules.re.sub('--[^\n]*', '', ours.raw_code if ours else '') | lower -%}
    {%- if not ours or modules.re.search('pivot|columns *[(]', text) -%}
        {{ return(none) }}
    {%- endif -%}
    {{ return(problem_of_features(metrics_of_the_project(), modules.re.findall('[a-z0-9_]+', text))) }}
{%- endmacro %}

{% macro problem_of_features(metrics, words) -%}
    {%- for feature in checked_var('candidate_features') if feature not in metrics and feature | lower not in words -%}
        {{ return("candidate_features: there is no metric '" ~ feature ~ "'. The metrics are " ~ metrics | join(', ')
            ~ "; custom_metrics takes your own, as numbers.") }}
    {%- endfor -%}
    {{ return(none) }}
{%- endmacro %}
