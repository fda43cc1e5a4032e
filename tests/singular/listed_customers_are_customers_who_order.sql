-- Consent and contacts are known of some customers, but of none who ordered: the ids of the two sources
-- differ (leading zeros, case, another key), and everybody would count as "unknown". Map customer_id in
-- customer_columns to what order_columns yields.
select
    count(*) as num_listed,
    count(customer_metrics.customer_id) as num_who_ordered
from {{ ref('customer_segmentation', 'stg_customers') }}
left join {{ ref('customer_segmentation', 'customer_metrics') }} as customer_metrics using (customer_id)
having count(*) > 0 and count(customer_metrics.customer_id) = 0
