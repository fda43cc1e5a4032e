with

stg_order_lines as (

    select * from {{ ref('stg_order_lines') }}

),

final as (

    select
        customer_id,
        order_id,
        ordered_at,
        amount,
        line_id,
        status,
        raw_ordered_at,
        raw_amount,
        exclusion_reason
    from stg_order_lines
    where exclusion_reason is not null

)

select * from final
