{#- The population stability index (Siddiqi, Credit Risk Scorecards, 2006): how far a distribution moved. -#}

{#- An empty bin counts as one customer in ten thousand, since the logarithm of 0 is none. -#}
{% macro share_for_stability(share) -%}
    greatest({{ share }}, 0.0001)
{%- endmacro %}

{% macro population_stability_index(now, before) -%}
    sum(({{ now }} - {{ before }}) * ln({{ now }} / {{ before }}))
{%- endmacro %}

{% macro drift_word(index) -%}
    case
        when {{ index }} >= {{ var('min_drift_to_refit') }} then 'refit'
        when {{ index }} >= {{ var('min_drift_to_watch') }} then 'watch'
        else 'stable'
    end
{%- endmacro %}
