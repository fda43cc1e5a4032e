{{ config(materialized='table') }}

{%- set kept = sql_text((var('currency') or '') | string | upper) -%}
{%- set counted_as = "'converted'" if var('currency_rates_location') else
    "case when count(value) over () > 1 and coalesce(value != " ~ kept ~ ", true) then 'left_out' else 'kept' end" -%}
{%- set rows -%}
select
    left(currency_code, 100) as value,
    amount
from {{ ref('customer_segmentation', 'typed_order_lines') }}
{% if not checked_var('order_columns').get('currency') -%} where false {%- endif %}
{%- endset -%}
{{ distinct_values(rows, counted_as, amount='amount') }}
