{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false) }}

-- A refit copies the curve of the version before, unless model_versions says that it is measured anew.
with

known as (

    select * from {{ known_rows('curve') }}

),

{{ versions_without_rows() }},

repurchase_windows as (

    select * from {{ ref('repurchase_windows') }}
    where is_window or is_longer_window

),

repurchase_curve as (

    select * from {{ ref('repurchase_curve') }}

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
    cross join repurchase_curve
    inner join repurchase_windows using (window_days)
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
