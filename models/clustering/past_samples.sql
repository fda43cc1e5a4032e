-- As clustering_sample and sample_stages, as of the days of the fits of the past; in a run that fits nothing, no rows.
with

past_fits as (

    select
        model_version,
        purpose,
        fitted_on
    from {{ ref('customer_segmentation', 'model_versions') }}
    where model_version in ({{ past_version('chooses') }}, {{ past_version('grades') }})

),

clusterable_customers as (

    select
        past_fits.model_version,
        past_fits.purpose,
        customer_metrics_history.customer_id,
        {%- for feature in checked_var('candidate_features') %}
        cast(customer_metrics_history.{{ feature }} as double) as {{ feature }},
        {%- endfor %}
        customer_metrics_history.as_of_date,
        customer_metrics_history.num_order_days as known_order_days,
        customer_metrics_history.mean_gap_days as known_mean_gap_days,
        customer_metrics_history.silence_days as known_silence_days,
        row_number() over (
            partition by past_fits.model_version
            order by md5(customer_metrics_history.customer_id), customer_metrics_history.customer_id
        ) as sample_position
    from {{ ref('customer_segmentation', 'customer_metrics_history') }} as customer_metrics_history
    inner join past_fits on customer_metrics_history.as_of_date = past_fits.fitted_on
    where customer_metrics_history.is_clusterable
    qualify sample_position <= {{ var('clustering_sample_size') }}

),

{{ lifecycle_stages('staged', 'clusterable_customers') }},

-- Those that grade a version, by its own curve and limits.
customers_of_the_newest as (

    select
        * exclude (model_version),
        {{ newest_version() }} as model_version
    from clusterable_customers
    where purpose = 'grades'

),

{{ lifecycle_stages('served_staged', 'customers_of_the_newest') }},

final as (

    select
        staged.model_version,
        staged.purpose,
        staged.customer_id,
        {%- for feature in checked_var('candidate_features') %}
        staged.{{ feature }},
        {%- endfor %}
        staged.sample_position,
        staged.lifecycle_stage,
        served_staged.lifecycle_stage as previous_lifecycle_stage,
        customer_outcomes.has_ordered as has_ordered_next,
        customer_outcomes.revenue as revenue_next
    from staged
    inner join {{ ref('customer_segmentation', 'customer_outcomes') }} as customer_outcomes
        on
            staged.customer_id = customer_outcomes.customer_id
            and staged.as_of_date = customer_outcomes.as_of_date
    left join served_staged
        on
            staged.customer_id = served_staged.customer_id
            and staged.purpose = served_staged.purpose

)

select * from final
