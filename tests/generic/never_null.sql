{#- None of these columns is null, in one pass. -#}
{% test never_null(model, never_null) %}

select {{ never_null | join(', ') }}
from {{ model }}
where {{ never_null | join(' is null or ') }} is null

{% endtest %}
