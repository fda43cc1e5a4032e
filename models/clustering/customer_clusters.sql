with

customer_stages as (

    select * from {{ ref('customer_segmentation', 'customer_stages') }}

),

{{ serving_places('places') }},

{{ scored('clustered', 'customer_stages', 'places') }},

final as (

    select
        customer_id,
        cluster_id,
        distance,
        margin,
        repurchase_probability,
        lifecycle_stage,
        model_version
    from clustered

)

select * from final
