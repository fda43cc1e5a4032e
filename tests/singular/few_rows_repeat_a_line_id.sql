{{ config(severity='warn') }}
-- More than one row in twenty was excluded because another has the same line_id. If line ids count from 1
-- within each order, map line_id to an expression that is unique over all, such as
-- order_id || '-' || line.
select num_rows
from {{ ref('order_exclusions') }}
where exclusion_reason = 'repeated_line_id' and share_of_rows > 0.05
