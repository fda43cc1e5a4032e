with

-- The names are kept apart from those of the features, which may be the same columns.
clusterable_customers as (

    select
        {%- for feature in checked_var('candidate_features') %}
        cast({{ feature }} as double) as {{ feature }},
        {%- endfor %}
        customer_id,
        num_order_days as known_order_days,
        mean_gap_days as known_mean_gap_days,
        silence_days as known_silence_days,
        cast({{ active_version() }} as integer) as model_version
    from {{ ref('customer_segmentation', 'customer_metrics') }}
    where is_clusterable

),

{{ lifecycle_stages('staged', 'clusterable_customers') }},

final as (

    select
        {%- for feature in checked_var('candidate_features') %}
        {{ feature }},
        {%- endfor %}
        customer_id,
        model_version,
        repurchase_probability,
        lifecycle_stage
    from staged

)

select * from final
