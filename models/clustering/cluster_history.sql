-- Days on which another version served, scored with the one that scores today by the same expression: only customers
-- move, not the model. On days on which it served itself cluster_spells has it.
with

days_of_others as (

    select
        metric_days.as_of_date,
        served_versions.model_version
    from {{ ref('customer_segmentation', 'metric_days') }} as metric_days
    inner join {{ ref('customer_segmentation', 'served_versions') }} as served_versions
        on
            served_versions.model_version = {{ active_version() }}
            and metric_days.as_of_date < served_versions.served_from
    where metric_days.is_for_history

),

{{ serving_places('places') }},

{{ scored_on('clustered', 'days_of_others', 'places') }},

final as (

    select
        customer_id,
        as_of_date,
        model_version,
        cluster_id,
        lifecycle_stage
    from clustered

)

select * from final
