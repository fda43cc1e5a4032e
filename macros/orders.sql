{#- The two ways to an order, chosen by the var rows_are. Both yield the same columns. -#}

{#- Lines that share customer and order id are one order, dated by its earliest line. -#}
{% macro orders_from_lines(lines) -%}
    select
        customer_id,
        order_id,
        min(ordered_at) as ordered_at,
        cast(min(ordered_at) as date) as order_date,
        sum(amount) as amount,
        coalesce(sum(amount) filter (where amount > 0), 0) as gross_amount,
        coalesce(-sum(amount) filter (where amount < 0), 0) as returned_amount,
        count(*) as num_lines
    from {{ lines }}
    group by customer_id, order_id
{%- endmacro %}

{#- Each row is an order: nothing to group, so nothing to store. -#}
{% macro orders_from_rows(rows) -%}
    select
        customer_id,
        order_id,
        ordered_at,
        cast(ordered_at as date) as order_date,
        amount,
        greatest(amount, 0) as gross_amount,
        greatest(-amount, 0) as returned_amount,
        1 as num_lines
    from {{ rows }}
{%- endmacro %}
