-- Why do rows not count, and what did they look like? Three examples of each reason.
-- Run it with: dbt show --select why_were_rows_excluded --limit 50
with

excluded_order_lines as (

    select * from {{ ref('customer_segmentation', 'excluded_order_lines') }}

),

order_exclusions as (

    select * from {{ ref('customer_segmentation', 'order_exclusions') }}

),

examples as (

    select
        *,
        row_number() over (
            partition by exclusion_reason order by line_id, order_id, raw_ordered_at, raw_amount
        ) as example
    from excluded_order_lines

),

final as (

    select
        examples.exclusion_reason,
        order_exclusions.num_rows,
        order_exclusions.description,
        examples.customer_id,
        examples.order_id,
        examples.raw_ordered_at,
        examples.raw_amount,
        examples.status
    from examples
    inner join order_exclusions using (exclusion_reason)
    where examples.example <= 3

)

select * from final
order by num_rows desc, exclusion_reason asc
