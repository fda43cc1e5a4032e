{{ config(severity='warn') }}
-- Settings of the clustering, or the way that orders are read, changed since the fit, and refit_on_change is false or
-- a version is pinned: the segments are still those of the old settings. Build once with refit: true.
select
    setting,
    value_before,
    value
from {{ ref('customer_segmentation', 'setting_changes') }}
where not is_fitted
