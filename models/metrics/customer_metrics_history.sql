{{ config(pre_hook="{{ guard_metrics() }}") }}

{%- set order_changes = ref('customer_segmentation', 'order_changes') -%}
{%- set has_window = var('metrics_window_days') is not none %}
with

metric_days as (

    select * from {{ ref('customer_segmentation', 'metric_days') }}

),

customer_days as (

    select * from {{ ref('customer_segmentation', 'customer_days') }}

),

{% if has_window -%}
order_changes as (

    select * from {{ order_changes }}

),

{% endif -%}
custom_metrics as (

    select * from {{ ref('custom_metrics') }}

),

-- The last that is known of a customer before each day.
known as (

    select
        metric_days.as_of_date,
        customer_days.*
    from customer_days
    inner join metric_days
        on
            customer_days.day < metric_days.as_of_date
            and coalesce(customer_days.next_day, date 'infinity') >= metric_days.as_of_date

),

{% if has_window -%}
-- What the window leaves out: all that was known when it began, and what came to those orders since.
left_out as (

    select
        metric_days.as_of_date,
        customer_days.customer_id,
        customer_days.total_amount as amount,
        customer_days.returned_amount,
        customer_days.num_orders
    from customer_days
    inner join metric_days
        on
            customer_days.day < metric_days.metrics_window_start
            and coalesce(customer_days.next_day, date 'infinity') >= metric_days.metrics_window_start
    union all
    select
        metric_days.as_of_date,
        order_changes.customer_id,
        order_changes.amount,
        order_changes.returned_amount,
        order_changes.num_orders
    from order_changes
    inner join metric_days
        on
            order_changes.order_date < metric_days.metrics_window_start
            and order_changes.change_date >= metric_days.metrics_window_start
            and order_changes.change_date < metric_days.as_of_date

),

outside_window as (

    select
        as_of_date,
        customer_id,
        sum(amount) as amount,
        sum(returned_amount) as returned_amount,
        sum(num_orders) as num_orders
    from left_out
    group by as_of_date, customer_id

),

{% endif -%}
summed as (

    select
        known.as_of_date,
        known.customer_id,
        {%- if has_window %}
        known.total_amount - coalesce(outside_window.amount, 0) as total_amount,
        known.num_orders - coalesce(outside_window.num_orders, 0) as num_orders,
        known.returned_amount - coalesce(outside_window.returned_amount, 0) as returned_amount,
        {%- else %}
        known.total_amount,
        known.num_orders,
        known.returned_amount,
        {%- endif %}
        known.first_order_date,
        known.last_order_date,
        known.num_order_days,
        known.last_order_day,
        known.first_order_day
    from known
    {%- if has_window %}
    left join outside_window
        on known.customer_id = outside_window.customer_id and known.as_of_date = outside_window.as_of_date
    {%- endif %}

),

measured as (

    select
        customer_id,
        {{ measured_metrics() }},
        as_of_date
    from summed

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
