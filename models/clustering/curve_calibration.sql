with

repurchase_curve as (

    select repurchase_curve.*
    from {{ ref('customer_segmentation', 'repurchase_curve') }} as repurchase_curve
    inner join {{ ref('customer_segmentation', 'as_of') }} as as_of on repurchase_curve.as_of_date = as_of.as_of_date

),

limits as (

    {{ limits_of_active_version() }}

),

frozen_curve as (

    select version_curves.*
    from {{ ref('customer_segmentation', 'version_curves') }} as version_curves
    inner join limits on version_curves.window_days = limits.repurchase_window_days
    where version_curves.model_version = {{ active_version() }}

),

new_curve as (

    select repurchase_curve.*
    from repurchase_curve
    inner join limits on repurchase_curve.window_days = limits.repurchase_window_days

),

{{ calibration('frozen', 'frozen_curve', 'repurchase_curve') }},

{{ calibration('new', 'new_curve', 'repurchase_curve') }},

final as (

    select
        cast(frozen_deciles.decile as integer) as decile,
        cast(frozen_deciles.num_customers as bigint) as num_customers,
        round(frozen_deciles.foretold_share, 6) as foretold_share,
        round(frozen_deciles.ordered_share, 6) as ordered_share,
        round(frozen_error.mean_error, 6) as mean_error,
        round(new_error.mean_error, 6) as mean_error_of_new_curve,
        frozen_error.mean_error > new_error.mean_error + {{ max_excess_of_curve_error() }} as is_out_of_date
    from frozen_deciles
    cross join frozen_error
    cross join new_error

)

select * from final
