{#- The pieces of cleaning that several fields share. -#}

{#- Text without outer spaces, tabs, line ends and no-break spaces; null when nothing is left.
    Text that starts and ends with a printable ASCII character is left as it is, which costs half. -#}
{% macro trimmed(column) -%}
    nullif(
        case
            when left({{ column }}, 1) between '!' and '~' and right({{ column }}, 1) between '!' and '~' then {{ column }}
            else trim({{ column }}, ' ' || chr(9) || chr(10) || chr(13) || chr(160))
        end,
        ''
    )
{%- endmacro %}

{#- Whether a trimmed text is one of the values, without regard to case. The lengths are asked first,
    since they rule out nearly every row at a fraction of the cost. -#}
{% macro is_one_of(column, values) -%}
    {%- set values = values | map('trim') | list -%}
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

{#- True, false, or null for an empty field. What can't be read is `otherwise`. -#}
{% macro yes_or_no(column, otherwise) -%}
    case
        when {{ trimmed(column) }} is null then null
        when lower({{ trimmed(column) }}) in ('true', 't', 'yes', 'y', '1', '1.0', 'on') then true
        when lower({{ trimmed(column) }}) in ('false', 'f', 'no', 'n', '0', '0.0', 'off') then false
        else {{ otherwise }}
    end
{%- endmacro %}
