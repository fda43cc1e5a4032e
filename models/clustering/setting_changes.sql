with

versions as (

    select
        model_version,
        settings
    from {{ ref('model_versions') }}

),

settings_now as (

    {{ settings_of_this_run() }}

),

newest as (

    select max(model_version) as model_version
    from versions

),

-- Versions and settings; those of this run come after the newest version.
stored as (

    select
        versions.model_version,
        true as is_fitted,
        settings_now.name as setting,
        {{ stored_setting('versions.settings', 'settings_now') }} as value
    from versions
    cross join settings_now
    union all
    select
        newest.model_version + 1 as model_version,
        false as is_fitted,
        settings_now.name as setting,
        settings_now.value
    from settings_now
    cross join newest

),

compared as (

    select
        *,
        lag(value) over (partition by setting order by model_version) as value_before
    from stored

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
