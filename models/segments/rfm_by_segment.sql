-- Scored like rfm_scores, but today's customers only.
with

customer_segments as (

    select * from {{ ref('customer_segmentation', 'customer_segments') }}

),

{{ scored_by_rfm('scored', 'customer_segments', carried=['segment_id', 'segment']) }},

counted as (

    select
        segment_id,
        any_value(segment) as segment,
        rfm_group,
        count(*) as num_customers
    from scored
    group by segment_id, rfm_group

),

final as (

    select
        segment_id,
        segment,
        rfm_group,
        num_customers,
        round(num_customers / sum(num_customers) over (partition by segment_id), 6) as share_of_segment,
        round(num_customers / sum(num_customers) over (partition by rfm_group), 6) as share_of_rfm_group
    from counted

)

select * from final
