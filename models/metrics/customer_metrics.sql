{{ config(pre_hook="{{ guard_metrics() }}") }}

-- Sums are DECIMAL, so they don't depend on the order of rows or the number of threads.
{%- set has_window = var('metrics_window_days') is not none %}
{%- set is_in_window = 'orders.order_date >= as_of.metrics_window_start' if has_window else 'true' %}
with

orders as (

    select * from {{ ref('orders') }}

),

as_of as (

    select * from {{ ref('as_of') }}

),

custom_metrics as (

    select * from {{ ref('custom_metrics') }}

),

summed as (

    select
        orders.customer_id,
        min(orders.order_date) filter (where orders.amount > 0) as first_order_date,
        max(orders.order_date) filter (where orders.amount > 0) as last_order_date,
        coalesce(sum(orders.amount) filter (where {{ is_in_window }}), 0) as total_amount,
        count(*) filter (where orders.amount > 0 and {{ is_in_window }}) as num_orders,
        coalesce(sum(orders.returned_amount) filter (where {{ is_in_window }}), 0) as returned_amount
    from orders
    cross join as_of
    group by orders.customer_id

),

measured as (

    select
        summed.customer_id,
        cast(summed.total_amount as decimal(38, 4)) as total_amount,
        cast(summed.num_orders as integer) as num_orders,
        cast(summed.total_amount / nullif(summed.num_orders, 0) as decimal(38, 4)) as avg_order_value,
        datediff('day', summed.last_order_date, as_of.as_of_date) as days_since_last_order,
        summed.first_order_date,
        summed.last_order_date,
        datediff('day', summed.first_order_date, as_of.as_of_date) as tenure_days,
        cast(summed.returned_amount as decimal(38, 4)) as returned_amount,
        case
            when summed.last_order_date is null then 'no_order'
            when summed.num_orders = 0 then 'no_order_in_window'
            when summed.total_amount <= 0 then 'nothing_left_after_returns'
        end as not_clusterable_reason,
        as_of.as_of_date
    from summed
    cross join as_of

),

final as (

    select
        measured.*,
        measured.not_clusterable_reason is null as is_clusterable,
        custom_metrics.* exclude (customer_id, as_of_date) -- noqa: RF02
    from measured
    left join custom_metrics
        on
            measured.customer_id = custom_metrics.customer_id
            and measured.as_of_date = custom_metrics.as_of_date

)

-- noqa: disable=AM04
select * from final
