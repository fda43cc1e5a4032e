with

stg_order_lines as (

    select * from {{ ref('customer_segmentation', 'stg_order_lines') }}

),

unreadable_rows as (

    select * from {{ ref('customer_segmentation', 'unreadable_rows') }}
    where source = 'orders'

),

final as (

    select
        customer_id,
        order_id,
        ordered_at,
        amount,
        refunded_amount,
        currency_code,
        line_id,
        status,
        raw_ordered_at,
        raw_amount,
        file,
        cast(null as bigint) as line,
        cast(null as varchar) as problem,
        exclusion_reason
    from stg_order_lines
    where exclusion_reason is not null
    union all
    select
        null as customer_id,
        null as order_id,
        null as ordered_at,
        null as amount,
        null as refunded_amount,
        null as currency_code,
        null as line_id,
        null as status,
        null as raw_ordered_at,
        null as raw_amount,
        file,
        line,
        problem,
        'unreadable_row' as exclusion_reason
    from unreadable_rows

)

select * from final
