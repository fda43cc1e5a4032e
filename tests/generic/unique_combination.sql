{#- No two rows share the values of all these columns, where nulls count as equal, and the columns `never_null` have none. -#}
{% test unique_combination(model, columns, never_null=[]) %}

select
    {{ columns | join(', ') }},
    {{ nulls_in_rows(never_null) }}
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1 {{- or_any_null(never_null) }}

{% endtest %}
