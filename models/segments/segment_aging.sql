-- The other way round than segment_drift: today's shares beside those of each month, by one and the same model. After
-- as many months as it took to move that far, a model of today will be as old.
with

counted as (

    select
        as_of_date,
        segment_id,
        count(*) as num_customers
    from {{ ref('customer_segmentation', 'segment_history') }}
    group by as_of_date, segment_id

),

as_of as (

    select as_of_date from {{ ref('customer_segmentation', 'as_of') }}

),

days as (

    select distinct as_of_date from counted

),

segments as (

    select distinct segment_id from counted

),

-- Every segment on every day, also those that nobody was in.
every_segment as (

    select
        days.as_of_date,
        segments.segment_id
    from days
    cross join segments

),

shares as (

    select
        every_segment.as_of_date,
        every_segment.segment_id,
        coalesce(counted.num_customers, 0) as num_customers,
        coalesce(counted.num_customers, 0)
        / sum(coalesce(counted.num_customers, 0)) over (partition by every_segment.as_of_date) as share
    from every_segment
    left join counted
        on every_segment.as_of_date = counted.as_of_date and every_segment.segment_id = counted.segment_id

),

today as (

    select shares.*
    from shares
    inner join as_of on shares.as_of_date = as_of.as_of_date

),

compared as (

    select
        shares.as_of_date,
        shares.num_customers,
        {{ share_for_stability('today.share') }} as floored_today,
        {{ share_for_stability('shares.share') }} as floored_then
    from shares
    inner join today on shares.segment_id = today.segment_id

),

measured as (

    select
        as_of_date,
        sum(num_customers) as num_customers,
        round({{ population_stability_index('floored_today', 'floored_then') }}, 6) as population_stability_index
    from compared
    group by as_of_date

),

final as (

    select
        measured.as_of_date,
        cast(datediff('month', measured.as_of_date, as_of.as_of_date) as integer) as months_ago,
        cast(measured.num_customers as bigint) as num_customers,
        measured.population_stability_index,
        {{ drift_word('measured.population_stability_index') }} as drift
    from measured
    cross join as_of

)

select * from final
