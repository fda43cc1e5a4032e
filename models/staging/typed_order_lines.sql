{{ config(materialized='view' if rows_are_orders() else 'table') }}

with

raw_order_lines as (

    select * from {{ ref('raw_order_lines') }}

),

typed as (

    select
        {{ trimmed('customer_id') }} as customer_id,
        {{ trimmed('order_id') }} as order_id,
        {{ local_timestamp('ordered_at') }} as ordered_at,
        try_cast(amount as decimal(18, 4)) as amount,
        {{ trimmed('line_id') }} as line_id,
        {{ trimmed('status') }} as status,
        cast(ordered_at as varchar) as raw_ordered_at,
        cast(amount as varchar) as raw_amount,
        row_hash
    from raw_order_lines

),

judged as (

    select
        *,
        case
            when customer_id is null then 'missing_customer_id'
            when {{ is_one_of('customer_id', 'guest_customer_ids') }} then 'guest'
            {%- if not rows_are_orders() %}
            when order_id is null then 'missing_order_id'
            {%- endif %}
            when ordered_at is null or not isfinite(ordered_at) then 'unreadable_date'
            when amount is null then 'unreadable_amount'
            when {{ is_one_of('status', 'excluded_statuses') }} then 'excluded_status'
            {%- if var('returns') == 'exclude' %}
            when amount < 0 then 'return'
            {%- endif %}
        end as own_reason
    from typed

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
        row_hash,
        {{ row_reason() }} as row_reason
    from judged

)

select * from final
