{#- Unique and never null, in one pass: what `unique` and `not_null` ask in two. -#}
{% test is_key(model, column_name) %}

select
    {{ column_name }},
    count(*) as num_rows
from {{ model }}
group by {{ column_name }}
having count(*) > 1 or {{ column_name }} is null

{% endtest %}
