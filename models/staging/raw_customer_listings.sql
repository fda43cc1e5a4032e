{{ config(pre_hook="{{ guard_locations() }}") }}

-- depends_on: {{ ref('customer_segmentation', 'source_files') }}
-- Your orders without your customers: consent and contacts are known of nobody.
{%- set is_sample = not (var('orders_location') or var('orders_model')) %}
{%- set is_known = is_sample or var('customers_location') or var('customers_model') %}
{%- set columns = checked_var('customer_columns') if is_known else {} %}
with

{% if is_known -%}
source_rows as (

    {{ raw_rows('customers') }}

),

{% endif -%}
final as (

    select
        {{ mapped(columns, 'customer_id') }} as customer_id,
        {{ mapped(columns, 'has_consent', 'varchar') }} as has_consent,
        {{ mapped(columns, 'is_unsubscribed', 'varchar') }} as is_unsubscribed,
        {{ mapped(columns, 'last_contacted_on') }} as last_contacted_on
    {%- if is_known %}
    from source_rows
    {%- else %}
    where false
    {%- endif %}

)

select * from final
