-- Two ways to one past: month by month from the metrics of the day, and in spells from one event to the next.
select
    customer_id,
    as_of_date,
    segment_id,
    served_segment_id
from {{ ref('customer_segmentation', 'segment_history') }}
where
    served_segment_id is null
    or (served_version = {{ active_version() }} and served_segment_id != segment_id)
