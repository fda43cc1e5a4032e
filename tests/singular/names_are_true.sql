-- A name is a claim: where most members of a segment don't fulfil it, or others do as well, it must not be given.
select
    segment,
    says,
    share_inside,
    share_outside
from {{ ref('customer_segmentation', 'segment_claims') }}
where is_named and not coalesce(holds, false)
