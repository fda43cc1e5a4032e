{{ config(severity='warn') }}
-- The sizes of the segments have moved since the fit. From drift_refit_at on, build once with
-- refit: true; cluster ids stay with their customers.
select * from {{ ref('segment_drift') }}
where drift != 'stable'
