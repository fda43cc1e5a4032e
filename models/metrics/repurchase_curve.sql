{#- Customers' worth of the coarser class that a class is drawn towards. -#}
{%- set shrinkage = 20 -%}
with

customer_days as (

    select * from {{ ref('customer_segmentation', 'customer_days') }}
    where amount > 0

),

repurchase_windows as (

    select * from {{ ref('customer_segmentation', 'repurchase_windows') }}

),

metric_days as (

    select
        *,
        max(as_of_date) filter (where is_today) over () as today
    from {{ ref('customer_segmentation', 'metric_days') }}

),

-- Today all windows are measured; as of the day of a fit that is judged, those that it needs.
windows as (

    select
        metric_days.as_of_date,
        repurchase_windows.window_days,
        repurchase_windows.history_days - datediff('day', metric_days.as_of_date, metric_days.today) as history_days
    from metric_days
    inner join repurchase_windows
        on
            metric_days.is_today
            or repurchase_windows.window_days in (metric_days.window_days, metric_days.longer_window_days)
    where metric_days.is_today or metric_days.is_for_choosing or metric_days.is_for_grading

),

days as (

    select distinct as_of_date
    from windows

),

-- Equal spells are counted once, for all days and windows.
spell_counts as (

    select
        day,
        next_order_day,
        {{ order_class('num_order_days') }} as order_class,
        {{ reached_gap_cut("datediff('day', first_order_day, day) / nullif(num_order_days - 1, 0)") }} as reached_gap,
        count(*) as num_spells
    from customer_days
    group by day, next_order_day, order_class, reached_gap

),

-- As they were known on each day.
spells as (

    select
        days.as_of_date,
        spell_counts.order_class,
        spell_counts.reached_gap,
        case
            when spell_counts.next_order_day < days.as_of_date
                then datediff('day', spell_counts.day, spell_counts.next_order_day)
        end as gap,
        datediff('day', spell_counts.day, days.as_of_date) as observed,
        sum(spell_counts.num_spells) as num_spells
    from spell_counts
    inner join days on spell_counts.day < days.as_of_date
    group by days.as_of_date, spell_counts.order_class, spell_counts.reached_gap, gap, observed

),

-- A spell is at risk on a day of silence if the silence lasted to that day and a whole window of what followed is
-- known; from `followed_from` on an order came within the window.
at_risk as (

    select
        windows.as_of_date,
        windows.window_days,
        spells.order_class,
        {{ gap_class('spells.reached_gap', 'windows.window_days') }} as gap_class,
        least(spells.gap, spells.observed - windows.window_days) as last_day,
        case
            when spells.gap is not null then greatest(spells.gap - windows.window_days + 1, 1)
        end as followed_from,
        coalesce(spells.gap >= spells.observed - windows.window_days, true) as is_at_risk_a_window_ago,
        spells.num_spells
    from spells
    inner join windows
        on
            spells.as_of_date = windows.as_of_date
            and spells.observed > windows.window_days

),

-- Spells by the last day that they are counted on, and by the day before the first.
ends as (

    select
        as_of_date,
        window_days,
        order_class,
        gap_class,
        last_day as day,
        sum(num_spells) as num_at_risk,
        coalesce(sum(num_spells) filter (where followed_from is not null), 0) as num_followed,
        coalesce(sum(num_spells) filter (where is_at_risk_a_window_ago), 0) as num_a_window_ago,
        coalesce(sum(num_spells) filter (where is_at_risk_a_window_ago and followed_from is not null), 0)
            as num_ordered_since
    from at_risk
    group by as_of_date, window_days, order_class, gap_class, last_day
    union all
    select
        as_of_date,
        window_days,
        order_class,
        gap_class,
        followed_from - 1 as day,
        0 as num_at_risk,
        -sum(num_spells) as num_followed,
        0 as num_a_window_ago,
        0 as num_ordered_since
    from at_risk
    where followed_from is not null
    group by as_of_date, window_days, order_class, gap_class, followed_from

),

-- Silences from an eighth of the window on, each longer by the square root of two.
longer_silences as (

    select
        windows.as_of_date,
        windows.window_days,
        windows.history_days,
        cast(round(windows.window_days / 8 * pow(2, steps.step / 2)) as integer) as silence_from
    from windows
    cross join range(24) as steps (step)

),

-- And from one day on.
edges as (

    select
        as_of_date,
        window_days,
        1 as silence_from
    from windows
    union
    select
        as_of_date,
        window_days,
        silence_from
    from longer_silences
    where silence_from between 2 and history_days - window_days

),

bins as (

    select
        as_of_date,
        window_days,
        silence_from,
        lead(silence_from) over (partition by as_of_date, window_days order by silence_from) - 1 as silence_to
    from edges

),

classes as (

    select
        order_classes.order_class,
        gap_classes.gap_class
    from (select unnest([1, 2, 3, 5, 10, 20, 50]) as order_class) as order_classes
    inner join range(0, {{ gap_cuts() | length + 2 }}) as gap_classes (gap_class)
        on (order_classes.order_class = 1) = (gap_classes.gap_class = 0)

),

-- Exact counts, summed over the days of each bin.
counted as (

    select
        bins.as_of_date,
        bins.window_days,
        classes.order_class,
        classes.gap_class,
        bins.silence_from,
        bins.silence_to,
        coalesce(sum(ends.num_at_risk) filter (where ends.day >= bins.silence_from), 0) as num_at_risk,
        coalesce(sum(ends.num_at_risk * (least(ends.day, bins.silence_to) - bins.silence_from + 1)), 0) as days_at_risk,
        coalesce(sum(ends.num_followed * (least(ends.day, bins.silence_to) - bins.silence_from + 1)), 0)
            as days_followed,
        coalesce(
            sum(ends.num_a_window_ago) filter (where ends.day <= coalesce(bins.silence_to, ends.day)), 0
        ) as num_a_window_ago,
        coalesce(
            sum(ends.num_ordered_since) filter (where ends.day <= coalesce(bins.silence_to, ends.day)), 0
        ) as num_ordered_since
    from bins
    cross join classes
    left join ends
        on
            bins.as_of_date = ends.as_of_date
            and bins.window_days = ends.window_days
            and classes.order_class = ends.order_class
            and classes.gap_class = ends.gap_class
            and bins.silence_from <= ends.day
    group by
        bins.as_of_date,
        bins.window_days,
        classes.order_class,
        classes.gap_class,
        bins.silence_from,
        bins.silence_to

),

-- The share over all classes; beyond the last silence at which enough customers were seen it stays.
of_everybody as (

    select
        as_of_date,
        window_days,
        silence_from,
        last_value(
            case when num_at_risk >= {{ shrinkage }} then days_followed / days_at_risk end ignore nulls
        ) over (partition by as_of_date, window_days order by silence_from) as share
    from (
        select
            as_of_date,
            window_days,
            silence_from,
            sum(num_at_risk) as num_at_risk,
            sum(days_at_risk) as days_at_risk,
            sum(days_followed) as days_followed
        from counted
        group by as_of_date, window_days, silence_from
    ) as summed

),

of_order_classes as (

    select
        summed.as_of_date,
        summed.window_days,
        summed.order_class,
        summed.silence_from,
        {{ drawn_towards('summed', 'of_everybody.share', shrinkage) }} as share
    from (
        select
            as_of_date,
            window_days,
            order_class,
            silence_from,
            sum(num_at_risk) as num_at_risk,
            sum(days_at_risk) as days_at_risk,
            sum(days_followed) as days_followed
        from counted
        group by as_of_date, window_days, order_class, silence_from
    ) as summed
    inner join of_everybody
        on
            summed.as_of_date = of_everybody.as_of_date
            and summed.window_days = of_everybody.window_days
            and summed.silence_from = of_everybody.silence_from
    where of_everybody.share is not null

),

pooled as (

    select
        counted.*,
        -- Whole millionths, so that their sums are exact.
        cast(
            round(1000000 * ({{ drawn_towards('counted', 'of_order_classes.share', shrinkage) }})) as bigint
        ) as millionths
    from counted
    inner join of_order_classes
        on
            counted.as_of_date = of_order_classes.as_of_date
            and counted.window_days = of_order_classes.window_days
            and counted.order_class = of_order_classes.order_class
            and counted.silence_from = of_order_classes.silence_from

),

cumulated as (

    select
        *,
        num_at_risk + 1 as weight,
        sum(num_at_risk + 1) over up_to_now as weight_so_far,
        sum((num_at_risk + 1) * millionths) over up_to_now as weighted_so_far
    from pooled
    window up_to_now as (
        partition by as_of_date, window_days, order_class, gap_class
        order by silence_from
        rows between unbounded preceding and current row
    )

),

-- Silence alone improves no chance: the nearest curve that never rises (isotonic regression, as the least of the
-- largest means; Robertson, Wright and Dykstra 1988), where a silence weighs as many customers as were seen at it.
stretches as (

    select
        ending.as_of_date,
        ending.window_days,
        ending.order_class,
        ending.gap_class,
        beginning.silence_from as first_silence,
        ending.silence_from as last_silence,
        (
            ending.weighted_so_far - beginning.weighted_so_far + beginning.weight * beginning.millionths
        ) / (ending.weight_so_far - beginning.weight_so_far + beginning.weight) as mean
    from cumulated as ending
    inner join cumulated as beginning
        on
            ending.as_of_date = beginning.as_of_date
            and ending.window_days = beginning.window_days
            and ending.order_class = beginning.order_class
            and ending.gap_class = beginning.gap_class
            and ending.silence_from >= beginning.silence_from

),

largest_means as (

    select
        *,
        max(mean) over (
            partition by as_of_date, window_days, order_class, gap_class, first_silence
            order by last_silence desc
            rows between unbounded preceding and current row
        ) as largest_mean
    from stretches

),

falling as (

    select
        as_of_date,
        window_days,
        order_class,
        gap_class,
        last_silence as silence_from,
        min(largest_mean) as millionths
    from largest_means
    group by as_of_date, window_days, order_class, gap_class, last_silence

),

final as (

    select
        pooled.as_of_date,
        cast(pooled.window_days as integer) as window_days,
        cast(pooled.order_class as integer) as order_class,
        cast(pooled.gap_class as integer) as gap_class,
        cast(pooled.silence_from as integer) as silence_from,
        cast(pooled.silence_to as integer) as silence_to,
        cast(pooled.num_at_risk as bigint) as num_at_risk,
        cast(pooled.days_at_risk as bigint) as days_at_risk,
        cast(pooled.days_followed as bigint) as days_followed,
        cast(pooled.num_a_window_ago as bigint) as num_a_window_ago,
        cast(pooled.num_ordered_since as bigint) as num_ordered_since,
        round(falling.millionths / 1000000, 6) as repurchase_probability
    from pooled
    inner join falling
        on
            pooled.as_of_date = falling.as_of_date
            and pooled.window_days = falling.window_days
            and pooled.order_class = falling.order_class
            and pooled.gap_class = falling.gap_class
            and pooled.silence_from = falling.silence_from

)

select * from final
