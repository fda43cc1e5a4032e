-- noqa: disable=AL03,AL05,LT09
-- From the raw rows to the targets nothing is lost or doubled: rows, customers and money. Fails on a
-- fan-out, a lost join or a forgotten exclusion reason; each row is a total and what each place says.
{#- Where each row is an order, orders are a view, and reading every raw row again took longer than all of this. What
    was read for the days is what counts; a row without an amount, which no total shows, counts as no order. -#}
{%- set has_lines = var('rows_are') != 'orders' -%}
{%- set place = 'orders' if has_lines else 'customer_days' -%}
{%- set day = 'orders.order_date' if has_lines else 'customer_days.day' %}
with

ordered as (

    select
        {%- if has_lines %}
        sum({{ place }}.num_lines) as num_lines,
        {%- endif %}
        sum({{ place }}.amount) as amount,
        coalesce(
            sum({{ place }}.amount) filter (where coalesce({{ day }} >= as_of.metrics_window_start, true)), 0
        ) as amount_in_window
    from {{ ref('customer_segmentation', place) }} as {{ place }}
    cross join {{ ref('customer_segmentation', 'as_of') }} as as_of

),

raw_rows as (

    select count(*) as num_rows from {{ ref('customer_segmentation', 'raw_order_lines') }}
    union all
    select count(*) as num_rows from {{ ref('customer_segmentation', 'unreadable_rows') }}
    where source = 'orders'

),

accepted as (

    select * from {{ ref('customer_segmentation', 'order_exclusions') }}
    where exclusion_reason = 'accepted'

),

figures as (

    select 'rows' as total, 'raw_order_lines and unreadable_rows' as place, sum(num_rows) as figure from raw_rows
    union all
    select 'rows', 'order_exclusions', sum(num_rows) from {{ ref('customer_segmentation', 'order_exclusions') }}
    {%- if var('orders_location') %}
    union all
    -- What each file has by its own line ends; a table has no such figure.
    select 'rows', 'source_files', coalesce(sum(num_rows + num_unreadable_rows), (select sum(num_rows) from raw_rows))
    from {{ ref('customer_segmentation', 'source_files') }}
    where source = 'orders'
    {%- endif %}
    {%- if has_lines %}
    union all
    select 'accepted rows', 'order_exclusions', num_rows from accepted
    union all
    select 'accepted rows', 'orders', num_lines from ordered
    {%- endif %}
    union all
    select 'accepted money', 'order_exclusions', amount from accepted
    union all
    select 'accepted money', '{{ place }}', amount from ordered
    union all
    select 'money', '{{ place }}', amount_in_window from ordered
    union all
    select 'money', 'customer_metrics', sum(total_amount) from {{ ref('customer_segmentation', 'customer_metrics') }}
    union all
    select 'money', 'customer_segments', sum(total_amount) from {{ ref('customer_segmentation', 'customer_segments') }}
    union all
    select 'money', 'segment_profiles', sum(revenue) from {{ ref('customer_segmentation', 'segment_profiles') }}
    union all
    select 'money', 'marketing_targets', sum(total_amount) from {{ ref('customer_segmentation', 'marketing_targets') }}
    union all
    select 'customers', 'customer_metrics', count(*) from {{ ref('customer_segmentation', 'customer_metrics') }}
    union all
    select 'customers', 'customer_segments', count(segment) from {{ ref('customer_segmentation', 'customer_segments') }}
    union all
    select 'customers', 'segment_profiles', sum(num_customers)
    from {{ ref('customer_segmentation', 'segment_profiles') }}
    union all
    select 'customers', 'marketing_targets', count(action) from {{ ref('customer_segmentation', 'marketing_targets') }}

)

select
    total,
    list(place || ': ' || coalesce(cast(figure as varchar), 'null')) as figures
from figures
group by total
having count(distinct figure) > 1 or count(figure) < count(*)
