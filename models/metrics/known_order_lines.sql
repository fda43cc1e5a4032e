{{ config(materialized='view') }}

with

metric_days as (

    select * from {{ ref('customer_segmentation', 'metric_days') }}

),

accepted_lines as (

    select * from {{ ref('customer_segmentation', 'stg_order_lines') }}
    where exclusion_reason is null

),

final as (

    select
        metric_days.as_of_date,
        metric_days.metrics_window_start,
        accepted_lines.customer_id,
        accepted_lines.order_id,
        accepted_lines.line_id,
        accepted_lines.ordered_at,
        accepted_lines.amount,
        {%- for column in checked_var('custom_order_columns') %}
        accepted_lines.{{ column }},
        {%- endfor %}
        accepted_lines.status
    from metric_days
    inner join accepted_lines on metric_days.as_of_date > accepted_lines.ordered_at

)

select * from final
