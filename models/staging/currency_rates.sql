-- depends_on: {{ ref('customer_segmentation', 'source_files') }}
{{ config(materialized='table', pre_hook="{{ guard_locations() }}") }}

with

source_rows as (

    {% if var('currency_rates_location') -%}
    select
        currency,
        month,
        rate
    from (
        {{ raw_rows('currency_rates') }}
    ) as rates
    {%- else -%}
    select
        cast(null as varchar) as currency,
        cast(null as varchar) as month,
        cast(null as varchar) as rate
    where false
    {%- endif %}

),

typed as (

    select
        upper({{ trimmed('cast(currency as varchar)') }}) as currency_code,
        -- A month may be written as any of its days.
        date_trunc(
            'month', try_cast(regexp_replace(cast(month as varchar), '^\s*(\d{4}-\d{2})\s*$', '\1-01') as timestamp)
        ) as month,
        try_cast(rate as decimal(24, 10)) as rate,
        cast(currency as varchar) || ', ' || cast(month as varchar) || ', ' || cast(rate as varchar) as row_text
    from source_rows

),

counted as (

    select
        *,
        count(*) over (partition by currency_code, month) as num_rates
    from typed

),

final as (

    select
        currency_code,
        month,
        case
            when currency_code is null or month is null or coalesce(rate, 0) <= 0
                then error(
                    'currency_rates_location: the row ''' || coalesce(row_text, '(with an empty field)')
                    || ''' is no rate. Give currency (EUR), month (2024-01) and rate, what one unit of it is worth.'
                )
            when num_rates > 1
                then error(
                    'currency_rates_location: ' || currency_code || ' has several rates for '
                    || strftime(month, '%Y-%m') || '. Give one for each month.'
                )
            else rate
        end as rate
    from counted

)

select * from final
