{{ config(materialized='view') }}

with

customer_metrics_history as (

    select * from {{ ref('customer_segmentation', 'customer_metrics_history') }}

),

{{ scored_by_rfm('scored', 'customer_metrics_history') }},

final as (

    select * from scored

)

select * from final
