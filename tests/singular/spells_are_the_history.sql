-- Two ways to one past: the metrics of each day know the customers that the spells from one event to the next do, each
-- once. One pass over both, which is also what asks for their keys, by hashes: of texts and days, twice as much went to
-- the disk. The rows of a hash that is not there once of each are looked at themselves.
with

known as (

    select
        customer_metrics_history.customer_id,
        customer_metrics_history.as_of_date,
        customer_metrics_history.not_clusterable_reason,
        true as is_in_metrics
    from {{ ref('customer_segmentation', 'customer_metrics_history') }} as customer_metrics_history
    inner join {{ ref('customer_segmentation', 'metric_days') }} as metric_days
        on customer_metrics_history.as_of_date = metric_days.as_of_date
    where metric_days.is_for_history
    union all
    select
        customer_id,
        as_of_date,
        case when try_cast(segment_id as integer) is null then segment_id end as not_clusterable_reason,
        false as is_in_metrics
    from {{ ref('customer_segmentation', 'segment_history') }}

),

hashed as not materialized (

    select
        *,
        hash(customer_id, as_of_date, not_clusterable_reason) as row_hash
    from known

),

unpaired as (

    select row_hash
    from hashed
    group by row_hash
    having count(*) filter (where is_in_metrics) != 1 or count(*) filter (where not is_in_metrics) != 1

)

select
    customer_id,
    as_of_date,
    count(*) filter (where is_in_metrics) as num_in_metrics,
    count(*) filter (where not is_in_metrics) as num_in_history,
    min(not_clusterable_reason) as first_reason,
    max(not_clusterable_reason) as last_reason
from hashed
where row_hash in (select unpaired.row_hash from unpaired)
group by customer_id, as_of_date
having
    count(*) filter (where is_in_metrics) != 1
    or count(*) filter (where not is_in_metrics) != 1
    or count(not_clusterable_reason) = 1
    or min(not_clusterable_reason) != max(not_clusterable_reason)
