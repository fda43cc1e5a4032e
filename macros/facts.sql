{#- The yes-or-no facts about customers that names and descriptions claim: each with its definition over the columns of
    customer_metrics and customer_clusters and the limits of the version. -#}
{% macro customer_facts() -%}
    {{ return({
        'new': "lifecycle_stage = 'new'",
        'active': "lifecycle_stage = 'active'",
        'cooling': "lifecycle_stage = 'cooling'",
        'lapsed': "lifecycle_stage = 'lapsed'",
        'engaged': "lifecycle_stage in ('new', 'active', 'cooling')",
        'quiet': "lifecycle_stage in ('cooling', 'lapsed')",
        'once': 'num_orders = 1 and num_order_days = 1',
        'repeat': 'num_orders >= 2 and num_order_days >= 2',
        'frequent': 'num_orders >= 2 and num_order_days >= min_frequent_order_days'
            ~ ' and coalesce(mean_gap_days <= repurchase_window_days, false)',
        'first_order_lately': 'coalesce(tenure_days <= repurchase_window_days, false)',
        'top_value': 'cast(total_amount as double) >= top_total_amount',
        'high_value': 'cast(total_amount as double) >= high_total_amount',
        'big_basket': 'cast(avg_order_value as double) >= big_avg_order_value',
    }) }}
{%- endmacro %}

{#- A text with the limits of the version that it names in braces; `limits` is the relation of limits_of_active_version,
    `currency` a column. -#}
{% macro with_limits(text, limits, currency) -%}
    {%- set written = {
        'repurchase_window_days': "cast(cast(" ~ limits ~ ".repurchase_window_days as integer) as varchar)",
        'longer_window_days': "cast(cast(" ~ limits ~ ".longer_window_days as integer) as varchar)",
        'min_frequent_order_days': "cast(cast(" ~ limits ~ ".min_frequent_order_days as integer) as varchar)",
        'min_active_probability': in_percent(limits ~ '.min_active_probability'),
        'max_lapsed_probability': in_percent(limits ~ '.max_lapsed_probability'),
        'top_total_amount': in_currency(limits ~ '.top_total_amount', currency),
        'high_total_amount': in_currency(limits ~ '.high_total_amount', currency),
        'big_avg_order_value': in_currency(limits ~ '.big_avg_order_value', currency),
    } -%}
    {%- set filled = namespace(sql=text) -%}
    {%- for name, value in written.items() -%}
        {%- set filled.sql = "replace(" ~ filled.sql ~ ", '{" ~ name ~ "}', coalesce(" ~ value ~ ", '?'))" -%}
    {%- endfor -%}
    {{ filled.sql }}
{%- endmacro %}

{#- The metrics that tell segments of one archetype apart; naming.py says them in words. -#}
{% macro range_metrics() -%}
    {{ return(['total_amount', 'avg_order_value', 'num_orders', 'days_since_last_order', 'tenure_days']) }}
{%- endmacro %}
