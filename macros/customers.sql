{#- The mapped rows of the customers, from their location or the sample; no rows for a shop whose
    customers_location is not given. -#}
{% macro customer_rows() -%}
    {%- set known = var('customers_location') or not var('orders_location') -%}
    {%- set columns = var('customer_columns') if known else {} -%}
    select
        {{ mapped(columns, 'customer_id') }} as customer_id,
        {{ mapped(columns, 'has_consent', 'varchar') }} as has_consent,
        {{ mapped(columns, 'is_unsubscribed', 'varchar') }} as is_unsubscribed,
        {{ mapped(columns, 'last_contacted_on') }} as last_contacted_on
    {%- if known %}
    from {{ raw_rows('customers') }}
    {%- else %}
    where false
    {%- endif %}
{%- endmacro %}

{#- True, false, or null for an empty field. What can't be read is `otherwise`. -#}
{% macro yes_or_no(column, otherwise) -%}
    case
        when {{ trimmed(column) }} is null then null
        when lower({{ trimmed(column) }}) in ('true', 't', 'yes', 'y', '1', '1.0', 'on') then true
        when lower({{ trimmed(column) }}) in ('false', 'f', 'no', 'n', '0', '0.0', 'off') then false
        else {{ otherwise }}
    end
{%- endmacro %}
