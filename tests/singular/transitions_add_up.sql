-- Shares of each segment before sum to 1, the customers of each segment after are those of the history, and the
-- revenue of each month is that of growth_accounting.
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

),

revenues as (

    select
        from_date,
        as_of_date,
        sum(revenue) as revenue
    from transitions
    group by from_date, as_of_date

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
union all
select
    revenues.as_of_date,
    'revenue of the month' as segment_id,
    revenues.revenue - coalesce(growth_accounting.revenue, 0) as difference
from revenues
left join {{ ref('customer_segmentation', 'growth_accounting') }} as growth_accounting
    on revenues.from_date = growth_accounting.month
where revenues.revenue != coalesce(growth_accounting.revenue, 0)
