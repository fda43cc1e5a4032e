-- Days on which another version served, scored with the one that scores today by the same expression: only customers
-- move, not the model. On days on which it served itself cluster_spells has it.
with

history as (

    select
        customer_metrics_history.customer_id,
        customer_metrics_history.as_of_date,
        cast({{ active_version() }} as integer) as model_version,
        {%- for feature in checked_var('candidate_features') %}
        cast(customer_metrics_history.{{ feature }} as double) as {{ feature }},
        {%- endfor %}
        customer_metrics_history.num_order_days as known_order_days,
        customer_metrics_history.mean_gap_days as known_mean_gap_days,
        customer_metrics_history.silence_days as known_silence_days
    from {{ ref('customer_segmentation', 'customer_metrics_history') }} as customer_metrics_history
    inner join {{ ref('customer_segmentation', 'metric_days') }} as metric_days
        on customer_metrics_history.as_of_date = metric_days.as_of_date
    inner join {{ ref('customer_segmentation', 'served_versions') }} as served_versions
        on
            served_versions.model_version = {{ active_version() }}
            and metric_days.as_of_date < served_versions.served_from
    where metric_days.is_for_history and customer_metrics_history.is_clusterable

),

{{ lifecycle_stages('staged', 'history') }},

history_stages as (

    select
        customer_id,
        as_of_date,
        model_version,
        {%- for feature in checked_var('candidate_features') %}
        {{ feature }},
        {%- endfor %}
        lifecycle_stage
    from staged

),

{{ serving_places('places') }},

{{ scored('clustered', 'history_stages', 'places') }},

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
