{#- The metrics of what is known of a customer on a day, a row of customer_days with as_of_date. -#}
{% macro measured_metrics() -%}
        cast(total_amount as decimal(38, 4)) as total_amount,
        cast(num_orders as integer) as num_orders,
        cast(total_amount / nullif(num_orders, 0) as decimal(38, 4)) as avg_order_value,
        datediff('day', last_order_date, as_of_date) as days_since_last_order,
        first_order_date,
        last_order_date,
        datediff('day', first_order_date, as_of_date) as tenure_days,
        cast(returned_amount as decimal(38, 4)) as returned_amount,
        cast(num_order_days as integer) as num_order_days,
        datediff('day', first_order_day, last_order_day) / nullif(num_order_days - 1, 0) as mean_gap_days,
        datediff('day', last_order_day, as_of_date) as silence_days,
        case
            when last_order_date is null then 'no_order'
            when num_orders = 0 then 'no_order_in_window'
            when total_amount <= 0 then 'nothing_left_after_returns'
        end as not_clusterable_reason
{%- endmacro %}

{#- The least or the greatest value so far in a window, of values that rise in its order: to DuckDB the first and the last
    one, which cost it next to nothing beside the sort, where an aggregate costs a tenth of it. -#}
{% macro least_that_rises(value) -%}
    {{ 'first_value(' ~ value ~ ' ignore nulls)' if is_duckdb() else 'min(' ~ value ~ ')' }}
{%- endmacro %}

{% macro greatest_that_rises(value) -%}
    {{ 'last_value(' ~ value ~ ' ignore nulls)' if is_duckdb() else 'max(' ~ value ~ ')' }}
{%- endmacro %}

{#- The metrics that move with time alone, a day each day. -#}
{% macro moving_metrics() -%}
    {{ return(['days_since_last_order', 'tenure_days', 'silence_days']) }}
{%- endmacro %}

{#- Whether what is known of a customer changes only on days on which something came: not where a window leaves out what gets
    old, nor where metrics of your own are clustered on, which are known on metric days alone. -#}
{% macro is_known_by_day() -%}
    {%- set own = [] if not execute else checked_var('candidate_features') | reject('in', metrics_of_the_project()) | list -%}
    {{ return(var('metrics_window_days') is none and not own) }}
{%- endmacro %}

{#- Whether it is known what becomes of a customer who orders nothing: not with a window, nor where a metric of your own says that
    it moves with time, by meta: {moves_with_time: true} of its column. -#}
{% macro is_known_ahead() -%}
    {%- set columns = (graph.nodes.values() | selectattr('name', 'equalto', 'custom_metrics')
        | selectattr('resource_type', 'equalto', 'model') | first).columns if execute else {} -%}
    {%- set moved = [] -%}
    {%- for name, column in columns.items()
        if name in checked_var('candidate_features')
            and (column.get('config', {}).get('meta') or column.get('meta') or {}).get('moves_with_time') -%}
        {%- do moved.append(name) -%}
    {%- endfor -%}
    {{ return(var('metrics_window_days') is none and not moved) }}
{%- endmacro %}

{#- For so many days it is looked ahead what becomes of a customer who orders nothing. -#}
{% macro days_looked_ahead() -%}
    {{ return(365) }}
{%- endmacro %}

{#- How many customers there are for whom `condition` holds, of those that were counted by what they are. -#}
{% macro customers_with(condition) -%}
    cast(coalesce(sum(sorted.num_customers) filter (where {{ condition }}), 0) as bigint)
{%- endmacro %}

{#- The sum of what revenue changed by from month to month, of those customers for whom `condition` holds. -#}
{% macro change_of_revenue(condition) -%}
    cast(coalesce(sum(sorted.change) filter (where {{ condition }}), 0) as decimal(38, 4))
{%- endmacro %}
