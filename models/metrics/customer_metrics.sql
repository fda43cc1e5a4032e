with

customer_metrics_history as (

    select * from {{ ref('customer_segmentation', 'customer_metrics_history') }}

),

as_of as (

    select as_of_date from {{ ref('customer_segmentation', 'as_of') }}

),

final as (

    select customer_metrics_history.*
    from customer_metrics_history
    inner join as_of on customer_metrics_history.as_of_date = as_of.as_of_date

)

-- noqa: disable=AM04
select * from final
