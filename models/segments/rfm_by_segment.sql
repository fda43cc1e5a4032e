with

customer_segments as (

    select
        customer_id,
        segment_id,
        segment,
        as_of_date
    from {{ ref('customer_segments') }}

),

rfm_scores as (

    select * from {{ ref('rfm_scores') }}

),

counted as (

    select
        customer_segments.segment_id,
        any_value(customer_segments.segment) as segment,
        rfm_scores.rfm_group,
        count(*) as num_customers
    from customer_segments
    inner join rfm_scores
        on
            customer_segments.customer_id = rfm_scores.customer_id
            and customer_segments.as_of_date = rfm_scores.as_of_date
    group by customer_segments.segment_id, rfm_scores.rfm_group

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
