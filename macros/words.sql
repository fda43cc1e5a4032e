{#- A table of the distinct values of a column, so that what they count as is decided on in the open: for each its
    rows, and the sum of `amount` if given; `counted_as` is an expression of the value. Of more than 100 values those
    with fewest rows are summed up, for a column of free text must not become a table of a million rows. -#}
{% macro distinct_values(rows, counted_as, amount=none, fields=[]) -%}
{%- set keys = fields + ['value'] -%}
with

grouped as (

    select
        {{ keys | join(', ') }},
        count(*) as num_rows,
        coalesce(sum({{ amount or 0 }}), 0) as amount
    from ({{ rows }}) as all_rows
    group by {{ keys | join(', ') }}

),

ranked as (

    select
        *,
        {{ counted_as }} as counted_as,
        row_number() over (
            {% if fields %}partition by {{ fields | join(', ') }} {% endif -%}
            order by num_rows desc, value
        ) <= 100 as is_listed
    from grouped

),

final as (

    select
        {% for field in fields %}{{ field }}, {% endfor %}
        case when is_listed then value else '(other values)' end as value,
        counted_as,
        count(*) as num_values,
        cast(sum(num_rows) as bigint) as num_rows
        {%- if amount %},
        cast(sum(amount) as decimal(38, 4)) as amount
        {%- endif %}
    from ranked
    group by {% for field in fields %}{{ field }}, {% endfor %}case when is_listed then value else '(other values)' end, counted_as

)

select * from final
{%- endmacro %}
