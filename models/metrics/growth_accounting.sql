with

customer_months as (

    select * from {{ ref('customer_segmentation', 'customer_months') }}

),

as_of as (

    select as_of_date from {{ ref('customer_segmentation', 'as_of') }}

),

-- Every customer in each month of theirs and in the one after it, in which they may be missed.
pairs as (

    select
        customer_id,
        month,
        first_order_month
    from customer_months
    union
    select
        customer_id,
        cast(month + interval 1 month as date) as month,
        first_order_month
    from customer_months

),

compared as (

    select
        pairs.customer_id,
        pairs.month,
        coalesce(this_month.has_ordered, false) as is_active,
        coalesce(last_month.has_ordered, false) as was_active,
        pairs.first_order_month = pairs.month as is_new,
        coalesce(this_month.revenue, 0) as revenue,
        coalesce(this_month.revenue, 0) - coalesce(last_month.revenue, 0) as change
    from pairs
    cross join as_of
    left join customer_months as this_month
        on pairs.customer_id = this_month.customer_id and pairs.month = this_month.month
    left join customer_months as last_month
        on
            pairs.customer_id = last_month.customer_id
            and pairs.month = cast(last_month.month + interval 1 month as date)
    where pairs.month < as_of.as_of_date

),

sorted as (

    select
        *,
        case
            when is_active and coalesce(is_new, false) then 'new'
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
        count(*) filter (where sorted.is_active) as num_active,
        count(*) filter (where sorted.standing = 'new') as num_new,
        count(*) filter (where sorted.standing = 'retained') as num_retained,
        count(*) filter (where sorted.standing = 'reactivated') as num_reactivated,
        count(*) filter (where sorted.standing = 'lost') as num_lost,
        cast(sum(sorted.revenue) as decimal(38, 4)) as revenue,
        {{ change_of_revenue("sorted.standing = 'new'") }} as new_revenue,
        {{ change_of_revenue("sorted.standing = 'reactivated'") }} as reactivated_revenue,
        {{ change_of_revenue("sorted.standing in ('retained', 'returned') and sorted.change > 0") }} as expansion,
        -{{ change_of_revenue("sorted.standing in ('retained', 'returned') and sorted.change < 0") }} as contraction,
        -{{ change_of_revenue("sorted.standing = 'lost'") }} as lost_revenue
    from sorted
    cross join as_of
    group by sorted.month, as_of.as_of_date

)

select * from final
