{#- Stops the build before customer_metrics is replaced, when a column of custom_metrics has a name that is taken
    or a candidate feature is no metric. -#}
{% macro guard_metrics() -%}
    {%- set problem = (custom_metrics_problem() or feature_problem()) if execute else none -%}
    {%- if problem -%}
        select error({{ sql_text(problem) }});
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

{#- Which candidate feature is no metric, in one sentence; null if all are. Metrics are the numeric columns of
    customer_metrics, whose types the contract of customer_segments states, and of custom_metrics. -#}
{% macro feature_problem() -%}
    {%- set numeric = ['tinyint', 'smallint', 'integer', 'bigint', 'hugeint', 'utinyint', 'usmallint', 'uinteger',
        'ubigint', 'uhugeint', 'float', 'double', 'decimal'] -%}
    {%- set measured = graph.nodes['model.customer_segmentation.customer_metrics'].columns -%}
    {%- set metrics = [] -%}
    {%- for column in graph.nodes['model.customer_segmentation.customer_segments'].columns.values()
        if column.name in measured and column.data_type.split('(')[0] in numeric -%}
        {%- do metrics.append(column.name) -%}
    {%- endfor -%}
    {%- for column in custom_metric_columns() if column.dtype.split('(')[0] | lower in numeric -%}
        {%- do metrics.append(column.name) -%}
    {%- endfor -%}
    {%- for feature in checked_var('candidate_features') if feature not in metrics -%}
        {{ return("candidate_features: there is no metric '" ~ feature ~ "'. The metrics are " ~ metrics | join(', ')
            ~ "; custom_metrics takes your own, as numbers.") }}
    {%- endfor -%}
    {{ return(none) }}
{%- endmacro %}
