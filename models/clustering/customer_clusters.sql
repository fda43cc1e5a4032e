with

clusterable_customers as (

    select * from {{ ref('customer_metrics') }}
    where is_clusterable

),

active_features as (

    select * from {{ ref('clustering_features') }}
    where model_version = {{ active_version() }}

),

active_centroids as (

    select * from {{ ref('cluster_centroids') }}
    where model_version = {{ active_version() }}

),

-- Transform and scaling of every candidate feature, side by side in one row.
scaling as (

    select
        {%- for feature in checked_var('candidate_features') %}
        max(transform) filter (where feature = '{{ feature }}') as {{ feature }}_transform,
        max(centre) filter (where feature = '{{ feature }}') as {{ feature }}_centre,
        max(scale) filter (where feature = '{{ feature }}') as {{ feature }}_scale,
        {%- endfor %}
        max(model_version) as model_version
    from active_features

),

-- One row per cluster; a feature that was not selected has no coordinate.
centroids as (

    select
        {%- for feature in checked_var('candidate_features') %}
        max(centroid) filter (where feature = '{{ feature }}') as {{ feature }},
        {%- endfor %}
        cluster_id
    from active_centroids
    group by cluster_id

),

limits as (

    {{ limits_of_active_version() }}

),

curve as (

    select * from {{ ref('version_curves') }}
    where model_version = {{ active_version() }}

),

-- The whole clustering in one row, so that scoring needs no join by customer.
listed as (

    select list(centroids order by cluster_id) as centroids -- noqa: RF02
    from centroids -- noqa: AL05

),

scaled as (

    select
        clusterable_customers.customer_id,
        scaling.model_version,
        {%- for feature in checked_var('candidate_features') %}
        (
            case
                when scaling.{{ feature }}_transform = 'log1p'
                    then ln(1 + cast(clusterable_customers.{{ feature }} as double))
                else cast(clusterable_customers.{{ feature }} as double)
            end - scaling.{{ feature }}_centre
        ) / scaling.{{ feature }}_scale as {{ feature }},
        {%- endfor %}
        clusterable_customers.num_order_days as known_order_days,
        clusterable_customers.mean_gap_days as known_mean_gap_days,
        clusterable_customers.silence_days as known_silence_days,
        listed.centroids
    from clusterable_customers
    cross join scaling
    cross join listed

),

measured as (

    select
        customer_id,
        model_version,
        known_order_days as num_order_days,
        known_mean_gap_days as mean_gap_days,
        known_silence_days as silence_days,
        centroids,
        list_transform(
            centroids,
            lambda centroid:
            {%- for feature in checked_var('candidate_features') %}
            coalesce(pow({{ feature }} - centroid['{{ feature }}'], 2), 0){{ ' +' if not loop.last }}
            {%- endfor %}
        ) as squared_distances
    from scaled

),

ranked as (

    select
        *,
        -- The first if several are equal, so the lowest id.
        list_position(squared_distances, list_min(squared_distances)) as nearest,
        list_sort(squared_distances) as ascending
    from measured

),

classed as (

    select
        ranked.customer_id,
        ranked.centroids[ranked.nearest]['cluster_id'] as cluster_id,
        round(sqrt(ranked.ascending[1]), 6) as distance,
        round(coalesce(1 - sqrt(ranked.ascending[1] / nullif(ranked.ascending[2], 0)), 0), 6) as margin,
        ranked.model_version,
        ranked.num_order_days,
        ranked.silence_days,
        {{ order_class('ranked.num_order_days') }} as order_class,
        {{ gap_class('ranked.mean_gap_days', 'limits.repurchase_window_days') }} as gap_class,
        {{ gap_class('ranked.mean_gap_days', 'limits.longer_window_days') }} as longer_gap_class,
        limits.*
    from ranked
    cross join limits

),

-- The curve at the customer's class and silence, over the window and over the longer one.
foretold as (

    select
        classed.*,
        curve.repurchase_probability,
        greatest(curve.repurchase_probability, longer_curve.repurchase_probability) as longer_probability
    from classed
    left join curve
        on
            classed.repurchase_window_days = curve.window_days
            and classed.order_class = curve.order_class
            and classed.gap_class = curve.gap_class
            and classed.silence_days between curve.silence_from and coalesce(curve.silence_to, classed.silence_days)
    left join curve as longer_curve
        on
            classed.longer_window_days = longer_curve.window_days
            and classed.order_class = longer_curve.order_class
            and classed.longer_gap_class = longer_curve.gap_class
            and classed.silence_days
            between longer_curve.silence_from and coalesce(longer_curve.silence_to, classed.silence_days)

),

final as (

    select
        customer_id,
        cluster_id,
        distance,
        margin,
        repurchase_probability,
        case
            when repurchase_probability is null then 'unknown'
            when num_order_days = 1 and silence_days <= repurchase_window_days then 'new'
            when repurchase_probability >= min_active_probability then 'active'
            when longer_probability < max_lapsed_probability then 'lapsed'
            else 'cooling'
        end as lifecycle_stage,
        model_version
    from foretold

)

select * from final
