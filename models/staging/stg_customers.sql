{{ config(materialized='table', pre_hook="{{ guard_locations() }}") }}

with

source_rows as (

    {{ customer_rows() }}

),

typed as (

    select
        {{ trimmed('customer_id') }} as customer_id,
        {{ yes_or_no('has_consent') }} as has_consent,
        -- What can't be read is no permission: only an empty field or a plain no counts as subscribed.
        coalesce({{ yes_or_no('is_unsubscribed') }}, {{ trimmed('is_unsubscribed') }} is not null) as is_unsubscribed,
        cast({{ local_timestamp('last_contacted_on') }} as date) as last_contacted_on
    from source_rows

),

-- A customer listed twice gets the stricter answer.
final as (

    select
        customer_id,
        bool_and(has_consent) as has_consent,
        bool_or(is_unsubscribed) as is_unsubscribed,
        max(last_contacted_on) as last_contacted_on
    from typed
    where customer_id is not null
    group by customer_id

)

select * from final
