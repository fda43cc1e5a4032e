-- For now a single day, the as-of date. What reads it has to hold for several.
with

as_of as (

    select * from {{ ref('as_of') }}

),

final as (

    select
        as_of_date,
        metrics_window_start
    from as_of

)

select * from final
