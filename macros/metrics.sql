{#- Whether an order counts in the metrics: the customer's lifetime, or the window before the as-of date. -#}
{% macro in_metrics_window() -%}
    {%- if var('metrics_window_days') is none -%}
        true
    {%- else -%}
        orders.order_date >= as_of.metrics_window_start
    {%- endif -%}
{%- endmacro %}

{#- The first day whose orders count; null when all do. -#}
{% macro metrics_window_start(as_of_date) -%}
    {%- if var('metrics_window_days') is none -%}
        cast(null as date)
    {%- else -%}
        {{ as_of_date }} - {{ var('metrics_window_days') }}
    {%- endif -%}
{%- endmacro %}

{#- The var currency, as a value. -#}
{% macro currency() -%}
    {{ 'cast(null as varchar)' if var('currency') is none else sql_text(var('currency')) }}
{%- endmacro %}

{#- The var as_of_date if it is given, else what the orders say. -#}
{% macro chosen_as_of_date(from_orders) -%}
    {{ from_orders if var('as_of_date') is none else "max(date '" ~ var('as_of_date') ~ "')" }}
{%- endmacro %}
