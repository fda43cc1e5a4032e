{{ config(pre_hook="{{ guard_locations() }}") }}

with

source_rows as (

    {{ raw_rows('orders') }}

),

final as (

    select
        {{ mapped(checked_var('order_columns'), 'customer_id') }} as customer_id,
        {{ mapped(checked_var('order_columns'), 'order_id') }} as order_id,
        {{ mapped(checked_var('order_columns'), 'ordered_at') }} as ordered_at,
        {{ mapped(checked_var('order_columns'), 'amount') }} as amount,
        {{ mapped(checked_var('order_columns'), 'line_id') }} as line_id,
        {{ mapped(checked_var('order_columns'), 'status', 'varchar') }} as status,
        {{ mapped(checked_var('order_columns'), 'currency', 'varchar') }} as currency_code,
        {{ mapped(checked_var('order_columns'), 'refunded_amount') }} as refunded_amount,
        {{ hashed_email(mapped(checked_var('order_columns'), 'email', 'varchar')) }} as email_hash,
        {{ mapped({'row': var('order_rows') or 'true'}, 'row', 'boolean') }} is true as is_order_row,
        {%- for column in checked_var('custom_order_columns') %}
        {{ mapped(checked_var('custom_order_columns'), column) }} as {{ column }},
        {%- endfor %}
        _file as file,
        {{ text_of_field('ordered_at') }} as date_text,
        {{ text_of_field('amount') }} as amount_text,
        -- Lets rows that repeat another row in every raw column be counted.
        hash(*columns(* exclude (_file))) as row_hash
    from source_rows

)

select * from final
