-- Customers of whom the same facts hold, counted: a few hundred rows, of any number of customers.
with

customer_facts as (

    select * from {{ ref('customer_segmentation', 'customer_facts') }}

),

listed as (

    select
        as_of_date,
        cluster_id,
        list_filter(
            [
                {%- for fact in customer_facts() %}
                case when is_{{ fact }} then '{{ fact }}' end{{ ',' if not loop.last }}
                {%- endfor %}
            ],
            lambda fact: fact is not null
        ) as facts
    from customer_facts

),

final as (

    select
        as_of_date,
        cluster_id,
        facts,
        count(*) as num_customers
    from listed
    group by as_of_date, cluster_id, facts

)

select * from final
