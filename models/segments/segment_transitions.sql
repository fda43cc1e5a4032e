{%- set customer_months = ref('customer_segmentation', 'customer_months') -%}
{%- set has_window = var('metrics_window_days') is not none -%}
with

segment_history as (

    select
        customer_id,
        as_of_date,
        segment_id,
        total_amount
    from {{ ref('customer_segmentation', 'segment_history') }}

),

days as (

    select distinct as_of_date from {{ ref('customer_segmentation', 'segment_history') }}

),

months as (

    select
        as_of_date,
        lag(as_of_date) over (order by as_of_date) as previous_as_of_date
    from days

),

-- Who is known on a day is known on all later ones; whoever was not on the day before is new. Narrow, since a window
-- carries its columns along: names are joined when the customers are counted.
in_order as (

    select
        customer_id,
        as_of_date,
        segment_id,
        lag(segment_id) over by_day as previous_segment_id,
        total_amount - coalesce(lag(total_amount) over by_day, 0) as revenue
    from segment_history
    window by_day as (partition by customer_id order by as_of_date)

),

counted as (

    select
        in_order.as_of_date,
        coalesce(in_order.previous_segment_id, 'new') as from_segment_id,
        in_order.segment_id,
        count(*) as num_customers,
        {{ 'coalesce(sum(customer_months.revenue), 0)' if has_window else 'sum(in_order.revenue)' }} as revenue
    from in_order
    {%- if has_window %}
    -- What is in the window changes without an order.
    inner join months on in_order.as_of_date = months.as_of_date
    left join {{ customer_months }} as customer_months
        on in_order.customer_id = customer_months.customer_id and months.previous_as_of_date = customer_months.month
    {%- endif %}
    group by in_order.as_of_date, from_segment_id, in_order.segment_id

),

segment_definitions as (

    select * from {{ ref('customer_segmentation', 'segment_definitions') }}

),

final as (

    select
        months.previous_as_of_date as from_date,
        counted.as_of_date,
        counted.from_segment_id,
        coalesce(from_definitions.segment, 'No customer yet') as from_segment,
        counted.segment_id,
        segment_definitions.segment,
        counted.num_customers,
        counted.num_customers
        / sum(counted.num_customers) over (partition by counted.as_of_date, counted.from_segment_id)
            as share_of_from_segment,
        cast(counted.revenue as decimal(38, 4)) as revenue
    from counted
    inner join months on counted.as_of_date = months.as_of_date
    left join segment_definitions on counted.segment_id = segment_definitions.segment_id
    left join segment_definitions as from_definitions on counted.from_segment_id = from_definitions.segment_id
    where months.previous_as_of_date is not null

)

select * from final
