-- Two ways to one past: the metrics of each day know the customers that the spells from one event to the next do, each
-- once. One pass over both, which is also what asks for their keys.
with

known as (

    select
        customer_metrics_history.customer_id,
        customer_metrics_history.as_of_date,
        customer_metrics_history.not_clusterable_reason,
        1 as num_in_metrics,
        0 as num_in_history
    from {{ ref('customer_segmentation', 'customer_metrics_history') }} as customer_metrics_history
    inner join {{ ref('customer_segmentation', 'metric_days') }} as metric_days
        on customer_metrics_history.as_of_date = metric_days.as_of_date
    where metric_days.is_for_history
    union all
    select
        customer_id,
        as_of_date,
        case when try_cast(segment_id as integer) is null then segment_id end as not_clusterable_reason,
        0 as num_in_metrics,
        1 as num_in_history
    from {{ ref('customer_segmentation', 'segment_history') }}

)

select
    customer_id,
    as_of_date,
    sum(num_in_metrics) as num_in_metrics,
    sum(num_in_history) as num_in_history,
    min(not_clusterable_reason) as first_reason,
    max(not_clusterable_reason) as last_reason
from known
group by customer_id, as_of_date
having
    sum(num_in_metrics) != 1
    or sum(num_in_history) != 1
    or count(not_clusterable_reason) = 1
    or min(not_clusterable_reason) != max(not_clusterable_reason)
