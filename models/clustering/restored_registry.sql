{{ config(materialized='view') }}
{%- set location = var('registry_location') %}

-- depends_on: {{ ref('clustering_guards') }}
with

final as (

    select {{ registry_select_list(location) }}
    {%- if location %}
    from ({{ registry_rows(location) }}) as registry
    {%- else %}
    where false
    {%- endif %}

)

select * from final
