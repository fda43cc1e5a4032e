with

typed_order_lines as (

    select * from {{ ref('customer_segmentation', 'typed_order_lines') }}

),

as_of as (

    select
        as_of_date,
        first_day_of_life,
        last_day_of_life
    from {{ ref('customer_segmentation', 'as_of') }}

),

final as (

    select
        typed_order_lines.customer_id,
        typed_order_lines.order_id,
        typed_order_lines.ordered_at,
        typed_order_lines.amount,
        typed_order_lines.refunded_amount,
        typed_order_lines.line_id,
        typed_order_lines.status,
        typed_order_lines.currency_code,
        {%- for column in checked_var('custom_order_columns') %}
        typed_order_lines.{{ column }},
        {%- endfor %}
        typed_order_lines.raw_ordered_at,
        typed_order_lines.raw_amount,
        typed_order_lines.file,
        {{ reason_with_day('typed_order_lines.row_reason', 'typed_order_lines.ordered_at', 'as_of') }}
            as exclusion_reason
    from typed_order_lines
    cross join as_of

)

select * from final
