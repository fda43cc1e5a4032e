{{ config(materialized='view') }}
{%- set location = var('registry_location') %}
{%- set columns = registry_columns() %}

-- depends_on: {{ ref('customer_segmentation', 'clustering_guards') }}
with

given as (

    select
        {%- for column, type in columns.items() if column != 'record' %}
        {%- set value = 'cast(' ~ (column if location else 'null') ~ ' as ' ~ type ~ ')' %}
        {#- A registry of an earlier version of this project knows no stages. #}
        {{ "coalesce(" ~ value ~ ", 'everybody')" if column == 'stage' else value }} as {{ column }},
        {%- endfor %}
        {{ 'record' if location else 'cast(null as varchar) as record' }}
    {%- if location %}
    from ({{ registry_rows(location) }}) as registry
    {%- else %}
    where false
    {%- endif %}

),

final as (

    select * from given
    where record is not null
    -- The wide rows of an earlier version of this project, as records.
    {%- for record in ['version', 'feature', 'centroid'] %}
    union all
    select distinct
        {%- for column, type in columns.items() if column != 'record' %}
        {{ column if column in registry_records()[record] else 'cast(null as ' ~ type ~ ')' }} as {{ column }},
        {%- endfor %}
        '{{ record }}' as record
    from given
    where record is null {{- ' and cluster_id is not null' if record == 'centroid' }}
    {%- endfor %}

)

select * from final
