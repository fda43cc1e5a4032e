{{ config(materialized='table') }}

{%- set rows -%}
select
    left(upper(currency_code), 100) as value,
    amount
from {{ ref('customer_segmentation', 'typed_order_lines') }}
{% if not checked_var('order_columns').get('currency') -%} where false {%- endif %}
{%- endset -%}
{{ distinct_values(rows, "'not looked at'", amount='amount') }}
