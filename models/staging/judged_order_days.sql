with

order_days as (

    select * from {{ ref('customer_segmentation', 'order_days') }}

),

as_of as (

    select
        as_of_date,
        first_day_of_life,
        last_day_of_life
    from {{ ref('customer_segmentation', 'as_of') }}

),

final as (

    select
        order_days.*,
        coalesce({{ reason_with_day('order_days.row_reason', 'order_days.order_date', 'as_of') }}, 'accepted')
            as exclusion_reason
    from order_days
    cross join as_of

)

-- noqa: disable=AM04
select * from final
