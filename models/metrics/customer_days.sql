{%- set order_changes = ref('customer_segmentation', 'order_changes') -%}
{%- set has_lines = var('rows_are') != 'orders' %}
-- Sums are DECIMAL, so they don't depend on the order of rows or the number of threads.
with

orders as (

    select * from {{ ref('customer_segmentation', 'orders') }}
    {{ 'where last_line_date = order_date' if has_lines }}

),

{% if has_lines -%}
order_changes as (

    select * from {{ order_changes }}

),

changes as (

    select
        customer_id,
        order_date as day,
        amount,
        returned_amount,
        cast(amount > 0 as integer) as num_orders,
        case when amount > 0 then order_date end as lasting_order_date
    from orders
    union all
    select
        customer_id,
        change_date as day,
        amount,
        returned_amount,
        num_orders,
        case when stays_positive then order_date end as lasting_order_date
    from order_changes

),

daily as (

    select
        customer_id,
        day,
        sum(amount) as amount,
        sum(returned_amount) as returned_amount,
        sum(num_orders) as num_orders,
        min(lasting_order_date) as first_order_date,
        max(lasting_order_date) as last_order_date
    from changes
    group by customer_id, day

),

{%- else -%}
-- Narrow: nearly as many rows as orders are grouped, and sorted. Orders without lines never change.
daily as (

    select
        customer_id,
        order_date as day,
        sum(amount) as amount,
        sum(returned_amount) as returned_amount,
        count(*) filter (where amount > 0) as num_orders
    from orders
    group by customer_id, order_date

),
{%- endif %}

up_to_each_day as (

    select
        customer_id,
        day,
        amount,
        sum(amount) over up_to_now as total_amount,
        sum(returned_amount) over up_to_now as returned_amount,
        sum(num_orders) over up_to_now as num_orders,
        {%- if has_lines %}
        min(first_order_date) over up_to_now as first_order_date,
        max(last_order_date) over up_to_now as last_order_date,
        {%- else %}
        {{ least_that_rises('case when num_orders > 0 then day end') }} over up_to_now as first_order_date,
        {{ greatest_that_rises('case when num_orders > 0 then day end') }} over up_to_now as last_order_date,
        {%- endif %}
        count(*) filter (where amount > 0) over up_to_now as num_order_days,
        {{ least_that_rises('case when amount > 0 then day end') }} over up_to_now as first_order_day,
        {{ greatest_that_rises('case when amount > 0 then day end') }} over up_to_now as last_order_day,
        lead(day) over (partition by customer_id order by day) as next_day,
        lead(case when amount > 0 then day end ignore nulls) over (partition by customer_id order by day)
            as next_order_day
    from daily
    window up_to_now as (
        partition by customer_id
        order by day
        rows between unbounded preceding and current row
    )

),

{% if has_lines -%}
-- Orders that were positive at the end of the day and came back later.
positive_for_a_time as (

    select
        up_to_each_day.customer_id,
        up_to_each_day.day,
        min(order_changes.order_date) as first_order_date,
        max(order_changes.order_date) as last_order_date
    from order_changes
    inner join up_to_each_day
        on
            order_changes.customer_id = up_to_each_day.customer_id
            and order_changes.change_date <= up_to_each_day.day
            and order_changes.positive_until_date > up_to_each_day.day
    group by up_to_each_day.customer_id, up_to_each_day.day

),

final as (

    select
        up_to_each_day.* replace (
            least(up_to_each_day.first_order_date, positive_for_a_time.first_order_date) as first_order_date,
            greatest(up_to_each_day.last_order_date, positive_for_a_time.last_order_date) as last_order_date
        )
    from up_to_each_day
    left join positive_for_a_time
        on
            up_to_each_day.customer_id = positive_for_a_time.customer_id
            and up_to_each_day.day = positive_for_a_time.day

)

{%- else -%}
final as (

    select * from up_to_each_day

)
{%- endif %}

-- noqa: disable=AM04
select * from final
