with

customer_stages as (

    select * from {{ ref('customer_segmentation', 'customer_stages') }}

),

-- The stage that scores each lifecycle stage; of a version that knows no stages, everybody.
active_stages as (

    select
        lifecycle_stages.lifecycle_stage,
        coalesce(stages.stage, 'everybody') as stage
    from {{ ref('customer_segmentation', 'lifecycle_stages') }} as lifecycle_stages
    left join {{ ref('customer_segmentation', 'stages') }} as stages
        on
            lifecycle_stages.lifecycle_stage = stages.lifecycle_stage
            and stages.model_version = {{ active_version() }}

),

{{ scored('clustered', 'customer_stages', active_version(), 'active_stages') }},

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
