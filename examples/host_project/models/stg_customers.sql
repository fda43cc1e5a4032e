-- One row per buyer.
select
    buyer,
    bool_or(newsletter) as newsletter
from {{ ref('raw_orders') }}
group by buyer
