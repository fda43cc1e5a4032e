-- Scored like rfm_scores, but today's customers only.
with

customer_segments as (

    select * from {{ ref('customer_segmentation', 'customer_segments') }}

),

{{ scored_by_rfm('scored', 'customer_segments') }},

counted as (

    select
        customer_segments.segment_id,
        any_value(customer_segments.segment) as segment,
        scored.rfm_group,
        count(*) as num_customers
    from customer_segments
    inner join scored using (customer_id)
    group by customer_segments.segment_id, scored.rfm_group

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
