{{ config(severity='warn') }}
-- Customers have moved since the fit (population stability index). From min_drift_to_refit on, build once
-- with refit: true; cluster ids stay with their customers.
select
    metric,
    population_stability_index,
    drift
from {{ ref('customer_segmentation', 'metric_drift') }}
where drift != 'stable' and is_selected
