{{ config(materialized='table') }}

{#- Rows that repeat another row in every raw column: only asked where no line id tells rows apart. -#}
{%- set repeats_are_counted = var('rows_are') != 'orders' and not checked_var('order_columns').get('line_id') -%}
-- The one pass over all rows that the as-of date and the ledger of exclusions both live on.
with

typed_order_lines as (

    select
        *,
        cast(case when isfinite(ordered_at) then ordered_at end as date) as order_date
    from {{ ref('customer_segmentation', 'typed_order_lines') }}

),

counted as (

    select
        order_date,
        row_reason,
        file,
        count(*) as num_rows,
        -- Never added up over currencies.
        coalesce(sum(amount) filter (where not is_other_currency), 0) as amount,
        coalesce(sum(abs(amount)) filter (where not is_other_currency), 0) as absolute_amount,
        -- Some of the values that could not be read, so that their form is seen.
        min(left(unreadable_text, 40), 20) as unreadable_values
    from typed_order_lines
    group by order_date, row_reason, file

),
{%- if repeats_are_counted %}

-- Over all files, since exports overlap: written down with the day's first file.
repeated as (

    select
        order_date,
        row_reason,
        min(file) as file,
        count(*) - count(distinct row_hash) as num_repeated_rows
    from typed_order_lines
    group by order_date, row_reason

),
{%- endif %}

final as (

    select
        counted.order_date,
        counted.row_reason,
        counted.file,
        counted.num_rows,
        {%- if repeats_are_counted %}
        coalesce(repeated.num_repeated_rows, 0) as num_repeated_rows,
        {%- else %}
        0 as num_repeated_rows,
        {%- endif %}
        counted.amount,
        counted.absolute_amount,
        counted.unreadable_values
    from counted
    {%- if repeats_are_counted %}
    left join repeated
        on
            counted.order_date is not distinct from repeated.order_date
            and counted.row_reason is not distinct from repeated.row_reason
            and counted.file is not distinct from repeated.file
    {%- endif %}

)

select * from final
