-- Your own metrics: add columns to `final` and take its `where false` out, for example
--
--     count(distinct category) as num_categories,
--     avg(case when discount = 'yes' then 1 else 0 end) as share_of_discounted_lines
--
-- with category and discount named in the var custom_order_columns. Then name the new columns in
-- candidate_features. known_order_lines holds for each day only what was known before it; with
-- metrics_window_days, narrow it by `filter (where ordered_at >= metrics_window_start)`.
with

known_order_lines as (

    select * from {{ ref('customer_segmentation', 'known_order_lines') }}

),

final as (

    select
        customer_id,
        as_of_date
    from known_order_lines
    where false
    group by customer_id, as_of_date

)

select * from final
