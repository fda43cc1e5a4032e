{{ config(materialized='table') }}

-- One pass over the columns whose text can be read in more than one way. The columns decide as a whole; what the
-- type settles (numbers in a Parquet file) is not looked at.
{%- set has_currency = checked_var('order_columns').get('currency') -%}
{%- set id_fields = [('orders', 'customer_id'), ('orders', 'order_id'), ('customers', 'customer_id')] %}
with

order_lines as not materialized (

    select
        customer_id,
        order_id,
        typeof(amount) as type,
        case when typeof(amount) = 'VARCHAR' then cast(amount as varchar) end as amount,
        -- For what 4 decimals lose; whole numbers and money's own types lose nothing.
        case
            when
                typeof(amount) in ('DOUBLE', 'FLOAT', 'VARCHAR')
                or regexp_matches(typeof(amount), '[(]\d+,([5-9]|\d\d)[)]')
                then try_cast(amount as double)
        end as exact_amount
    from {{ ref('customer_segmentation', 'raw_order_lines') }}
    where is_order_row

),

-- What a cast reads has a decimal point or none, unless three digits follow it.
kinds as (

    select
        *,
        case
            when isfinite(exact_amount) and not contains(amount, '.') then 'no separator'
            when isfinite(exact_amount) and not regexp_full_match(amount, '\s*[+-]?\d+[.]\d{3}\s*') then 'decimal point'
            when amount is null or {{ trimmed('amount') }} is null then null
            else {{ amount_kind('amount') }}
        end as kind
    from order_lines

),

counted as materialized (

    select
        coalesce(any_value(type), 'VARCHAR') as type,
        count(amount) filter (where kind is not null) as num_values,
        count(*) filter (where kind = 'decimal point') as num_decimal_point,
        count(*) filter (where kind = 'decimal comma') as num_decimal_comma,
        count(*) filter (where kind = 'ambiguous') as num_ambiguous,
        count(*) filter (where kind = 'unreadable') as num_unreadable,
        -- Three different examples of each kind, of the hundred that come first in the alphabet.
        {%- for kind in ['decimal point', 'decimal comma', 'ambiguous', 'unreadable'] %}
        list_sort(list_distinct(min(amount, 100) filter (where kind = '{{ kind }}')))[:3]
            as {{ kind | replace(' ', '_') }}_examples,
        {%- endfor %}
        {%- set sign = "nullif(upper(regexp_extract(amount, '" ~ currency_pattern() ~ "')), '')" %}
        {{ num_distinct_of_few("case when kind != 'unreadable' and exact_amount is null then " ~ sign ~ " end") }}
            as num_currencies,
        {%- for field in ['customer_id', 'order_id'] %}
        {{ id_counts(field) }},
        {%- endfor %}
        count(*) filter (where isfinite(exact_amount) and abs(exact_amount) > 1e-9) as num_exact,
        count(*) filter (where abs(exact_amount) > 1e-9 and abs(exact_amount) < 0.00005) as num_lost,
        min(exact_amount) filter (where abs(exact_amount) > 1e-9 and abs(exact_amount) < 0.00005) as lost_example,
        sum(abs(exact_amount)) filter (where isfinite(exact_amount)) as exact_total,
        sum(abs(exact_amount - round(exact_amount, 4))) filter (where isfinite(exact_amount)) as lost_total
    from kinds

),

counted_listings as (

    select {{ id_counts('customer_id') }}
    from {{ ref('customer_segmentation', 'raw_customer_listings') }}

),

-- One reading, if the evidence is for one only, or at least 95 % of it are.
amount_reading as (

    select
        *,
        case
            when type != 'VARCHAR' then 'number'
            when num_decimal_point >= 0.95 * (num_decimal_point + num_decimal_comma) and num_decimal_point > 0
                then 'decimal point'
            when num_decimal_comma >= 0.95 * (num_decimal_point + num_decimal_comma) and num_decimal_comma > 0
                then 'decimal comma'
            when num_decimal_point > 0 then 'plain numbers'
            when num_ambiguous > 0 then 'ambiguous'
            else 'decimal point'
        end as reading
    from counted

),

-- Amounts that the columns of this project can't hold stop the build before anything is replaced.
guarded as (

    select
        *,
        case
            when num_lost > 0.001 * num_exact or lost_total > 0.001 * exact_total
                then error(
                    'order_columns: amounts have more than 4 decimals, which are not kept: ' || num_lost || ' of '
                    || num_exact || ' would become 0' || coalesce(' (' || lost_example || ')', '')
                    || '. Count in a smaller unit in the mapping, as in {amount: 1000000 * amount}.'
                )
            else reading
        end as checked_reading
    from amount_reading

),
{%- if has_currency %}

-- Amounts of several currencies are never added up: one is kept, or they are converted.
currencies as (

    select
        upper({{ trimmed('currency_code') }}) as code,
        count(*) as num_rows
    from {{ ref('customer_segmentation', 'raw_order_lines') }}
    where is_order_row and {{ trimmed('currency_code') }} is not null
    group by code

),

counted_currencies as (

    select
        count(*) as num_currencies,
        sum(num_rows) as num_values,
        coalesce(bool_or(code = upper({{ sql_text(var('currency') or '') }})), false) as has_kept,
        array_to_string(
            (list(code || ' (' || format('{:,}', num_rows) || ' rows)' order by num_rows desc, code asc))[:5], ', '
        ) as examples
    from currencies

),

guarded_currencies as (

    select
        num_currencies,
        num_values,
        {% if var('currency_rates_location') -%}
        'converted' as reading
        {%- else -%}
        case
            when num_currencies > 1 and not has_kept
                then error(
                    'order_columns: the amounts are in ' || num_currencies || ' currencies, which are never added up: '
                    || examples || '. Name the one to keep in the var currency, which leaves the others out, or convert'
                    || ' them by currency_rates_location.'
                )
            when num_currencies = 1 and not has_kept and {{ (var('currency') is not none and modules.re.match('^[A-Za-z]{3}$', var('currency') | string) is not none) | lower }}
                then error(
                    'currency: the amounts are not in ' || upper({{ sql_text(var('currency') or '') }}) || ' but in ' || examples
                    || '. Name that one, or convert them by currency_rates_location.'
                )
            when num_currencies > 1 then 'kept'
            else 'one currency'
        end as reading
        {%- endif %}
    from counted_currencies

),
{%- endif %}

amounts as (

    select
        'orders' as source,
        'amount' as field,
        type,
        checked_reading as reading,
        num_values,
        num_decimal_point,
        num_decimal_comma,
        num_ambiguous,
        case
            when reading = 'decimal point' then num_unreadable + num_decimal_comma
            when reading = 'decimal comma' then num_unreadable + num_decimal_point
            when reading = 'plain numbers' then num_unreadable + num_decimal_comma + num_ambiguous
            when reading = 'ambiguous' then num_unreadable + num_ambiguous
        end as num_unreadable,
        list_concat(
            case when reading in ('decimal point', 'plain numbers') then decimal_comma_examples end,
            case when reading = 'decimal comma' then decimal_point_examples end,
            case when reading in ('plain numbers', 'ambiguous') then ambiguous_examples end,
            unreadable_examples
        )[:3] as unreadable_examples,
        num_currencies,
        cast(null as bigint) as num_point_zero,
        cast(null as bigint) as num_scientific
    from guarded

),

final as (

    select * from amounts
    {%- if has_currency %}
    union all
    select
        'orders' as source,
        'currency' as field,
        'VARCHAR' as type,
        reading,
        num_values,
        null as num_decimal_point,
        null as num_decimal_comma,
        null as num_ambiguous,
        null as num_unreadable,
        null as unreadable_examples,
        num_currencies,
        null as num_point_zero,
        null as num_scientific
    from guarded_currencies
    {%- endif %}
    {%- for source, field in id_fields %}
    union all
    select
        '{{ source }}' as source,
        '{{ field }}' as field,
        'VARCHAR' as type,
        case when num_{{ field }}_point_zero > 0 and num_{{ field }}_other = 0 then 'whole number' else 'text' end
            as reading,
        null as num_values,
        null as num_decimal_point,
        null as num_decimal_comma,
        null as num_ambiguous,
        null as num_unreadable,
        null as unreadable_examples,
        null as num_currencies,
        num_{{ field }}_point_zero as num_point_zero,
        num_{{ field }}_scientific as num_scientific
    from {{ 'counted' if source == 'orders' else 'counted_listings' }}
    {%- endfor %}

)

select * from final
