{{ config(materialized='table', pre_hook="{{ guard_locations() }}") }}

-- depends_on: {{ ref('source_files') }}
-- Your orders without your customers: consent and contacts are known of nobody.
{%- set is_known = var('customers_location') or not var('orders_location') %}
{%- set columns = var('customer_columns') if is_known else {} %}
with

mapped as (

    select
        {{ mapped(columns, 'customer_id') }} as customer_id,
        {{ mapped(columns, 'has_consent', 'varchar') }} as has_consent,
        {{ mapped(columns, 'is_unsubscribed', 'varchar') }} as is_unsubscribed,
        {{ mapped(columns, 'last_contacted_on') }} as last_contacted_on
    {%- if is_known %}
    from ({{ raw_rows('customers') }}) as source_rows
    {%- else %}
    where false
    {%- endif %}

),

typed as (

    select
        {{ trimmed('customer_id') }} as customer_id,
        -- What can't be read is no permission: it counts as a refusal, and as opted out.
        {{ yes_or_no('has_consent', otherwise='false') }} as has_consent,
        coalesce({{ yes_or_no('is_unsubscribed', otherwise='true') }}, false) as is_unsubscribed,
        cast({{ local_timestamp('last_contacted_on') }} as date) as last_contacted_on,
        {{ trimmed('cast(last_contacted_on as varchar)') }} is not null as has_contact
    from mapped

),

-- A customer listed twice gets the stricter answer.
final as (

    select
        customer_id,
        bool_and(has_consent) as has_consent,
        bool_or(is_unsubscribed) as is_unsubscribed,
        max(last_contacted_on) as last_contacted_on,
        bool_or(has_contact and last_contacted_on is null) as has_unreadable_contact
    from typed
    where customer_id is not null
    group by customer_id

)

select * from final
