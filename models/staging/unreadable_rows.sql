with

source_files as (

    select * from {{ ref('source_files') }}

),

unreadable as (

    select
        source,
        file,
        unnest(from_json(unreadable_rows, '[{"line": "bigint", "problem": "varchar"}]')) as unreadable
    from source_files

),

final as (

    select
        source,
        file,
        unreadable.line, -- noqa: RF01
        unreadable.problem -- noqa: RF01
    from unreadable

)

select * from final
