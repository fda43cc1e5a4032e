{#- Ends a model of guards: the relation `problems` has a row, guard and problem, for each thing that is wrong, and the first
    of them stops the build. -#}
{% macro stops_with_the_first_problem() -%}
first_problem as (

    select * from problems
    order by guard
    limit 1

),

final as (

    select
        guard,
        error(problem) as problem
    from first_problem

)
{%- endmacro %}
