{{ config(severity='warn') }}
-- Without an explicit as_of_date, rows after max_order_gap_days without any order were excluded as
-- future_date. If they are real orders (a shop that closed and reopened), set as_of_date.
select
    order_exclusions.num_rows,
    order_exclusions.amount,
    as_of.latest_order_date as latest_order_date_counted
from {{ ref('order_exclusions') }} as order_exclusions
cross join {{ ref('as_of') }} as as_of
where
    order_exclusions.exclusion_reason = 'future_date'
    and order_exclusions.num_rows > 0
    and as_of.chosen_by = 'latest order'
