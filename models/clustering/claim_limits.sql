{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false) }}

-- A refit copies the limits of the version before, unless model_versions says that they are made anew.
with

known as (

    select * from {{ known_rows('limit') }}

),

{{ versions_without_rows("limit_name = 'repurchase_window_days'") }},

clusterable_customers as (

    select
        lacking.model_version,
        customer_metrics_history.total_amount,
        customer_metrics_history.avg_order_value
    from {{ ref('customer_segmentation', 'customer_metrics_history') }} as customer_metrics_history
    inner join lacking on customer_metrics_history.as_of_date = lacking.as_of_date
    where lacking.rows_from is null and customer_metrics_history.is_clusterable

),

measured_windows as (

    {{ measured_windows() }}

),

-- Today's windows; of a fit of the past those that it is judged over.
windows as (

    select
        lacking.model_version,
        case
            when metric_days.is_today then measured_windows.window_days
            else metric_days.window_days
        end as window_days,
        case
            when metric_days.is_today then measured_windows.longer_window_days
            else metric_days.longer_window_days
        end as longer_window_days
    from lacking
    inner join {{ ref('customer_segmentation', 'metric_days') }} as metric_days
        on lacking.as_of_date = metric_days.as_of_date
    cross join measured_windows

),

-- Values that customers have, so that comparing them is exact.
ranks as (

    select
        model_version,
        cast(quantile_disc(total_amount, 0.8) as double) as top_total_amount,
        cast(quantile_disc(total_amount, 0.5) as double) as high_total_amount,
        cast(quantile_disc(avg_order_value, 2 / 3) as double) as big_avg_order_value
    from clusterable_customers
    group by model_version

),

limits as (

    select
        model_version,
        'repurchase_window_days' as limit_name,
        window_days as limit_value
    from windows
    where window_days is not null
    union all
    select
        model_version,
        'longer_window_days' as limit_name,
        longer_window_days as limit_value
    from windows
    where longer_window_days is not null
    {%- for name, value in {
        'min_active_probability': var('min_active_probability'),
        'max_lapsed_probability': var('max_lapsed_probability'),
        'min_frequent_order_days': 4,
    }.items() %}
    union all
    select
        model_version,
        '{{ name }}' as limit_name,
        {{ value }} as limit_value
    from windows
    {%- endfor %}
    {%- for name in ['top_total_amount', 'high_total_amount', 'big_avg_order_value'] %}
    union all
    select
        model_version,
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
    inner join limits on lacking.model_version = limits.model_version
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
