with

customer_months as (

    select * from {{ ref('customer_segmentation', 'customer_months') }}

),

as_of as (

    select as_of_date from {{ ref('customer_segmentation', 'as_of') }}

),

beside as (

    select
        *,
        lag(month) over by_month = month - interval 1 month as is_next_to_the_last,
        coalesce(lead(month) over by_month = month + interval 1 month, false) as is_next_to_another,
        lag(has_ordered) over by_month as has_ordered_before,
        lag(revenue) over by_month as revenue_before
    from customer_months
    window by_month as (partition by customer_id order by month)

),

in_months as (

    select
        month,
        has_ordered as is_active,
        coalesce(is_next_to_the_last and has_ordered_before, false) as was_active,
        coalesce(first_order_month = month, false) as is_new,
        not is_next_to_another and month + interval 1 month < (select as_of.as_of_date from as_of) as is_missed_after,
        revenue,
        revenue - case when is_next_to_the_last then revenue_before else 0 end as change
    from beside

),

-- Customers alike are counted once: what follows looks at each of them twice.
alike as (

    select
        month,
        is_active,
        was_active,
        is_new,
        is_missed_after,
        -sign(revenue) as direction_if_missed,
        sign(change) as direction,
        count(*) as num_customers,
        sum(revenue) as revenue,
        sum(change) as change
    from in_months
    group by month, is_active, was_active, is_new, is_missed_after, sign(revenue), sign(change)

),

-- Every customer in each month of theirs, and in the one after it, in which they may be missed.
compared as (

    select
        month,
        is_active,
        was_active,
        is_new,
        direction,
        num_customers,
        revenue,
        change
    from alike
    union all
    select
        cast(month + interval 1 month as date) as month,
        false as is_active,
        is_active as was_active,
        false as is_new,
        direction_if_missed as direction,
        num_customers,
        0 as revenue,
        -revenue as change
    from alike
    where is_missed_after

),

sorted as (

    select
        *,
        case
            when is_active and is_new then 'new'
            when is_active and was_active then 'retained'
            when is_active then 'reactivated'
            when was_active then 'lost'
            else 'returned'
        end as standing
    from compared

),

final as (

    select
        sorted.month,
        sorted.month + interval 1 month <= as_of.as_of_date as is_whole,
        {{ customers_with('sorted.is_active') }} as num_active,
        {{ customers_with("sorted.standing = 'new'") }} as num_new,
        {{ customers_with("sorted.standing = 'retained'") }} as num_retained,
        {{ customers_with("sorted.standing = 'reactivated'") }} as num_reactivated,
        {{ customers_with("sorted.standing = 'lost'") }} as num_lost,
        cast(sum(sorted.revenue) as decimal(38, 4)) as revenue,
        {{ change_of_revenue("sorted.standing = 'new'") }} as new_revenue,
        {{ change_of_revenue("sorted.standing = 'reactivated'") }} as reactivated_revenue,
        {{ change_of_revenue("sorted.standing in ('retained', 'returned') and sorted.direction > 0") }} as expansion,
        -{{ change_of_revenue("sorted.standing in ('retained', 'returned') and sorted.direction < 0") }} as contraction,
        -{{ change_of_revenue("sorted.standing = 'lost'") }} as lost_revenue
    from sorted
    cross join as_of
    group by sorted.month, as_of.as_of_date

)

select * from final
