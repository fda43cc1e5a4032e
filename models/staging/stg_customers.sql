-- depends_on: {{ ref('customer_segmentation', 'merged_identifiers') }}
{{ config(materialized='table') }}

with

customer_id_format as (

    select reading from {{ ref('customer_segmentation', 'value_formats') }}
    where source = 'customers' and field = 'customer_id'

),

listings as (

    select
        *,
        {{ trimmed('customer_id') }} as trimmed_customer_id
    from {{ ref('customer_segmentation', 'raw_customer_listings') }}

),

typed as (

    select
        {{ cleaned_id('listings.trimmed_customer_id', 'customer_id_format.reading') }} as customer_id,
        -- What can't be read is no permission: it counts as a refusal, and as opted out.
        {{ yes_or_no('listings.has_consent', yes_or_no_words('has_consent'), otherwise='false') }} as has_consent,
        coalesce(
            {{ yes_or_no('listings.is_unsubscribed', yes_or_no_words('is_unsubscribed'), otherwise='true') }}, false
        ) as is_unsubscribed,
        cast({{ local_timestamp('listings.last_contacted_on') }} as date) as last_contacted_on,
        {{ trimmed('cast(listings.last_contacted_on as varchar)') }} is not null as has_contact
    from listings
    cross join customer_id_format

),

{% if identities_are_known() -%}
known as (

    select
        typed.* exclude (customer_id),
        coalesce(by_id.customer_id, typed.customer_id) as customer_id
    from typed
    left join {{ ref('customer_segmentation', 'merged_identifiers') }} as by_id
        on by_id.identifier_kind = 'id' and typed.customer_id = by_id.identifier

),
{%- else -%}
known as (

    select * from typed

),
{%- endif %}

-- A customer listed twice gets the stricter answer.
final as (

    select
        customer_id,
        bool_and(has_consent) as has_consent,
        bool_or(is_unsubscribed) as is_unsubscribed,
        max(last_contacted_on) as last_contacted_on,
        bool_or(has_contact and last_contacted_on is null) as has_unreadable_contact
    from known
    where customer_id is not null
    group by customer_id

)

select * from final
