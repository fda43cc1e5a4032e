{{ config(
    materialized='incremental', incremental_strategy='delete+insert', unique_key='model_version', full_refresh=false
) }}

-- One row more when a fit is due; the tables of this layer then fill the versions that they lack.
with

previous as (

    {% if is_incremental() -%}
    select * from {{ this }}
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
        coalesce(curve_version, model_version) as curve_version
    from {{ ref('restored_registry') }}
    where
        record = 'version'
        -- A fit that was interrupted has no clusters.
        and model_version in (
            select registry.model_version from {{ ref('restored_registry') }} as registry
            where registry.record = 'centroid'
        )
    {%- endif %}

),

latest as (

    select * from previous
    order by model_version desc
    limit 1

),

settings_now as (

    {{ settings_of_this_run() }}

),

-- A setting that the latest fit did not know is adopted, not compared: a new knob refits nobody.
compared as (

    select
        settings_now.name,
        settings_now.decides_curve,
        settings_now.value as value_now,
        {{ stored_setting('latest.settings', 'settings_now') }} as value_then
    from settings_now
    left join latest on true

),

changes as (

    select
        count(*) filter (where value_then != value_now) as num_changed,
        count(*) filter (where value_then != value_now and decides_curve) as num_changed_of_curve,
        '{' || string_agg('"' || name || '": ' || value_now, ', ' order by name) || '}' as settings_now,
        '{' || string_agg('"' || name || '": ' || coalesce(value_then, value_now), ', ' order by name) || '}'
            as settings_adopted
    from compared

),

sampled as (

    select count(*) as num_customers from {{ ref('clustering_sample') }}

),

as_of as (

    select as_of_date from {{ ref('as_of') }}

),

repurchase_curve as (

    select * from {{ ref('repurchase_curve') }}

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
        -- A pinned version comes before all; then the first build; then refit: true; then the settings.
        case
            when {{ var('model_version') is not none }} then null
            when latest.model_version is null then 'first build'
            when {{ var('refit') != false }} then 'refit' || coalesce(curves.curve_anew_because, '')
            when {{ var('refit_on_change') }} and changes.num_changed > 0
                then 'settings changed' || coalesce(curves.curve_anew_because, '')
        end as due_because,
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

fitted as (

    select
        cast(model_version as integer) as model_version,
        {{ sql_text(var('dataset')) }} as dataset,
        fitted_on,
        cast(num_customers as bigint) as num_customers,
        due_because,
        settings,
        'fitted' as origin,
        cast(curve_version as integer) as curve_version
    from due
    where due_because is not null

),

-- The latest of the earlier versions with the settings that it adopts; in a fresh database all of them.
kept as (

    select
        previous.model_version,
        previous.dataset,
        previous.fitted_on,
        previous.num_customers,
        previous.due_because,
        {%- if var('model_version') is none %}
        case
            when previous.model_version = latest.model_version then changes.settings_adopted
            else previous.settings
        end as settings,
        {%- else %}
        previous.settings,
        {%- endif %}
        previous.origin,
        previous.curve_version
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
