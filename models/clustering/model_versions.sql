{{ config(materialized='incremental', full_refresh=false) }}

-- One row more when a fit is due; the tables of this layer then fill the versions that they lack.
with

previous as (

    {{ versions_so_far() }}

),

latest as (

    select * from previous
    order by model_version desc
    limit 1

),

sampled as (

    select count(*) as num_customers from {{ ref('clustering_sample') }}

),

as_of as (

    select as_of_date from {{ ref('as_of') }}

),

due as (

    select
        coalesce(latest.model_version, 0) + 1 as model_version,
        as_of.as_of_date as fitted_on,
        sampled.num_customers,
        {{ why_a_fit_is_due('latest.settings') }} as due_because
    from sampled
    cross join as_of
    left join latest on true

),

final as (

    select
        cast(model_version as integer) as model_version,
        {{ sql_text(var('dataset')) }} as dataset,
        fitted_on,
        cast(num_customers as bigint) as num_customers,
        due_because,
        {{ sql_text(clustering_settings()) }} as settings,
        'fitted' as origin
    from due
    where due_because is not null
    {%- if not is_incremental() %}
    union all
    select * from previous
    {%- endif %}

)

select * from final
