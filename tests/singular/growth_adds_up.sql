-- The identities of growth accounting, to the cent.
with

months as (

    select * from {{ ref('customer_segmentation', 'growth_accounting') }}

)

select
    months.month,
    months.num_active,
    months.revenue
from months
left join months as before on months.month = before.month + interval 1 month
where
    months.num_active != months.num_new + months.num_retained + months.num_reactivated
    or months.num_active - coalesce(before.num_active, 0) != months.num_new + months.num_reactivated - months.num_lost
    or months.revenue - coalesce(before.revenue, 0)
    != months.new_revenue + months.reactivated_revenue + months.expansion - months.contraction - months.lost_revenue
