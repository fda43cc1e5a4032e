{{ config(severity='warn') }}
-- The sizes of the segments have moved since the fit. From min_drift_to_refit on, build once with
-- refit: true; cluster ids stay with their customers.
select
    segment,
    population_stability_index,
    drift
from {{ ref('customer_segmentation', 'segment_drift') }}
where drift != 'stable'
