{{ config(enabled=(var('rows_are', 'order_lines') == 'orders' and var('check_order_ids', true))) }}
-- With rows_are: orders each row is an order, so order ids, where they are mapped, are present and unique. If they are not, rows are
-- lines: set rows_are: order_lines. Costs a pass over every id; check_order_ids: false switches it off.
select
    count(*) as num_orders,
    count(order_id) as num_with_order_id,
    count(distinct order_id) as num_order_ids
from {{ ref('customer_segmentation', 'orders') }}
having {{ checked_var('order_columns').get('order_id') is not none }} and count(distinct order_id) < count(*)
