-- The curve is a step function of silence, so the stage is one, too: on which day a customer's stage changes is read
-- here.
with

limits as (

    {{ limits_by_version() }}

),

curve as (

    select version_curves.*
    from {{ ref('customer_segmentation', 'version_curves') }} as version_curves
    semi join {{ ref('customer_segmentation', 'served_versions') }} as served_versions
        on version_curves.model_version = served_versions.model_version

),

window_curve as (

    select curve.*
    from curve
    inner join limits
        on curve.model_version = limits.model_version and curve.window_days = limits.repurchase_window_days

),

longer_curve as (

    select curve.*
    from curve
    inner join limits on curve.model_version = limits.model_version and curve.window_days = limits.longer_window_days

),

gap_classes as (

    select unnest(range({{ gap_cuts() | length + 2 }})) as longer_gap_class

),

classes as (

    select distinct
        window_curve.model_version,
        window_curve.order_class,
        window_curve.gap_class,
        gap_classes.longer_gap_class
    from window_curve
    cross join gap_classes

),

silences as (

    select
        classes.*,
        window_curve.silence_from
    from classes
    inner join window_curve
        on
            classes.model_version = window_curve.model_version
            and classes.order_class = window_curve.order_class
            and classes.gap_class = window_curve.gap_class
    union
    select
        classes.*,
        longer_curve.silence_from
    from classes
    inner join longer_curve
        on
            classes.model_version = longer_curve.model_version
            and classes.order_class = longer_curve.order_class
            and classes.longer_gap_class = longer_curve.gap_class
    union
    -- Nobody is new for longer than a window.
    select
        classes.*,
        cast(limits.repurchase_window_days as integer) + 1 as silence_from
    from classes
    inner join limits on classes.model_version = limits.model_version
    where classes.order_class = 1

),

foretold as (

    select
        silences.*,
        window_curve.repurchase_probability,
        longer_curve.repurchase_probability as longer_probability,
        limits.repurchase_window_days,
        limits.min_active_probability,
        limits.max_lapsed_probability
    from silences
    inner join limits on silences.model_version = limits.model_version
    left join window_curve
        on
            silences.model_version = window_curve.model_version
            and silences.order_class = window_curve.order_class
            and silences.gap_class = window_curve.gap_class
            and silences.silence_from >= window_curve.silence_from
            and silences.silence_from <= coalesce(window_curve.silence_to, silences.silence_from)
    left join longer_curve
        on
            silences.model_version = longer_curve.model_version
            and silences.order_class = longer_curve.order_class
            and silences.longer_gap_class = longer_curve.gap_class
            and silences.silence_from >= longer_curve.silence_from
            and silences.silence_from <= coalesce(longer_curve.silence_to, silences.silence_from)

),

staged as (

    select
        foretold.model_version,
        foretold.order_class,
        foretold.gap_class,
        foretold.longer_gap_class,
        foretold.silence_from,
        {{ lifecycle_stage_of('foretold', 'foretold.order_class', 'foretold.silence_from') }} as lifecycle_stage
    from foretold

),

-- Where the stage is another one than before.
steps as (

    select * from staged
    qualify
        lifecycle_stage is distinct from lag(lifecycle_stage) over (
            partition by model_version, order_class, gap_class, longer_gap_class
            order by silence_from
        )

),

final as (

    select
        model_version,
        order_class,
        gap_class,
        longer_gap_class,
        silence_from,
        lead(silence_from) over (
            partition by model_version, order_class, gap_class, longer_gap_class
            order by silence_from
        ) - 1 as silence_to,
        lifecycle_stage
    from steps

)

select * from final
