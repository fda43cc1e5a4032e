-- depends_on: {{ ref('customer_segmentation', 'merged_identifiers') }}
{%- set rows_are = var('rows_are') -%}
{%- set has_lines = rows_are != 'orders' -%}
{%- set fields = checked_var('order_columns') -%}
{%- set own_columns = checked_var('custom_order_columns') -%}
{#- Addresses can't be hashed any more where the key is not known, so that what came of them is stored. -#}
{{ config(materialized='table' if has_lines or identities_are_known() else 'view') }}

with

formats as (

    select
        max(reading) filter (where field = 'amount') as amount_reading,
        max(reading) filter (where field = 'customer_id') as customer_id_reading,
        max(reading) filter (where field = 'order_id') as order_id_reading,
        max(reading) filter (where field = 'currency') as currency_reading
    from {{ ref('customer_segmentation', 'value_formats') }}
    where source = 'orders'

),

currency_rates as (

    select * from {{ ref('customer_segmentation', 'currency_rates') }}

),

mapped as (

    select
        * exclude (customer_id, order_id, line_id),
        {{ trimmed('customer_id') }} as customer_id,
        {{ trimmed('order_id') }} as order_id,
        {{ trimmed('line_id') }} as line_id
    from {{ ref('customer_segmentation', 'raw_order_lines') }}

),

typed as (

    select
        {{ cleaned_id('mapped.customer_id', 'formats.customer_id_reading') }} as customer_id,
        {{ cleaned_id('mapped.order_id', 'formats.order_id_reading') }} as order_id,
        {{ local_timestamp('mapped.ordered_at') }} as ordered_at,
        {{ read_amount('mapped.amount', 'formats.amount_reading') }} as amount,
        -- Some write what was refunded as a negative amount.
        case
            when {{ trimmed('cast(mapped.refunded_amount as varchar)') }} is null then 0
            else abs({{ read_amount('mapped.refunded_amount', 'formats.amount_reading') }})
        end as refunded_amount,
        {{ cleaned_id('mapped.line_id', "'text'") }} as line_id,
        {{ trimmed('mapped.status') }} as status,
        upper({{ trimmed('mapped.currency_code') }}) as currency_code,
        {%- for column in own_columns %}
        mapped.{{ column }},
        {%- endfor %}
        coalesce(mapped.date_text, cast(mapped.ordered_at as varchar)) as raw_ordered_at,
        coalesce(mapped.amount_text, cast(mapped.amount as varchar)) as raw_amount,
        mapped.date_text,
        mapped.amount_text,
        mapped.is_order_row,
        {%- if identities_are_known() %}
        mapped.email_hash,
        {%- endif %}
        mapped.file,
        mapped.row_hash,
        formats.currency_reading
    from mapped
    cross join formats

),

{% if identities_are_known() -%}
-- Several ids of one customer are one, and guests are known by their address.
known as (

    select
        typed.* exclude (customer_id),
        coalesce(
            by_id.customer_id,
            by_address.customer_id,
            {%- if 'email' in checked_var('merge_customers_by') %}
            case when {{ has_no_id('typed.customer_id') }} then typed.email_hash end,
            {%- endif %}
            typed.customer_id
        ) as customer_id
    from typed
    left join {{ ref('customer_segmentation', 'merged_identifiers') }} as by_id
        on by_id.identifier_kind = 'id' and typed.customer_id = by_id.identifier
    left join {{ ref('customer_segmentation', 'merged_identifiers') }} as by_address
        on
            by_address.identifier_kind = 'email'
            and typed.email_hash = by_address.identifier
            and {{ has_no_id('typed.customer_id') }}

),
{%- else -%}
known as (

    select * from typed

),
{%- endif %}

{%- if has_lines %}

-- What an order's lines say together: many exports write what holds for the order on its first line only.
order_fields as (

    select
        order_id,
        min(customer_id) as customer_id,
        min(ordered_at) as ordered_at,
        case when min(status) = max(status) then min(status) end as status,
        case when min(currency_code) = max(currency_code) then min(currency_code) end as currency_code,
        -- Statuses of single lines leave most orders without any.
        avg(cast(max(status) is not null as integer)) over () >= 0.9 as status_is_of_the_order
    from known
    where order_id is not null and is_order_row
    group by order_id
    -- A number that several customers have is of several orders.
    having min(customer_id) = max(customer_id)

),

filled as (

    select
        known.* exclude (customer_id, ordered_at, status, currency_code),
        coalesce(known.customer_id, order_fields.customer_id) as customer_id,
        case
            when known.raw_ordered_at is null then order_fields.ordered_at else known.ordered_at
        end as ordered_at,
        coalesce(
            known.status, case when order_fields.status_is_of_the_order then order_fields.status end
        ) as status,
        coalesce(known.currency_code, order_fields.currency_code) as currency_code
    from known
    left join order_fields on known.is_order_row and known.order_id = order_fields.order_id

),
{%- else %}

filled as (

    select * from known

),
{%- endif %}

{% if rows_are == 'lines_with_order_total' -%}
-- The total stands on each line of its order or on one: it counts on one.
numbered as (

    select
        *,
        row_number() over (
            partition by order_id, customer_id, is_order_row
            order by amount nulls last, ordered_at, line_id, row_hash
        ) as line_number,
        min(amount) over of_order is distinct from max(amount) over of_order as has_several_amounts,
        max(refunded_amount) over of_order as refunded_amount_of_order,
        -- One of its lines has an amount, and none has one that can't be read.
        count(amount) over of_order > 0
        and bool_and(
            refunded_amount is not null and (amount is not null or {{ trimmed('raw_amount') }} is null)
        ) over of_order as has_readable_total
    from filled
    window of_order as (partition by order_id, customer_id, is_order_row)

),

counted as (

    select
        * exclude (amount, refunded_amount, line_number, refunded_amount_of_order, has_readable_total),
        case
            when has_readable_total and line_number = 1 then amount
            when has_readable_total then 0
        end as amount,
        case when line_number = 1 then refunded_amount_of_order else 0 end as refunded_amount
    from numbered

),
{%- else -%}
counted as (

    select
        *,
        false as has_several_amounts
    from filled

),
{%- endif %}

-- In the shop's own currency, by the rate of the month.
converted as (

    select
        counted.* exclude (amount, refunded_amount),
        case
            when counted.currency_reading = 'converted'
                then cast(counted.amount * currency_rates.rate as decimal(18, 4))
            else counted.amount
        end as amount,
        case
            when counted.currency_reading = 'converted'
                then cast(counted.refunded_amount * currency_rates.rate as decimal(18, 4))
            else counted.refunded_amount
        end as refunded_amount,
        counted.amount is not null and currency_rates.rate is null as lacks_rate,
        counted.currency_reading = 'kept'
        and coalesce(counted.currency_code != upper({{ sql_text(var('currency') or '') }}), true) as is_other_currency
    from counted
    left join currency_rates
        on
            counted.currency_code = currency_rates.currency_code
            and date_trunc('month', counted.ordered_at) = currency_rates.month

),

-- Why a row does not count by itself, before others with its line id are looked at.
judged as (

    select
        * exclude (amount),
        {{ 'amount - refunded_amount' if var('returns') == 'net' else 'amount' }} as amount,
        case
            when not is_order_row then 'no_order_row'
            when customer_id is null then 'missing_customer_id'
            when {{ is_one_of('customer_id', checked_var('guest_customer_ids')) }} then 'guest'
            {%- if has_lines %}
            when order_id is null then 'missing_order_id'
            {%- endif %}
            when ordered_at is null or not isfinite(ordered_at) then 'unreadable_date'
            when currency_reading = 'converted' and lacks_rate then 'missing_currency_rate'
            when amount is null or refunded_amount is null then 'unreadable_amount'
            when {{ counted_as('status') }} = 'no_purchase' then 'excluded_status'
            when has_several_amounts then 'several_order_totals'
            when is_other_currency then 'other_currency'
            {%- if var('returns') == 'exclude' %}
            when amount < 0 then 'return'
            {%- endif %}
        end as own_reason
    from converted

),

final as (

    select
        customer_id,
        order_id,
        ordered_at,
        cast(amount as decimal(18, 4)) as amount,
        cast({{ 'refunded_amount' if var('returns') == 'net' else '0' }} as decimal(18, 4)) as refunded_amount,
        line_id,
        status,
        currency_code,
        coalesce(is_other_currency, false) as is_other_currency,
        {%- for column in own_columns %}
        {{ column }},
        {%- endfor %}
        raw_ordered_at,
        raw_amount,
        file,
        row_hash,
        case own_reason when 'unreadable_date' then date_text when 'unreadable_amount' then amount_text end
            as unreadable_text,
        {%- if fields.get('line_id') %}
        -- Of rows that share a line id the first readable one counts, by order date, then by its other
        -- values, whatever the order of the rows.
        case
            when own_reason is not null then own_reason
            when
                line_id is not null
                and row_number() over (
                    partition by line_id
                    order by
                        own_reason nulls first, ordered_at, order_id, customer_id,
                        amount{{ ' desc' if rows_are == 'lines_with_order_total' }},
                        {{ (['status'] + own_columns | list) | join(', ') }}
                ) > 1
                then 'repeated_line_id'
        end as row_reason
        {%- else %}
        own_reason as row_reason
        {%- endif %}
    from judged

)

select * from final
