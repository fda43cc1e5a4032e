{#- Unique and never null, as the columns `never_null` are neither, in one pass: what `unique` and as many `not_null` ask. -#}
{% test is_key(model, column_name, never_null=[]) %}

select
    {{ column_name }},
    {{ nulls_in_rows(never_null) }}
from {{ model }}
group by {{ column_name }}
having count(*) > 1 or {{ column_name }} is null {{- or_any_null(never_null) }}

{% endtest %}
