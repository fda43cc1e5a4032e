{#- The metrics that are explored: numeric columns of customer_metrics that may become features. -#}
{% macro explored_metrics() -%}
    {{ return(var('candidate_features')) }}
{%- endmacro %}

{#- log1p where the skewness asks for it, as the clustering does. -#}
{% macro transformed(metric) -%}
    case
        when skewness_{{ metric }} > {{ var('skewness_limit') }} and min_{{ metric }} >= 0
            then ln(1 + {{ metric }})
        else {{ metric }}
    end
{%- endmacro %}

{#- Every two metrics, once. -#}
{% macro metric_pairs() -%}
    {%- set pairs = [] -%}
    {%- for metric in explored_metrics() -%}
        {%- for other in explored_metrics()[loop.index:] -%}
            {%- do pairs.append([metric, other]) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(pairs) }}
{%- endmacro %}
