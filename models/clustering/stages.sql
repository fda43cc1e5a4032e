{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false) }}

with

known as (

    select * from {{ known_rows('stage') }}

),

customer_clusters as (

    select * from {{ ref('customer_clusters') }}

),

versions as (

    select * from {{ ref('model_versions') }}

),

{% if not is_incremental() -%}
restored as (

    select known.*
    from known
    inner join versions on known.model_version = versions.model_version and versions.origin = 'restored'

),

{% endif -%}
-- Of the version that scores, when it scores for the first time.
counted as (

    select
        customer_clusters.model_version,
        customer_clusters.lifecycle_stage,
        round(count(*) / sum(count(*)) over (), 12) as share_at_fit
    from customer_clusters
    anti join known on customer_clusters.model_version = known.model_version
    where customer_clusters.lifecycle_stage != 'unknown'
    group by customer_clusters.model_version, customer_clusters.lifecycle_stage

),

final as (

    select * from counted
    {%- if not is_incremental() %}
    union all
    select * from restored
    {%- endif %}

)

select * from final
