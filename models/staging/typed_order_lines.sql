{%- set rows_are_orders = var('rows_are') == 'orders' -%}
{{ config(materialized='view' if rows_are_orders else 'table') }}

with

mapped as (

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
        {%- for column in var('custom_order_columns') %}
        {{ column }},
        {%- endfor %}
        cast(ordered_at as varchar) as raw_ordered_at,
        cast(amount as varchar) as raw_amount,
        row_hash
    from mapped

),

-- Why a row does not count by itself, before others with its line id are looked at.
judged as (

    select
        *,
        case
            when customer_id is null then 'missing_customer_id'
            when {{ is_one_of('customer_id', var('guest_customer_ids')) }} then 'guest'
            {%- if not rows_are_orders %}
            when order_id is null then 'missing_order_id'
            {%- endif %}
            when ordered_at is null or not isfinite(ordered_at) then 'unreadable_date'
            when amount is null then 'unreadable_amount'
            when {{ is_one_of('status', var('excluded_statuses')) }} then 'excluded_status'
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
        {%- for column in var('custom_order_columns') %}
        {{ column }},
        {%- endfor %}
        raw_ordered_at,
        raw_amount,
        row_hash,
        {%- if var('order_columns').get('line_id') %}
        -- Of rows that share a line id the first readable one counts, by order date, then by its other
        -- values, whatever the order of the rows.
        case
            when own_reason is not null then own_reason
            when
                line_id is not null
                and row_number() over (
                    partition by line_id
                    order by
                        own_reason nulls first, ordered_at, order_id, customer_id, amount,
                        {{ (['status'] + var('custom_order_columns') | list) | join(', ') }}
                ) > 1
                then 'repeated_line_id'
        end as row_reason
        {%- else %}
        own_reason as row_reason
        {%- endif %}
    from judged

)

select * from final
