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

final as (

    select
        order_days.*,
        case
            when order_days.row_reason is not null then order_days.row_reason
            when order_days.order_date not between as_of.first_day_of_life and as_of.last_day_of_life
                then 'isolated_date'
            when order_days.order_date >= as_of.as_of_date then 'future_date'
            else 'accepted'
        end as exclusion_reason
    from order_days
    cross join as_of

)

-- noqa: disable=AM04
select * from final
