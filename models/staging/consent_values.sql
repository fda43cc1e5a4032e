{{ config(materialized='table') }}

{%- set rows -%}
{%- set answers = [('has_consent', 'consent', 'refusal'), ('is_unsubscribed', 'opted_out', 'not_opted_out')] %}
{%- for field, yes, no in answers %}
select
    '{{ field }}' as field,
    left({{ trimmed(field) }}, 100) as value,
    case
        when {{ trimmed(field) }} is null then 'not known'
        when {{ yes_or_no(field, yes_or_no_words(field), otherwise='null') }} then '{{ yes }}'
        when not {{ yes_or_no(field, yes_or_no_words(field), otherwise='null') }} then '{{ no }}'
        else 'unknown'
    end as counted_as
from {{ ref('raw_customer_listings') }}
{{ 'union all' if not loop.last }}
{%- endfor %}
{%- endset -%}
{{ distinct_values(rows, fields=['field']) }}
