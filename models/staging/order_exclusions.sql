{{ config(materialized='table') }}

with

order_days as (

    select * from {{ ref('order_days') }}

),

as_of as (

    select
        as_of_date,
        first_day_of_life,
        last_day_of_life
    from {{ ref('as_of') }}

),

reasons as (

    select * from {{ ref('exclusion_reasons') }}

),

judged as (

    select
        case
            when order_days.row_reason is not null then order_days.row_reason
            when order_days.order_date not between as_of.first_day_of_life and as_of.last_day_of_life
                then 'isolated_date'
            when order_days.order_date >= as_of.as_of_date then 'future_date'
            else 'accepted'
        end as exclusion_reason,
        sum(order_days.num_rows) as num_rows,
        sum(order_days.num_repeated_rows) as num_repeated_rows,
        sum(order_days.amount) as amount
    from order_days
    cross join as_of
    group by 1

),

-- A row that is no row of its file was never passed on by the reader.
unreadable as (

    select count(*) as num_rows
    from {{ ref('unreadable_rows') }}
    where source = 'orders'

),

counted as (

    select * from judged
    union all
    select
        'unreadable_row' as exclusion_reason,
        num_rows,
        0 as num_repeated_rows,
        0 as amount
    from unreadable

),

final as (

    select
        exclusion_reason,
        reasons.description,
        cast(coalesce(counted.num_rows, 0) as bigint) as num_rows,
        coalesce(counted.num_rows, 0) / sum(counted.num_rows) over () as share_of_rows,
        cast(coalesce(counted.num_repeated_rows, 0) as bigint) as num_repeated_rows,
        cast(coalesce(counted.amount, 0) as decimal(38, 4)) as amount
    from reasons
    full join counted using (exclusion_reason)

)

select * from final
