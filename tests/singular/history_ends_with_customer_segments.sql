-- The last row of each customer's history is their row of customer_segments.
with

as_of as (

    select as_of_date from {{ ref('customer_segmentation', 'as_of') }}

),

last_of_history as (

    select
        segment_history.customer_id,
        segment_history.segment_id,
        segment_history.segment,
        segment_history.lifecycle_stage
    from {{ ref('customer_segmentation', 'segment_history') }} as segment_history
    inner join as_of on segment_history.as_of_date = as_of.as_of_date

),

today as (

    select
        customer_id,
        segment_id,
        segment,
        lifecycle_stage
    from {{ ref('customer_segmentation', 'customer_segments') }}

),

only_in_history as (

    select * from last_of_history
    except
    select * from today

),

only_today as (

    select * from today
    except
    select * from last_of_history

)

-- noqa: disable=AM04
select * from only_in_history
union all
select * from only_today
