{#- The pieces of cleaning that several models, or several vars, share. -#}

{#- Whether each raw row is an order by itself, so that nothing needs grouping by order id. -#}
{% macro rows_are_orders() -%}
    {{ return(var('rows_are') == 'orders') }}
{%- endmacro %}

{#- Text without outer spaces, tabs, line ends and no-break spaces; null when nothing is left.
    Text that starts and ends with a printable ASCII character is left as it is, which costs half. -#}
{% macro trimmed(column) -%}
    nullif(
        case
            when {{ column }}[1] between '!' and '~' and {{ column }}[-1] between '!' and '~' then {{ column }}
            else trim({{ column }}, ' ' || chr(9) || chr(10) || chr(13) || chr(160))
        end,
        ''
    )
{%- endmacro %}

{#- Whether a trimmed text is one of a var's values, without regard to case. The lengths are asked
    first, since they rule out nearly every row at a fraction of the cost. -#}
{% macro is_one_of(column, name) -%}
    {%- set values = var(name) | map('trim') | list -%}
    {%- if values -%}
        length({{ column }}) in ({% for value in values %}length({{ sql_text(value) }}){{ ', ' if not loop.last }}{% endfor %})
        and lower({{ column }}) in ({% for value in values %}lower({{ sql_text(value) }}){{ ', ' if not loop.last }}{% endfor %})
    {%- else -%}
        false
    {%- endif -%}
{%- endmacro %}

{#- A timestamp on the shop's clock. What carries a zone (the type, or a zone or offset in the text) is
    converted to the timezone var; what carries none is taken as local already. Text must begin with a
    year of four digits: day-first and two-digit years are read in one way by some and in another by
    others, so they are left to your expression. Null if unreadable.
    typeof() is known when the query is planned, so branches that can't apply cost nothing. -#}
{% macro local_timestamp(column) -%}
    case
        when typeof({{ column }}) = 'TIMESTAMP WITH TIME ZONE'
            then timezone({{ sql_text(var('timezone')) }}, try_cast({{ column }} as timestamptz))
        when typeof({{ column }}) != 'VARCHAR' then try_cast({{ column }} as timestamp)
        when not regexp_matches(cast({{ column }} as varchar), '^\s*\d{4}[-/]') then null
        when regexp_matches(cast({{ column }} as varchar), ':\d{2}.*([A-Za-z]|[+-]\d{2}(:?\d{2})?)\s*$')
            then timezone(
                {{ sql_text(var('timezone')) }},
                try_cast(regexp_replace(trim(cast({{ column }} as varchar)), 'z$', 'Z') as timestamptz)
            )
        else try_cast({{ column }} as timestamp)
    end
{%- endmacro %}

{#- A row's own reason to be excluded, or that it repeats a line id. Of rows that share a line id the
    first readable one counts, by order date, then by its other values, whatever the order of the rows. -#}
{% macro row_reason() -%}
    {%- if var('order_columns').get('line_id') -%}
        coalesce(
            own_reason,
            case
                when
                    line_id is not null
                    and row_number() over (
                        partition by line_id
                        order by own_reason nulls first, ordered_at, order_id, customer_id, amount, status
                    ) > 1
                    then 'repeated_line_id'
            end
        )
    {%- else -%}
        own_reason
    {%- endif -%}
{%- endmacro %}

{#- Rows that repeat another row in every raw column. Only asked where no line id tells rows apart. -#}
{% macro count_repeated_rows() -%}
    {%- if rows_are_orders() or var('order_columns').get('line_id') -%}
        0
    {%- else -%}
        count(*) - count(distinct row_hash)
    {%- endif -%}
{%- endmacro %}
