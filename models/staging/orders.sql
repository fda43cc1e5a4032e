{%- set rows_are_orders = var('rows_are') == 'orders' -%}
{{ config(materialized='view' if rows_are_orders else 'table') }}

with

accepted_lines as (

    select * from {{ ref('customer_segmentation', 'stg_order_lines') }}
    where exclusion_reason is null

),

final as (

    {% if rows_are_orders -%}
    -- Each row is an order: nothing to group, so nothing to store.
    select
        customer_id,
        order_id,
        ordered_at,
        cast(ordered_at as date) as order_date,
        cast(ordered_at as date) as last_line_date,
        amount,
        greatest(amount + refunded_amount, 0) as gross_amount,
        {{ returned_of_line() }} as returned_amount,
        1 as num_lines,
        false as has_equal_amounts,
        0 as num_days_spanned
    from accepted_lines
    {%- else -%}
    -- Lines that share customer and order id are one order, dated by its earliest line.
    select
        customer_id,
        order_id,
        min(ordered_at) as ordered_at,
        cast(min(ordered_at) as date) as order_date,
        cast(max(ordered_at) as date) as last_line_date,
        sum(amount) as amount,
        sum(greatest(amount + refunded_amount, 0)) as gross_amount,
        sum({{ returned_of_line() }}) as returned_amount,
        count(*) as num_lines,
        count(*) > 1 and min(amount) = max(amount) as has_equal_amounts,
        coalesce(
            datediff('day', min(ordered_at) filter (where amount > 0), max(ordered_at) filter (where amount > 0)), 0
        ) as num_days_spanned
    from accepted_lines
    group by customer_id, order_id
    {%- endif %}

)

select * from final
