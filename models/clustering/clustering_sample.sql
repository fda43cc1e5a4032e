-- Bounded, so that the fit costs the same at any size; by md5 of the key, so that it is the same
-- sample on every run and grows by exchange, not by reshuffling.
-- depends_on: {{ ref('customer_segmentation', 'clustering_guards') }}
with

clusterable_customers as (

    select * from {{ ref('customer_segmentation', 'customer_metrics') }}
    where is_clusterable

),

final as (

    select
        customer_id,
        {%- for feature in checked_var('candidate_features') %}
        cast({{ feature }} as double) as {{ feature }},
        {%- endfor %}
        row_number() over (order by md5(customer_id), customer_id) as sample_position
    from clusterable_customers
    qualify sample_position <= {{ var('clustering_sample_size') }}

)

select * from final
