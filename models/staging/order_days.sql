{{ config(materialized='table') }}

-- The one pass over all rows that the as-of date and the ledger of exclusions both live on.
with

typed_order_lines as (

    select * from {{ ref('typed_order_lines') }}

),

final as (

    select
        cast(case when isfinite(ordered_at) then ordered_at end as date) as order_date,
        row_reason,
        count(*) as num_rows,
        -- Rows that repeat another row in every raw column: only asked where no line id tells rows apart.
        {%- if var('rows_are') == 'orders' or var('order_columns').get('line_id') %}
        0 as num_repeated_rows,
        {%- else %}
        count(*) - count(distinct row_hash) as num_repeated_rows,
        {%- endif %}
        coalesce(sum(amount), 0) as amount
    from typed_order_lines
    group by 1, 2

)

select * from final
