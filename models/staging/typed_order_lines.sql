{%- set rows_are_orders = var('rows_are') == 'orders' -%}
{{ config(materialized='view' if rows_are_orders else 'table') }}

with

formats as (

    select
        max(reading) filter (where field = 'amount') as amount_reading,
        max(reading) filter (where field = 'customer_id') as customer_id_reading,
        max(reading) filter (where field = 'order_id') as order_id_reading
    from {{ ref('value_formats') }}
    where source = 'orders'

),

mapped as (

    select
        * exclude (customer_id, order_id, line_id),
        {{ trimmed('customer_id') }} as customer_id,
        {{ trimmed('order_id') }} as order_id,
        {{ trimmed('line_id') }} as line_id
    from {{ ref('raw_order_lines') }}

),

typed as (

    select
        {{ cleaned_id('mapped.customer_id', 'formats.customer_id_reading') }} as customer_id,
        {{ cleaned_id('mapped.order_id', 'formats.order_id_reading') }} as order_id,
        {{ local_timestamp('mapped.ordered_at') }} as ordered_at,
        {{ read_amount('mapped.amount', 'formats.amount_reading') }} as amount,
        {{ cleaned_id('mapped.line_id', "'text'") }} as line_id,
        {{ trimmed('mapped.status') }} as status,
        {{ trimmed('mapped.currency_code') }} as currency_code,
        {%- for column in checked_var('custom_order_columns') %}
        mapped.{{ column }},
        {%- endfor %}
        coalesce(mapped.date_text, cast(mapped.ordered_at as varchar)) as raw_ordered_at,
        coalesce(mapped.amount_text, cast(mapped.amount as varchar)) as raw_amount,
        mapped.date_text,
        mapped.amount_text,
        mapped.file,
        mapped.row_hash
    from mapped
    cross join formats

),

-- Why a row does not count by itself, before others with its line id are looked at.
judged as (

    select
        *,
        case
            when customer_id is null then 'missing_customer_id'
            when {{ is_one_of('customer_id', checked_var('guest_customer_ids')) }} then 'guest'
            {%- if not rows_are_orders %}
            when order_id is null then 'missing_order_id'
            {%- endif %}
            when ordered_at is null or not isfinite(ordered_at) then 'unreadable_date'
            when amount is null then 'unreadable_amount'
            when {{ counted_as('status') }} = 'no_purchase' then 'excluded_status'
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
        currency_code,
        {%- for column in checked_var('custom_order_columns') %}
        {{ column }},
        {%- endfor %}
        raw_ordered_at,
        raw_amount,
        file,
        row_hash,
        case own_reason when 'unreadable_date' then date_text when 'unreadable_amount' then amount_text end
            as unreadable_text,
        {%- if checked_var('order_columns').get('line_id') %}
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
                        {{ (['status'] + checked_var('custom_order_columns') | list) | join(', ') }}
                ) > 1
                then 'repeated_line_id'
        end as row_reason
        {%- else %}
        own_reason as row_reason
        {%- endif %}
    from judged

)

select * from final
