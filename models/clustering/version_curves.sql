{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false) }}

-- A refit copies the curve of the version before, unless model_versions says that it is measured anew.
with

known as (

    select * from {{ known_rows('curve') }}

),

{{ versions_without_rows() }},

-- Today's windows; of a fit of the past those that it is judged over.
windows as (

    select
        metric_days.as_of_date,
        repurchase_windows.window_days
    from {{ ref('customer_segmentation', 'metric_days') }} as metric_days
    inner join {{ ref('customer_segmentation', 'repurchase_windows') }} as repurchase_windows
        on
            case
                when metric_days.is_today then repurchase_windows.is_window or repurchase_windows.is_longer_window
                else repurchase_windows.window_days in (metric_days.window_days, metric_days.longer_window_days)
            end

),

repurchase_curve as (

    select * from {{ ref('customer_segmentation', 'repurchase_curve') }}

),

measured as (

    select
        lacking.model_version,
        repurchase_curve.window_days,
        repurchase_curve.order_class,
        repurchase_curve.gap_class,
        repurchase_curve.silence_from,
        repurchase_curve.silence_to,
        repurchase_curve.num_at_risk,
        repurchase_curve.repurchase_probability
    from lacking
    inner join repurchase_curve on lacking.as_of_date = repurchase_curve.as_of_date
    inner join windows
        on lacking.as_of_date = windows.as_of_date and repurchase_curve.window_days = windows.window_days
    where lacking.rows_from is null

),

copied as (

    select
        lacking.model_version,
        known.* exclude (model_version) -- noqa: RF02
    from lacking
    inner join known on lacking.rows_from = known.model_version

),

final as (

    select * from measured
    union all
    select * from copied

)

select * from final
