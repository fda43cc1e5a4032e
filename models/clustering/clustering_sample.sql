-- Bounded, so that the fit costs the same at any size; by md5 of the key, so that it is the same
-- sample on every run and grows by exchange, not by reshuffling.
-- depends_on: {{ ref('customer_segmentation', 'clustering_guards') }}
with

clusterable_customers as (

    select * from {{ ref('customer_segmentation', 'customer_metrics') }}
    where is_clusterable

),

sampled as (

    select
        {%- for feature in checked_var('candidate_features') %}
        cast({{ feature }} as double) as {{ feature }},
        {%- endfor %}
        customer_id
    from clusterable_customers
    order by md5(customer_id), customer_id
    limit {{ var('clustering_sample_size') }}

),

final as (

    select
        customer_id,
        * exclude (customer_id), -- noqa: RF02
        row_number() over (order by md5(customer_id), customer_id) as sample_position
    from sampled

)

select * from final
