{{ config(materialized='table') }}

with

identity_merges as (

    select * from {{ ref('customer_segmentation', 'identity_merges') }}

),

ends as (

    select
        identifier_kind,
        identifier,
        customer_id
    from identity_merges
    union
    select
        linked_kind as identifier_kind,
        linked_to as identifier,
        customer_id
    from identity_merges

),

final as (

    select
        identifier_kind,
        identifier,
        customer_id
    from ends

)

select * from final
