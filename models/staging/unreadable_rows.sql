with

source_files as (

    select * from {{ ref('customer_segmentation', 'source_files') }}

),

unreadable as (

    select
        source,
        file,
        unnest(from_json(unreadable_rows, '[{"line": "bigint", "problem": "varchar"}]')) as found
    from source_files

),

final as (

    select
        source,
        file,
        cast(struct_extract(found, 'line') as bigint) as line,
        cast(struct_extract(found, 'problem') as varchar) as problem
    from unreadable

)

select * from final
