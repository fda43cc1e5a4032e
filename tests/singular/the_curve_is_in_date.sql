{{ config(severity='warn') }}
-- Over the last window the frozen repurchase curve foretold clearly worse than a new one would have: a refit
-- (refit: true) measures it anew.
select
    decile,
    foretold_share,
    ordered_share,
    mean_error,
    mean_error_of_new_curve
from {{ ref('customer_segmentation', 'curve_calibration') }}
where is_out_of_date
