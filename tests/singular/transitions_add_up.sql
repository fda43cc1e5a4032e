-- Shares of each segment before sum to 1, and the customers of each segment after are those of the history.
with

transitions as (

    select * from {{ ref('customer_segmentation', 'segment_transitions') }}

),

shares as (

    select
        as_of_date,
        from_segment_id as segment_id,
        abs(sum(share_of_from_segment) - 1) as difference
    from transitions
    group by as_of_date, from_segment_id

),

arrived as (

    select
        as_of_date,
        segment_id,
        sum(num_customers) as num_customers
    from transitions
    group by as_of_date, segment_id

),

known as (

    select
        as_of_date,
        segment_id,
        count(*) as num_customers
    from {{ ref('customer_segmentation', 'segment_history') }}
    where as_of_date in (select transitions.as_of_date from transitions)
    group by as_of_date, segment_id

)

select
    as_of_date,
    segment_id,
    difference
from shares
where difference > 1e-9
union all
select
    known.as_of_date,
    known.segment_id,
    known.num_customers - coalesce(arrived.num_customers, 0) as difference
from known
left join arrived on known.as_of_date = arrived.as_of_date and known.segment_id = arrived.segment_id
where known.num_customers is distinct from arrived.num_customers
