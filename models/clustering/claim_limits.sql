{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false) }}

-- A refit copies the limits of the version before, unless model_versions says that they are made anew.
with

known as (

    select * from {{ known_rows('limit') }}

),

{{ versions_without_rows("limit_name = 'repurchase_window_days'") }},

clusterable_customers as (

    select * from {{ ref('customer_metrics') }}
    where is_clusterable

),

repurchase_windows as (

    select * from {{ ref('repurchase_windows') }}

),

-- Values that customers have, so that comparing them is exact.
ranks as (

    select
        cast(quantile_disc(total_amount, 0.8) as double) as top_total_amount,
        cast(quantile_disc(total_amount, 0.5) as double) as high_total_amount,
        cast(quantile_disc(avg_order_value, 2 / 3) as double) as big_avg_order_value
    from clusterable_customers

),

limits as (

    select
        'repurchase_window_days' as limit_name,
        window_days as limit_value
    from repurchase_windows
    where is_window
    union all
    select
        'longer_window_days' as limit_name,
        window_days as limit_value
    from repurchase_windows
    where is_longer_window
    {%- for name, value in {
        'min_active_probability': var('min_active_probability'),
        'max_lapsed_probability': var('max_lapsed_probability'),
        'min_frequent_order_days': 4,
    }.items() %}
    union all
    select
        '{{ name }}' as limit_name,
        {{ value }} as limit_value
    {%- endfor %}
    {%- for name in ['top_total_amount', 'high_total_amount', 'big_avg_order_value'] %}
    union all
    select
        '{{ name }}' as limit_name,
        {{ name }} as limit_value
    from ranks
    {%- endfor %}

),

measured as (

    select
        lacking.model_version,
        limits.limit_name,
        cast(limits.limit_value as double) as limit_value
    from lacking
    cross join limits
    where lacking.rows_from is null

),

copied as (

    select
        lacking.model_version,
        known.limit_name,
        known.limit_value
    from lacking
    inner join known on lacking.rows_from = known.model_version

),

made as (

    select * from measured
    union all
    select * from copied

),

-- A version that was fitted before the history held any window gets its windows later.
final as (

    select made.*
    from made
    {%- if is_incremental() %}
    anti join known on made.model_version = known.model_version and made.limit_name = known.limit_name
    {%- endif %}

)

select * from final
