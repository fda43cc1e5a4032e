{#- A fit as of a past day is graded on that day, the version that serves on the month starts since its fit. -#}
{%- set graded = {
    'past_fit': {'version': past_version('grades'), 'day': 'is_for_grading'},
    'serving': {'version': active_version(), 'day': 'is_for_grading_since'},
} -%}
with

clusters as (

    select
        model_version,
        stage,
        count(distinct cluster_id) as num_clusters
    from {{ ref('customer_segmentation', 'cluster_centroids') }}
    group by model_version, stage

),

{{ places_of_stages('places', 'clusters') }},

graded_fits as (

    {%- for fit in graded.values() %}
    select
        model_version,
        fitted_on,
        '{{ fit.day }}' as days
    from {{ ref('customer_segmentation', 'model_versions') }}
    where model_version = {{ fit.version }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

-- No fit is graded by days that it has seen.
graded_days as (

    select
        graded_fits.model_version,
        metric_days.as_of_date
    from graded_fits
    inner join {{ ref('customer_segmentation', 'metric_days') }} as metric_days
        on
            graded_fits.fitted_on <= metric_days.as_of_date
            and case
                when graded_fits.days = 'is_for_grading' then metric_days.is_for_grading
                else metric_days.is_for_grading_since
            end

),

{{ scored_on('clustered', 'graded_days', 'places') }},

final as (

    select
        customer_id,
        as_of_date,
        model_version,
        cluster_id,
        repurchase_probability,
        lifecycle_stage
    from clustered

)

select * from final
