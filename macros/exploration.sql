{#- log1p where the skewness asks for it, as the clustering does. -#}
{% macro transformed(metric) -%}
    case
        when skewness_{{ metric }} > {{ var('max_skewness') }} and min_{{ metric }} >= 0
            then ln(1 + {{ metric }})
        else {{ metric }}
    end
{%- endmacro %}

{#- Every two metrics, once. -#}
{% macro metric_pairs() -%}
    {%- set pairs = [] -%}
    {%- for metric in candidate_features() -%}
        {%- for other in candidate_features()[loop.index:] -%}
            {%- do pairs.append([metric, other]) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(pairs) }}
{%- endmacro %}
