with

as_of as (

    select as_of_date from {{ ref('customer_segmentation', 'as_of') }}

),

served as not materialized (

    select * from {{ ref('customer_segmentation', 'cluster_spells') }}
    where served_until is not null

),

today as (

    select
        served.customer_id,
        served.segment_id,
        served.lifecycle_stage
    from served
    cross join as_of
    where served.spell_from <= as_of.as_of_date and served.served_until >= as_of.as_of_date

),

ahead as (

    select served.*
    from served
    cross join as_of
    where served.spell_from > as_of.as_of_date

),

next_changes as (

    select
        today.customer_id,
        min(ahead.spell_from) filter (where ahead.segment_id != today.segment_id) as changes_on,
        arg_min(ahead.segment_id, ahead.spell_from) filter (
            where ahead.segment_id != today.segment_id
        ) as next_segment_id,
        min(ahead.spell_from) filter (where ahead.lifecycle_stage != today.lifecycle_stage) as stage_changes_on,
        arg_min(ahead.lifecycle_stage, ahead.spell_from) filter (
            where ahead.lifecycle_stage != today.lifecycle_stage
        ) as next_lifecycle_stage,
        min(ahead.spell_from) filter (
            where ahead.lifecycle_stage = 'lapsed' and today.lifecycle_stage != 'lapsed'
        ) as lapses_on
    from today
    inner join ahead on today.customer_id = ahead.customer_id
    group by today.customer_id

),

segment_definitions as (

    select * from {{ ref('customer_segmentation', 'segment_definitions') }}

),

final as (

    select
        today.customer_id,
        today.segment_id,
        segment_definitions.segment,
        cast(next_changes.changes_on - as_of.as_of_date as integer) as days_until_change,
        next_changes.changes_on,
        next_changes.next_segment_id,
        next_definitions.segment as next_segment,
        today.lifecycle_stage,
        cast(next_changes.stage_changes_on - as_of.as_of_date as integer) as days_until_stage_change,
        next_changes.stage_changes_on,
        next_changes.next_lifecycle_stage,
        cast(next_changes.lapses_on - as_of.as_of_date as integer) as days_until_lapse,
        next_changes.lapses_on,
        case
            when {{ var('metrics_window_days') is not none }}
                then 'with metrics_window_days the metrics change without an order'
            when {{ not is_known_ahead() }} then 'a metric of custom_metrics moves with time'
            when try_cast(today.segment_id as integer) is null then 'no order that counts: only one changes that'
            when next_changes.changes_on is null then 'stays for {{ days_looked_ahead() }} days or more'
        end as unknown_because
    from today
    cross join as_of
    left join next_changes on today.customer_id = next_changes.customer_id
    left join segment_definitions on today.segment_id = segment_definitions.segment_id
    left join segment_definitions as next_definitions
        on next_changes.next_segment_id = next_definitions.segment_id

)

select * from final
