-- One row per order of Olist, with the person who ordered and all that was paid. Run where its CSVs are.
create or replace table orders as
select
    orders.order_id,
    customers.customer_unique_id,
    orders.order_purchase_timestamp,
    orders.order_status,
    sum(payments.payment_value) as payment_value
from 'olist_orders_dataset.csv' as orders
inner join 'olist_customers_dataset.csv' as customers using (customer_id)
left join 'olist_order_payments_dataset.csv' as payments using (order_id)
group by all;
