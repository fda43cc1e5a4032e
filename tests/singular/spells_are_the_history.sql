-- Two ways to one past: the metrics of each day know the customers that the spells from one event to the next do.
with

metrics as (

    select
        customer_metrics_history.customer_id,
        customer_metrics_history.as_of_date,
        customer_metrics_history.not_clusterable_reason
    from {{ ref('customer_segmentation', 'customer_metrics_history') }} as customer_metrics_history
    inner join {{ ref('customer_segmentation', 'metric_days') }} as metric_days
        on customer_metrics_history.as_of_date = metric_days.as_of_date
    where metric_days.is_for_history

),

history as (

    select
        customer_id,
        as_of_date,
        case when try_cast(segment_id as integer) is null then segment_id end as not_clusterable_reason
    from {{ ref('customer_segmentation', 'segment_history') }}

),

only_in_metrics as (

    select * from metrics
    except
    select * from history

),

only_in_history as (

    select * from history
    except
    select * from metrics

)

-- noqa: disable=AM04
select * from only_in_metrics
union all
select * from only_in_history
