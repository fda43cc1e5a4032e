-- The last row of each customer's history is their row of customer_segments.
with

placed as (

    select
        segment_history.customer_id,
        segment_history.segment_id,
        segment_history.segment,
        segment_history.lifecycle_stage,
        1 as num_in_history,
        0 as num_today
    from {{ ref('customer_segmentation', 'segment_history') }} as segment_history
    inner join {{ ref('customer_segmentation', 'as_of') }} as as_of on segment_history.as_of_date = as_of.as_of_date
    union all
    select
        customer_id,
        segment_id,
        segment,
        lifecycle_stage,
        0 as num_in_history,
        1 as num_today
    from {{ ref('customer_segmentation', 'customer_segments') }}

)

select
    customer_id,
    segment_id,
    segment,
    lifecycle_stage,
    sum(num_in_history) as num_in_history,
    sum(num_today) as num_today
from placed
group by customer_id, segment_id, segment, lifecycle_stage
having sum(num_in_history) != 1 or sum(num_today) != 1
