{#- Every run of days has both ends, none ends before it begins, and the columns `never_null` have no nulls. Where a run ends on the day before the
    next one begins, two that began on one day would: so the key is asked without a group for each row. -#}
{% test runs_of_days(model, first_day, last_day, never_null) %}

select
    {{ first_day }},
    {{ last_day }},
    {{ never_null | join(', ') }}
from {{ model }}
where not coalesce({{ last_day }} >= {{ first_day }}, false) or {{ never_null | join(' is null or ') }} is null

{% endtest %}
