{#- What the models that fit and the models that score must agree on. -#}

{% macro candidate_features() -%}
    {{ return(var('candidate_features')) }}
{%- endmacro %}

{#- Stops the build before anything of clustering is replaced when a feature is no numeric metric. -#}
{% macro guard_features() -%}
    {%- if execute -%}
        {%- set metrics = adapter.get_columns_in_relation(ref('customer_metrics')) | selectattr('dtype', 'ne', 'BOOLEAN') -%}
        {%- set names = metrics | rejectattr('dtype', 'in', ['VARCHAR', 'DATE']) | map(attribute='name') | list -%}
        {%- for feature in candidate_features() if feature not in names -%}
            select error({{ sql_text("candidate_features: there is no metric '" ~ feature ~ "'. The metrics are "
                ~ names | join(', ') ~ ".") }});
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}

{#- The least number of segments that this run may end with. -#}
{% macro least_segment_count() -%}
    {%- if var('segment_count') == 'auto' -%}
        {{ return(var('segment_count_range')[0]) }}
    {%- endif -%}
    {{ return(var('segment_count') | int) }}
{%- endmacro %}

{#- Stops the build before anything of clustering, segments or marketing is replaced. -#}
{% macro enough_to_cluster(value) -%}
    case
        when checked.num_customers < {{ least_segment_count() }}
            then error(
                'Too few customers: ' || checked.num_customers || ' can be clustered, and {{ least_segment_count() }}'
                || ' segments are the least asked for. Bring more orders or lower segment_count;'
                || ' metrics.customer_metrics says why a customer can''t be clustered.'
            )
        when checked.num_distinct < {{ least_segment_count() }}
            then error(
                'The customers are all alike: ' || checked.num_customers || ' customers have '
                || checked.num_distinct || ' different combination(s) of {{ candidate_features() | join(", ") }},'
                || ' too few for {{ least_segment_count() }} segments. Check the mapping of order_columns,'
                || ' or choose other candidate_features.'
            )
        else {{ value }}
    end
{%- endmacro %}
