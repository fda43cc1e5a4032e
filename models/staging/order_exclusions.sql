{{ config(materialized='table') }}

with

judged_order_days as (

    select * from {{ ref('customer_segmentation', 'judged_order_days') }}

),

-- A row that is no row of its file was never passed on by the reader.
unreadable as (

    select count(*) as num_rows
    from {{ ref('customer_segmentation', 'unreadable_rows') }}
    where source = 'orders'

),

reasons as (

    select * from {{ ref('customer_segmentation', 'exclusion_reasons') }}

),

counted as (

    select
        exclusion_reason,
        sum(num_rows) as num_rows,
        sum(num_repeated_rows) as num_repeated_rows,
        sum(amount) as amount,
        sum(absolute_amount) as absolute_amount
    from judged_order_days
    group by exclusion_reason
    union all
    select
        'unreadable_row' as exclusion_reason,
        num_rows,
        0 as num_repeated_rows,
        0 as amount,
        0 as absolute_amount
    from unreadable

),

final as (

    select
        exclusion_reason,
        reasons.description,
        cast(coalesce(counted.num_rows, 0) as bigint) as num_rows,
        coalesce(counted.num_rows, 0) / sum(counted.num_rows) over () as share_of_rows,
        cast(coalesce(counted.num_repeated_rows, 0) as bigint) as num_repeated_rows,
        cast(coalesce(counted.amount, 0) as decimal(38, 4)) as amount,
        coalesce(coalesce(counted.absolute_amount, 0) / nullif(sum(counted.absolute_amount) over (), 0), 0)
            as share_of_absolute_amount
    from reasons
    full join counted using (exclusion_reason)

)

select * from final
