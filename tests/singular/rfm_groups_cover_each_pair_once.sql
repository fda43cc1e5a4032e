-- Each pair of a recency and a frequency score is in one group.
select
    recency.score as recency_score,
    frequency.score as frequency_score,
    count(groups.rfm_group) as num_groups
from range(1, 6) as recency (score)
cross join range(1, 6) as frequency (score)
left join {{ ref('customer_segmentation', 'rfm_groups') }} as groups
    on
        recency.score between groups.min_recency_score and groups.max_recency_score
        and frequency.score between groups.min_frequency_score and groups.max_frequency_score
group by recency.score, frequency.score
having count(groups.rfm_group) != 1
