with

final as (

    select * from {{ ref('stg_order_lines') }}
    where exclusion_reason is not null

)

select * from final
