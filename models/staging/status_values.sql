{{ config(materialized='table') }}

{#- Of a shop without statuses there is nothing to list. -#}
{%- set rows -%}
select
    left(status, 100) as value,
    case when not is_other_currency then amount end as amount
from {{ ref('customer_segmentation', 'typed_order_lines') }}
{% if not checked_var('order_columns').get('status') -%} where false {%- endif %}
{%- endset -%}
{{ distinct_values(rows, counted_as('value'), amount='amount') }}
