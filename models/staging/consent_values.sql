{{ config(materialized='table') }}

{%- set fields = [('has_consent', 'consent', 'refusal'), ('is_unsubscribed', 'opted_out', 'not_opted_out')] %}
{%- set rows -%}
{%- for field, _, _ in fields %}
select
    '{{ field }}' as field,
    left({{ trimmed(field) }}, 100) as value
from {{ ref('customer_segmentation', 'raw_customer_listings') }}
{{ 'union all' if not loop.last }}
{%- endfor %}
{%- endset -%}
{%- set answers = ["when value is null then 'not known'"] %}
{%- for field, yes, no in fields %}
{%- set answer = yes_or_no('value', yes_or_no_words(field), otherwise='null') %}
{%- do answers.append("when field = '" ~ field ~ "' and " ~ answer ~ " then '" ~ yes ~ "'") %}
{%- do answers.append("when field = '" ~ field ~ "' and not " ~ answer ~ " then '" ~ no ~ "'") %}
{%- endfor %}
{{ distinct_values(rows, 'case ' ~ answers | join(' ') ~ " else 'unknown' end", fields=['field']) }}
