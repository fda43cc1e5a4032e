{#- What the segments are held against: the metrics, and the third of the days since the last order. -#}
{%- set metrics = ['total_amount', 'num_orders', 'avg_order_value', 'days_since_last_order'] -%}
{%- for feature in checked_var('candidate_features') if feature not in metrics -%}
    {%- do metrics.append(feature) -%}
{%- endfor -%}
with

graded_clusters as (

    select * from {{ ref('customer_segmentation', 'graded_clusters') }}

),

judged_days as (

    select as_of_date from {{ ref('customer_segmentation', 'metric_days') }}
    where is_for_grading or is_for_grading_since

),

customer_metrics as not materialized (

    select
        customer_metrics_history.customer_id,
        customer_metrics_history.as_of_date,
        {%- for metric in metrics %}
        customer_metrics_history.{{ metric }},
        {%- endfor %}
        customer_metrics_history.is_clusterable
    from {{ ref('customer_segmentation', 'customer_metrics_history') }} as customer_metrics_history
    inner join judged_days on customer_metrics_history.as_of_date = judged_days.as_of_date
    where customer_metrics_history.is_clusterable

),

customer_outcomes as (

    select * from {{ ref('customer_segmentation', 'customer_outcomes') }}

),

-- As rfm_scores, of these days only; the metrics come along, so that they need not be joined again.
{{ scored_by_rfm('rfm_scores', 'customer_metrics', carried=metrics) }},

segment_names as (

    select
        model_version,
        as_of_date,
        cluster_id,
        segment
    from {{ ref('customer_segmentation', 'segment_names') }}

),

-- Their edges are rounded where days are compared with them, as those of rfm_thresholds are.
thirds as (

    select
        as_of_date,
        quantile_cont(days_since_last_order, [1 / 3, 2 / 3]) as edges
    from customer_metrics
    group by as_of_date

),

final as (

    select
        graded_clusters.customer_id,
        graded_clusters.as_of_date,
        customer_outcomes.outcomes_until,
        graded_clusters.model_version,
        cast(graded_clusters.cluster_id as varchar) as segment_id,
        segment_names.segment,
        graded_clusters.repurchase_probability,
        customer_outcomes.has_ordered as has_ordered_next,
        customer_outcomes.num_orders as num_orders_next,
        customer_outcomes.revenue as revenue_next,
        rfm_scores.rfm_code,
        rfm_scores.rfm_group,
        case when rfm_scores.num_orders = 1 then 'once' else 'repeat' end || ' '
        || 1 + cast(rfm_scores.days_since_last_order > round(thirds.edges[1], 6) as integer)
        + cast(rfm_scores.days_since_last_order > round(thirds.edges[2], 6) as integer)
            as once_or_repeat_by_recency,
        {%- for metric in metrics %}
        cast(rfm_scores.{{ metric }} as double) as {{ metric }},
        {%- endfor %}
        row_number() over (
            partition by graded_clusters.as_of_date
            order by md5(graded_clusters.customer_id), graded_clusters.customer_id
        ) as sample_position
    from graded_clusters
    inner join customer_outcomes
        on
            graded_clusters.customer_id = customer_outcomes.customer_id
            and graded_clusters.as_of_date = customer_outcomes.as_of_date
    inner join rfm_scores
        on
            graded_clusters.customer_id = rfm_scores.customer_id
            and graded_clusters.as_of_date = rfm_scores.as_of_date
    inner join thirds on graded_clusters.as_of_date = thirds.as_of_date
    left join segment_names
        on
            graded_clusters.model_version = segment_names.model_version
            and graded_clusters.as_of_date = segment_names.as_of_date
            and graded_clusters.cluster_id = segment_names.cluster_id

)

select * from final
