-- Of distinct values and how many customers have them: a quantile of everybody would hold everybody in memory.
with

customer_metrics_history as (

    select * from {{ ref('customer_segmentation', 'customer_metrics_history') }}

),

clusterable_customers as not materialized (

    {{ values_for_rfm('customer_metrics_history') }}

),

counted as (

    {%- for score, value in rfm_values().items() %}
    select
        as_of_date,
        '{{ score }}' as score,
        cast({{ value }} as double) as value,
        count(*) as num_customers
    from clusterable_customers
    group by as_of_date, cast({{ value }} as double)
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

cumulated as (

    select
        as_of_date,
        score,
        value,
        sum(num_customers) over (
            partition by as_of_date, score
            order by value
            rows between unbounded preceding and current row
        ) as num_up_to,
        sum(num_customers) over (partition by as_of_date, score) as num_all
    from counted

),

quintiles as (

    select unnest([1, 2, 3, 4]) as quintile

),

-- Where a quintile ends, counted from 0, most often between two customers.
edges as (

    select
        cumulated.*,
        quintiles.quintile,
        (cumulated.num_all - 1) * quintiles.quintile / 5 as place
    from cumulated
    cross join quintiles

),

neighbours as (

    select
        as_of_date,
        score,
        quintile,
        any_value(place) as place,
        min(case when num_up_to > floor(place) then value end) as value_before,
        min(case when num_up_to > ceil(place) then value end) as value_after
    from edges
    group by as_of_date, score, quintile

),

-- Rounded, since the last bits of an interpolation differ between machines, and customers stand at an edge.
final as (

    select
        as_of_date,
        score,
        quintile,
        round(value_before + (value_after - value_before) * (place - floor(place)), 6) as upper_edge
    from neighbours

)

select * from final
