-- Why these lifecycle stages? Who is in each, which clusters score it, and from how many days without an order on
-- customers of one order, or of five to nine, stand there.
-- Run it with: dbt show --select why_these_stages
with

stages as (

    select * from {{ ref('customer_segmentation', 'stages') }}
    where model_version = {{ active_version() }}

),

lifecycle_stages as (

    select * from {{ ref('customer_segmentation', 'lifecycle_stages') }}

),

limits as (

    {{ limits_of_active_version() }}

),

curve as (

    select
        version_curves.window_days,
        version_curves.order_class,
        version_curves.silence_from,
        sum(version_curves.num_at_risk * cast(version_curves.repurchase_probability as decimal(9, 6)))
        / sum(version_curves.num_at_risk) as chance
    from {{ ref('customer_segmentation', 'version_curves') }} as version_curves
    where version_curves.model_version = {{ active_version() }} and version_curves.num_at_risk > 0
    group by version_curves.window_days, version_curves.order_class, version_curves.silence_from

),

-- By the chance alone: a customer of one order is new first, as long as the window lasts.
reached as (

    select
        curve.order_class,
        min(curve.silence_from) filter (
            where curve.window_days = limits.repurchase_window_days and curve.chance >= limits.min_active_probability
        ) as active,
        min(curve.silence_from) filter (
            where curve.window_days = limits.repurchase_window_days and curve.chance < limits.min_active_probability
        ) as cooling,
        min(curve.silence_from) filter (
            where curve.window_days = limits.longer_window_days and curve.chance < limits.max_lapsed_probability
        ) as lapsed
    from curve
    cross join limits
    where curve.order_class in (1, 5)
    group by curve.order_class

),

long as (

    unpivot reached
    on active, cooling, lapsed
    into name lifecycle_stage value silence_days

),

counted as (

    select
        lifecycle_stage,
        count(*) as num_customers
    from {{ ref('customer_segmentation', 'customer_clusters') }}
    group by lifecycle_stage

),

final as (

    select
        lifecycle_stages.position,
        lifecycle_stage,
        stages.stage,
        stages.num_clusters,
        stages.rule,
        coalesce(counted.num_customers, 0) as num_customers,
        round(stages.share_at_fit, 3) as share_at_fit,
        max(long.silence_days) filter (where long.order_class = 1) as after_one_order_from_days,
        max(long.silence_days) filter (where long.order_class = 5) as after_five_orders_from_days,
        stages.reason
    from stages
    inner join lifecycle_stages using (lifecycle_stage)
    left join counted using (lifecycle_stage)
    left join long using (lifecycle_stage)
    group by
        lifecycle_stages.position,
        lifecycle_stage,
        stages.stage,
        stages.num_clusters,
        stages.rule,
        counted.num_customers,
        stages.share_at_fit,
        stages.reason

)

select * from final
order by position
