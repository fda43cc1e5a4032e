{{ config(materialized='table') }}

{#- A row in a thousand (at least 2), or a row in a hundred after a gap that ends a stretch by itself. In a shop of
    fewer than 20 rows not even 2 are few. -#}
{%- set share_of_few = 0.001 -%}
{%- set share_of_few_far_away = 0.01 -%}
{%- set given = var('as_of_date') %}

with

order_days as (

    select * from {{ ref('customer_segmentation', 'order_days') }}

),

accepted_days as (

    select
        order_date,
        sum(num_rows) as num_rows
    from order_days
    where row_reason is null
    group by order_date

),

-- Each day with its gaps, the longest of the twenty gaps before and after them, and the rows up to it and from it on.
gaps as (

    select
        order_date,
        num_rows,
        days_before,
        days_after,
        max(days_before) over (order by order_date rows between 20 preceding and 1 preceding) as longest_nearby_before,
        max(days_after) over (order by order_date rows between 1 following and 20 following) as longest_nearby_after,
        sum(num_rows) over (order by order_date) as rows_so_far,
        sum(num_rows) over (order by order_date desc) as rows_to_come,
        sum(num_rows) over () as num_all_rows
    from (
        select
            *,
            datediff('day', lag(order_date) over (order by order_date), order_date) as days_before,
            datediff('day', order_date, lead(order_date) over (order by order_date)) as days_after
        from accepted_days
    ) as days

),

-- How many rows are few enough to be strays, and how long a pause is usual in the middle of the shop's life: a shop
-- that sells before Christmas has one each year.
usual as (

    select
        order_date,
        days_before,
        days_after,
        longest_nearby_before,
        longest_nearby_after,
        rows_so_far,
        rows_to_come,
        least(0.1 * num_all_rows, greatest(2, {{ share_of_few }} * num_all_rows)) as few,
        least(0.1 * num_all_rows, greatest(2, {{ share_of_few_far_away }} * num_all_rows)) as few_far_away,
        coalesce(
            max(days_before) filter (
                where
                days_before <= {{ var('max_order_gap_days') }}
                and rows_so_far - num_rows > greatest(2, {{ share_of_few }} * num_all_rows)
                and rows_to_come > greatest(2, {{ share_of_few }} * num_all_rows)
            ) over (),
            0
        ) as longest_pause
    from gaps

),

-- Few rows at an end of the shop's life, beyond a gap that is long for this shop: more than twice the longest of twenty
-- at the end (1 in 230 where orders come at random), and thrice at the start, since shops begin thinly and a stray
-- there moves no "today".
ends as (

    select
        min(order_date) filter (
            where
            days_before > greatest({{ var('min_isolation_gap_days') }}, 2 * longest_nearby_before, 1.2 * longest_pause)
            and rows_to_come <= case when days_before > {{ var('max_order_gap_days') }} then few_far_away else few end
        ) as first_day_after,
        max(order_date) filter (
            where
            days_after > greatest({{ var('min_isolation_gap_days') }}, 3 * longest_nearby_after, 1.2 * longest_pause)
            and rows_so_far <= case when days_after > {{ var('max_order_gap_days') }} then few_far_away else few end
        ) as last_day_before
    from usual

),

days_in_between as (

    select
        accepted_days.order_date,
        accepted_days.num_rows
    from accepted_days
    cross join ends
    where
        accepted_days.order_date > coalesce(ends.last_day_before, date '-infinity')
        and accepted_days.order_date < coalesce(ends.first_day_after, date 'infinity')

),

-- Stretches of days between gaps without any order.
stretches as (

    select
        order_date,
        num_rows,
        count(*) filter (where is_after_gap) over (order by order_date) as stretch
    from (
        select
            *,
            datediff('day', lag(order_date) over (order by order_date), order_date)
            > {{ var('max_order_gap_days') }} as is_after_gap
        from days_in_between
    ) as days

),

-- Without a given date the stretch that holds most rows, and what comes before it, is the shop's life.
main_stretch as (

    select stretch
    from stretches
    group by stretch
    order by sum(num_rows) desc, stretch desc
    limit 1

),

life as (

    select
        min(stretches.order_date) as first_day_of_life,
        max(stretches.order_date) as last_day_of_life
    from stretches
    inner join main_stretch on {{ 'true' if given else 'stretches.stretch <= main_stretch.stretch' }}

),

chosen as (

    select
        first_day_of_life,
        last_day_of_life,
        {{ "date '" ~ given ~ "'" if given else "cast(last_day_of_life + interval 1 day as date)" }} as as_of_date,
        {{ "'as_of_date'" if given else "'latest order'" }} as chosen_by
    from life

),

top_reason as (

    select
        coalesce(row_reason, 'future_date') as reason,
        sum(num_rows) as num_rows,
        sum(sum(num_rows)) over () as num_all_rows,
        list_sort(list_distinct(flatten(list(unreadable_values) filter (where unreadable_values is not null))))[:3]
            as examples
    from order_days
    group by row_reason
    order by num_rows desc, reason asc
    limit 1

),

dated as (

    select
        chosen.chosen_by,
        chosen.as_of_date,
        chosen.first_day_of_life,
        chosen.last_day_of_life,
        max(days_in_between.order_date) as latest_order_date
    from chosen
    left join days_in_between
        on
            chosen.as_of_date > days_in_between.order_date
            and chosen.last_day_of_life >= days_in_between.order_date
    group by chosen.chosen_by, chosen.as_of_date, chosen.first_day_of_life, chosen.last_day_of_life

),

final as (

    select
        {{ sql_text(var('dataset')) }} as dataset,
        cast({{ 'null' if var('currency') is none else sql_text(var('currency')) }} as varchar) as currency,
        case
            when dated.latest_order_date is null
                then error(
                    'No order was accepted: of ' || top_reason.num_all_rows || ' rows most were excluded as '
                    || top_reason.reason || ' (' || top_reason.num_rows || ' rows).'
                    || coalesce(' The values are like ' || nullif({{ in_a_row('top_reason.examples') }}, '') || '.', '')
                    || ' ' || coalesce(reasons.advice, 'Check order_columns and the cleaning vars.')
                    || ' staging.order_days counts the rows of every reason.'
                )
            else dated.as_of_date
        end as as_of_date,
        dated.chosen_by,
        dated.first_day_of_life,
        dated.last_day_of_life,
        dated.latest_order_date,
        {%- if var('metrics_window_days') is none %}
        cast(null as date) as metrics_window_start
        {%- else %}
        cast(dated.as_of_date - interval {{ var('metrics_window_days') }} day as date) as metrics_window_start
        {%- endif %}
    from dated
    cross join top_reason
    left join {{ ref('customer_segmentation', 'exclusion_reasons') }} as reasons
        on top_reason.reason = reasons.exclusion_reason

)

select * from final
