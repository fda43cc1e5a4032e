{{ config(severity='warn') }}
-- The shares of the lifecycle stages have moved since the fit. Look at the shop before you refit: more lapsed customers
-- are news, and a refit keeps the curve that says who is lapsed.
select
    lifecycle_stage,
    share_at_fit,
    share_now,
    population_stability_index,
    drift
from {{ ref('customer_segmentation', 'stage_drift') }}
where drift != 'stable'
