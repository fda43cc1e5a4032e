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
    select distinct
        model_version,
        dataset,
        fitted_on,
        num_customers,
        due_because,
        settings,
        'restored' as origin
    from {{ ref('restored_registry') }}
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
        settings_now.value as value_now,
        {{ stored_setting('latest.settings', 'settings_now') }} as value_then
    from settings_now
    left join latest on true

),

changes as (

    select
        count(*) filter (where value_then != value_now) as num_changed,
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

due as (

    select
        coalesce(latest.model_version, 0) + 1 as model_version,
        as_of.as_of_date as fitted_on,
        sampled.num_customers,
        -- A pinned version comes before all; then the first build; then refit: true; then the settings.
        case
            when {{ var('model_version') is not none }} then null
            when latest.model_version is null then 'first build'
            when {{ var('refit') }} then 'refit'
            when {{ var('refit_on_change') }} and changes.num_changed > 0 then 'settings changed'
        end as due_because,
        changes.settings_now as settings
    from sampled
    cross join as_of
    cross join changes
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
        'fitted' as origin
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
        previous.origin
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
