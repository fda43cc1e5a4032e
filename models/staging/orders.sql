{{ config(materialized='view' if rows_are_orders() else 'table') }}

with

accepted_lines as (

    select * from {{ ref('stg_order_lines') }}
    where exclusion_reason is null

),

final as (

    {{ orders_from_rows('accepted_lines') if rows_are_orders() else orders_from_lines('accepted_lines') }}

)

select * from final
