{{ config(materialized='view') }}

-- depends_on: {{ ref('clustering_guards') }}
with

registry as (

    {% if var('registry_location') -%}
    {{ registry_rows(var('registry_location')) }}
    {%- else -%}
    select
        {%- for column in registry_columns() %}
        cast(null as varchar) as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    where false
    {%- endif %}

),

final as (

    select
        {%- for column, type in registry_columns().items() %}
        cast({{ column }} as {{ type }}) as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from registry

)

select * from final
