with

versions as (

    select
        model_version,
        settings
    from {{ ref('customer_segmentation', 'model_versions') }}
    where purpose = 'serves'

),

settings_now as (

    {{ settings_of_this_run() }}

),

-- The version that scores.
active as (

    select coalesce({{ pinned_version() or 'null' }}, max(model_version)) as model_version
    from versions

),

stored as (

    select
        versions.model_version,
        settings_now.name as setting,
        {{ stored_setting('versions.settings', 'settings_now') }} as value
    from versions
    cross join settings_now

),

newest as (

    select max(model_version) as model_version
    from versions

),

compared as (

    select
        model_version,
        true as is_fitted,
        setting,
        lag(value) over (partition by setting order by model_version) as value_before,
        value
    from stored
    union all
    select
        newest.model_version + 1 as model_version,
        false as is_fitted,
        settings_now.name as setting,
        stored.value as value_before,
        settings_now.value
    from active
    inner join stored on active.model_version = stored.model_version
    inner join settings_now on stored.setting = settings_now.name
    cross join newest

),

final as (

    select
        model_version,
        is_fitted,
        setting,
        cast(value_before as varchar) as value_before,
        cast(value as varchar) as value
    from compared
    where value != value_before

)

select * from final
