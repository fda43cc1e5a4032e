{{ config(severity='warn') }}
-- segment_rules says a little less than the clustering. When this warns, more rules (max_rules) say more; it is the
-- description for people that is rough, not the segments.
with

rules as (

    select
        max(fidelity) as fidelity,
        count(distinct segment_id) as num_segments
    from {{ ref('customer_segmentation', 'segment_rules') }}

),

segments as (

    select count(distinct segment_id) as num_segments
    from {{ ref('customer_segmentation', 'customer_segments') }}
    where is_clusterable

)

select
    rules.fidelity,
    rules.num_segments as num_segments_with_a_rule,
    segments.num_segments
from rules
cross join segments
where rules.fidelity < {{ var('min_rule_fidelity') }} or rules.num_segments < segments.num_segments
