-- As clustering_sample and sample_stages, as of the days of the fits of the past; in a run that fits nothing, no rows.
{%- set purposes = ['chooses', 'grades'] %}
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

{% for purpose in purposes -%}
customers_who_{{ purpose }} as (

    select * from clusterable_customers
    where purpose = '{{ purpose }}'

),

{{ lifecycle_stages(purpose ~ '_staged', 'customers_who_' ~ purpose, past_version(purpose)) }},

{% endfor -%}
{{ lifecycle_stages('served_staged', 'customers_who_grades', newest_version()) }},

staged as (

    {%- for purpose in purposes %}
    select
        customer_id,
        model_version,
        lifecycle_stage
    from {{ purpose }}_staged
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

final as (

    select
        clusterable_customers.model_version,
        clusterable_customers.purpose,
        clusterable_customers.customer_id,
        {%- for feature in checked_var('candidate_features') %}
        clusterable_customers.{{ feature }},
        {%- endfor %}
        clusterable_customers.sample_position,
        staged.lifecycle_stage,
        served_staged.lifecycle_stage as previous_lifecycle_stage,
        customer_outcomes.has_ordered as has_ordered_next,
        customer_outcomes.revenue as revenue_next
    from clusterable_customers
    inner join staged using (customer_id, model_version)
    inner join {{ ref('customer_segmentation', 'customer_outcomes') }} as customer_outcomes
        on
            clusterable_customers.customer_id = customer_outcomes.customer_id
            and clusterable_customers.as_of_date = customer_outcomes.as_of_date
    left join served_staged
        on
            clusterable_customers.customer_id = served_staged.customer_id
            and clusterable_customers.model_version = served_staged.model_version

)

select * from final
