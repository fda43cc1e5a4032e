{{ config(pre_hook="{{ guard_seeds() }} {{ guard_features() }} {{ guard_registry() }}") }}

-- Waits for whatever later layers need, so that nothing is replaced when one of them is not to be had:
-- depends_on: {{ ref('stg_customers') }}, {{ ref('segment_archetypes') }}, {{ ref('targeting_rules') }}
--
-- Bounded, so that the fit costs the same at any size; by md5 of the key, so that it is the same
-- sample on every run and grows by exchange, not by reshuffling.
with

clusterable_customers as (

    select * from {{ ref('customer_metrics') }}
    where is_clusterable

),

sampled as (

    select
        customer_id,
        {%- for feature in candidate_features() %}
        cast({{ feature }} as double) as {{ feature }},
        {%- endfor %}
        row_number() over (order by md5(customer_id), customer_id) as sample_position
    from clusterable_customers
    qualify sample_position <= {{ var('clustering_sample_size') }}

),

checked as (

    select
        count(*) as num_customers,
        count(distinct row({{ candidate_features() | join(', ') }})) as num_distinct
    from sampled

),

final as (

    select
        {{ enough_to_cluster('sampled.customer_id') }} as customer_id,
        {%- for feature in candidate_features() %}
        sampled.{{ feature }},
        {%- endfor %}
        sampled.sample_position
    from checked
    left join sampled on true

)

select * from final
