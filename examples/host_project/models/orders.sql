-- One row per paid order.
select
    number,
    buyer,
    placed_at,
    cents / 100 as total
from {{ ref('raw_orders') }}
where state = 'paid' and buyer != '{{ var("test_account") }}'
