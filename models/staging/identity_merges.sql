-- depends_on: {{ ref('customer_segmentation', 'source_files') }}
{{ config(materialized='table', pre_hook="{{ guard_locations() }}") }}

{#- Identifiers are written with their kind before them, id: or email:, so that none is taken for another. -#}
{%- set by_email = 'email' in checked_var('merge_customers_by') %}
with recursive -- noqa: PRS

formats as (

    select
        max(reading) filter (where source = 'orders') as of_orders,
        max(reading) filter (where source = 'customers') as of_customers
    from {{ ref('customer_segmentation', 'value_formats') }}
    where field = 'customer_id'

),

raw_ids as (

    {% if identities_are_known() -%}
    select distinct
        {{ trimmed('customer_id') }} as customer_id,
        email_hash,
        'orders' as source
    from {{ ref('customer_segmentation', 'raw_order_lines') }}
    where is_order_row
    union all
    select distinct
        {{ trimmed('customer_id') }} as customer_id,
        null as email_hash,
        'customers' as source
    from {{ ref('customer_segmentation', 'raw_customer_listings') }}
    {%- else -%}
    select
        cast(null as varchar) as customer_id,
        cast(null as varchar) as email_hash,
        cast(null as varchar) as source
    where false
    {%- endif %}

),

cleaned_ids as (

    select
        raw_ids.email_hash,
        {{ cleaned_id(
            'raw_ids.customer_id',
            "case raw_ids.source when 'orders' then formats.of_orders else formats.of_customers end"
        ) }} as customer_id
    from raw_ids
    cross join formats

),

-- Who ordered as a guest, or without an id, may be known by an address.
ids as (

    select distinct
        'email:' || email_hash as address,
        case when not {{ is_one_of('customer_id', checked_var('guest_customer_ids')) }} then 'id:' || customer_id end as id
    from cleaned_ids

),

listed_identities as (

    {% if var('customer_identities_location') -%}
    select
        case
            when {{ hashed_email('identifier') }} is not null then 'email:' || {{ hashed_email('identifier') }}
            else 'id:' || {{ trimmed('identifier') }}
        end as identifier,
        'id:' || {{ trimmed('customer_id') }} as customer
    from (
        select
            {{ mapped(checked_var('customer_identity_columns'), 'identifier', 'varchar') }} as identifier,
            {{ mapped(checked_var('customer_identity_columns'), 'customer_id') }} as customer_id
        from ({{ raw_rows('customer_identities') }}) as source_rows
    ) as listed
    {%- else -%}
    select
        cast(null as varchar) as identifier,
        cast(null as varchar) as customer
    where false
    {%- endif %}

),

links as (

    select
        identifier,
        customer as linked_to,
        'customer_identities' as rule
    from listed_identities
    where identifier is not null and customer is not null
    {%- if 'id_without_case' in checked_var('merge_customers_by') %}
    union
    select
        id as identifier,
        min(id) over (partition by lower(id)) as linked_to,
        'id_without_case' as rule
    from ids
    where id is not null
    {%- endif %}
    {%- if by_email %}
    union
    select
        address as identifier,
        id as linked_to,
        'email' as rule
    from ids
    where address is not null and id is not null
    {%- endif %}

),

both_ways as (

    select
        identifier as one,
        linked_to as other
    from links
    where identifier != linked_to
    union
    select
        linked_to as one,
        identifier as other
    from links
    where identifier != linked_to

),

-- Each identifier takes the least one that it is linked with, until nothing changes.
{{ least_connected_identifiers() }},

-- A customer of the list that is not itself led further, else the least id.
customers as (

    select
        labels.label,
        coalesce(
            min(links.linked_to) filter (where further.identifier is null),
            min(labels.identifier) filter (where starts_with(labels.identifier, 'id:')),
            min(labels.identifier)
        ) as customer,
        count(distinct labels.identifier) filter (where starts_with(labels.identifier, 'id:')) as num_ids,
        count(distinct links.linked_to) as num_listed_customers,
        count(distinct links.linked_to) filter (where further.identifier is null) as num_last_customers,
        bool_or(guests.address is not null) as has_guest
    from labels
    left join links on labels.identifier = links.linked_to and links.rule = 'customer_identities'
    left join listed_identities as further
        on links.linked_to = further.identifier and further.identifier != further.customer
    left join ids as guests on labels.identifier = guests.address and guests.id is null
    group by labels.label

),

final as (

    select
        split_part(links.identifier, ':', 1) as identifier_kind,
        substr(links.identifier, strpos(links.identifier, ':') + 1) as identifier,
        split_part(links.linked_to, ':', 1) as linked_kind,
        substr(links.linked_to, strpos(links.linked_to, ':') + 1) as linked_to,
        links.rule,
        substr(customers.customer, strpos(customers.customer, ':') + 1) as customer_id,
        customers.num_ids,
        customers.num_listed_customers,
        customers.num_last_customers
    from links
    inner join labels on links.identifier = labels.identifier
    inner join customers on labels.label = customers.label
    where links.identifier != links.linked_to and (customers.num_ids > 1 or customers.has_guest)

)

select * from final
