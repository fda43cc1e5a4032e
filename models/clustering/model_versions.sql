{{ config(
    materialized='incremental', incremental_strategy='delete+insert', unique_key='model_version', full_refresh=false
) }}

-- One row more when a fit is due; the tables of this layer then fill the versions that they lack.
with

previous as (

    {% if is_incremental() -%}
    select * from {{ this }}
    where purpose = 'serves'
    {%- else -%}
    -- A fresh database takes the versions of a registry, if one is given.
    select
        model_version,
        dataset,
        fitted_on,
        num_customers,
        due_because,
        settings,
        'restored' as origin,
        coalesce(curve_version, model_version) as curve_version,
        'serves' as purpose,
        model_version as served_version
    from {{ ref('customer_segmentation', 'restored_registry') }}
    where
        record = 'version'
        -- A fit that was interrupted has no clusters.
        and model_version in (
            select registry.model_version from {{ ref('customer_segmentation', 'restored_registry') }} as registry
            where registry.record = 'centroid'
        )
    {%- endif %}

),

latest as (

    select * from previous
    order by model_version desc
    limit 1

),

{{ changes_since('latest') }},

sampled as (

    select count(*) as num_customers from {{ ref('customer_segmentation', 'clustering_sample') }}

),

as_of as (

    select as_of_date from {{ ref('customer_segmentation', 'as_of') }}

),

repurchase_curve as (

    select repurchase_curve.*
    from {{ ref('customer_segmentation', 'repurchase_curve') }} as repurchase_curve
    inner join as_of on repurchase_curve.as_of_date = as_of.as_of_date

),

-- The curve that a refit would inherit, over its window; no rows if there is none.
inherited_curve as (

    select known_curves.*
    from {{ known_curves() }} as known_curves
    inner join latest on known_curves.model_version = coalesce(latest.curve_version, latest.model_version)
    qualify known_curves.window_days = min(known_curves.window_days) over ()

),

-- The same curve as it would be measured today.
new_curve as (

    select repurchase_curve.*
    from repurchase_curve
    semi join inherited_curve on repurchase_curve.window_days = inherited_curve.window_days

),

{{ calibration('inherited', 'inherited_curve', 'repurchase_curve') }},

{{ calibration('new', 'new_curve', 'repurchase_curve') }},

inherited as (

    select count(*) as num_cells from inherited_curve

),

-- Whether a refit keeps the curve and the limits, and if not, why.
curves as (

    select
        case
            when inherited.num_cells = 0 then ''
            when {{ var('refit') == 'anew' }} then ', the curve too as asked'
            when changes.num_changed_of_curve > 0 then ', the curve too as its settings changed'
            when inherited_error.mean_error > new_error.mean_error + {{ max_excess_of_curve_error() }}
                then ', the curve too as it was out of date'
        end as curve_anew_because
    from changes
    cross join inherited
    cross join inherited_error
    cross join new_error

),

due as (

    select
        coalesce(latest.model_version, 0) + 1 as model_version,
        as_of.as_of_date as fitted_on,
        sampled.num_customers,
        {{ fit_is_due_because('latest', "coalesce(curves.curve_anew_because, '')") }} as due_because,
        case
            when latest.model_version is null or curves.curve_anew_because is not null
                then coalesce(latest.model_version, 0) + 1
            else coalesce(latest.curve_version, latest.model_version)
        end as curve_version,
        changes.settings_now as settings
    from sampled
    cross join as_of
    cross join changes
    cross join curves
    left join latest on true

),

-- As of one and two windows ago, if there were enough customers then.
past_days as (

    select
        metric_days.as_of_date,
        metric_days.is_for_choosing,
        count(*) as num_customers
    from {{ ref('customer_segmentation', 'metric_days') }} as metric_days
    inner join {{ ref('customer_segmentation', 'customer_metrics_history') }} as customer_metrics_history
        on metric_days.as_of_date = customer_metrics_history.as_of_date and customer_metrics_history.is_clusterable
    where
        metric_days.is_for_grading
        {%- if var('segment_count') == 'auto' and var('segment_count_by') == 'foresight' %}
        or metric_days.is_for_choosing
        {%- endif %}
    group by metric_days.as_of_date, metric_days.is_for_choosing
    having count(*) >= {{ var('min_customers') }}

),

fits as (

    select
        model_version,
        fitted_on,
        num_customers,
        due_because,
        settings,
        curve_version,
        'serves' as purpose,
        model_version as served_version
    from due
    where due_because is not null
    union all
    -- Numbered below zero, as they never score today.
    select
        -2 * due.model_version + cast(not past_days.is_for_choosing as integer) as model_version,
        past_days.as_of_date as fitted_on,
        least(past_days.num_customers, {{ var('clustering_sample_size') }}) as num_customers,
        case
            when past_days.is_for_choosing then 'chooses the number of segments'
            else 'graded by what happened since'
        end as due_because,
        due.settings,
        -2 * due.model_version + cast(not past_days.is_for_choosing as integer) as curve_version,
        case when past_days.is_for_choosing then 'chooses' else 'grades' end as purpose,
        due.model_version as served_version
    from due
    cross join past_days
    where due.due_because is not null

),

fitted as (

    select
        cast(model_version as integer) as model_version,
        {{ sql_text(var('dataset')) }} as dataset,
        fitted_on,
        cast(num_customers as bigint) as num_customers,
        due_because,
        settings,
        'fitted' as origin,
        cast(curve_version as integer) as curve_version,
        purpose,
        cast(served_version as integer) as served_version
    from fits

),

-- The latest of the earlier versions with the settings that it adopts; in a fresh database all of them.
kept as (

    select
        previous.model_version,
        previous.dataset,
        previous.fitted_on,
        previous.num_customers,
        previous.due_because,
        {%- if pinned_version() is none %}
        case
            when previous.model_version = latest.model_version then changes.settings_adopted
            else previous.settings
        end as settings,
        {%- else %}
        previous.settings,
        {%- endif %}
        previous.origin,
        previous.curve_version,
        previous.purpose,
        previous.served_version
    from previous
    cross join latest
    cross join changes
    {%- if is_incremental() %}
    where previous.model_version = latest.model_version
    {%- endif %}

),

final as (

    select * from fitted
    union all
    select * from kept

)

select * from final
