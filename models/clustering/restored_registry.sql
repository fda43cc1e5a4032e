{{ config(materialized='view') }}
{%- set location = var('registry_location') %}
{%- set columns = registry_columns() %}

-- depends_on: {{ ref('clustering_guards') }}
with

{% if location -%}
given as (

    select
        {%- for column, type in columns.items() %}
        cast({{ column }} as {{ type }}) as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from ({{ registry_rows(location) }}) as registry

),

final as (

    select * from given
    where record is not null
    -- The wide rows of an earlier version of this project, as records.
    {%- for record in ['version', 'feature', 'centroid'] %}
    union all
    select distinct
        {%- for column, type in columns.items() %}
        {%- if column == 'record' %}
        '{{ record }}' as record{{ ',' if not loop.last }}
        {%- elif column in registry_records()[record] %}
        {{ column }}{{ ',' if not loop.last }}
        {%- else %}
        cast(null as {{ type }}) as {{ column }}{{ ',' if not loop.last }}
        {%- endif %}
        {%- endfor %}
    from given
    where record is null {{- ' and cluster_id is not null' if record == 'centroid' }}
    {%- endfor %}

)
{%- else -%}
final as (

    select
        {%- for column, type in columns.items() %}
        cast(null as {{ type }}) as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    where false

)
{%- endif %}

select * from final
