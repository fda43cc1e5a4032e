-- A version of which a feature is no candidate any more can't be scored, and those beside it stand for it.
with

known_versions as (

    select
        model_version,
        fitted_on
    from {{ ref('customer_segmentation', 'model_versions') }}
    where purpose = 'serves' and model_version <= {{ active_version() }}

),

-- The one that scores today does so also where today is before its fit.
active as (

    select
        known_versions.model_version,
        least(known_versions.fitted_on, as_of.as_of_date) as serves_since
    from known_versions
    cross join {{ ref('customer_segmentation', 'as_of') }} as as_of
    where known_versions.model_version = {{ active_version() }}

),

versions as (

    select
        known_versions.model_version,
        least(known_versions.fitted_on, active.serves_since) as fitted_on
    from known_versions
    cross join active
    where known_versions.model_version = active.model_version or known_versions.fitted_on < active.serves_since
    -- Of two fits of one day the later one.
    qualify row_number() over (partition by known_versions.fitted_on order by known_versions.model_version desc) = 1

),

features as (

    select
        model_version,
        bool_and(
            feature in (
                {%- for feature in checked_var('candidate_features') %}
                '{{ feature }}'{{ ',' if not loop.last }}
                {%- endfor %}
            )
        ) as are_known
    from {{ ref('customer_segmentation', 'cluster_centroids') }}
    where centroid is not null
    group by model_version

),

limits as (

    select distinct model_version from {{ ref('customer_segmentation', 'claim_limits') }}

),

scorable as (

    select versions.*
    from versions
    inner join features on versions.model_version = features.model_version
    inner join limits on versions.model_version = limits.model_version
    where features.are_known

),

final as (

    select
        model_version,
        fitted_on,
        -- The first one stands for the time before it.
        case
            when lag(model_version) over by_day is null then date '-infinity'
            else fitted_on
        end as served_from,
        coalesce(lead(fitted_on) over by_day - 1, date 'infinity') as served_until
    from scorable
    window by_day as (order by fitted_on)

)

select * from final
