{#- The repurchase curve: how likely customers are to order again after so much silence. Classes and silences are
    defined here, for the curve that is measured and for the customers who are scored with it. -#}

{#- The windows, in days, that are measured: a week to a year, and the one that is given. -#}
{% macro repurchase_windows() -%}
    {%- set windows = [7, 14, 30, 60, 90, 180, 365] -%}
    {%- set given = var('repurchase_window_days') -%}
    {%- if given is integer and given not in windows -%}
        {%- do windows.append(given) -%}
    {%- endif -%}
    {{ return(windows | sort) }}
{%- endmacro %}

{#- The windows that were picked today, in one row; null if the history holds none. -#}
{% macro measured_windows() -%}
    select
        max(window_days) filter (where is_window) as window_days,
        max(window_days) filter (where is_longer_window) as longer_window_days
    from {{ ref('customer_segmentation', 'repurchase_windows') }}
{%- endmacro %}

{#- Class of a number of days with orders: the least number of its class. -#}
{% macro order_class(num_order_days) -%}
    case
        {%- for least in [50, 20, 10, 5, 3] %}
        when {{ num_order_days }} >= {{ least }} then {{ least }}
        {%- endfor %}
        else {{ num_order_days }}
    end
{%- endmacro %}

{#- Class of a customer's own mean gap between orders, measured in windows: 0 without one, else 1 plus the number of
    cuts that it reaches. -#}
{% macro gap_cuts() -%}
    {{ return([0.125, 0.25, 0.5, 1, 2]) }}
{%- endmacro %}

{% macro gap_class(mean_gap_days, window_days) -%}
    case
        when {{ mean_gap_days }} is null then 0
        else 1
            {%- for cut in gap_cuts() %}
            + cast({{ mean_gap_days }} >= {{ cut }} * {{ window_days }} as integer)
            {%- endfor %}
    end
{%- endmacro %}

{#- The greatest of all windows' cuts that a mean gap reaches, so that one aggregation serves all windows: it is of the
    same class as the gap, whatever the window. -#}
{% macro reached_gap_cut(mean_gap_days) -%}
    {%- set cuts = [] -%}
    {%- for window in repurchase_windows() -%}
        {%- for cut in gap_cuts() if cut * window not in cuts -%}
            {%- do cuts.append(cut * window) -%}
        {%- endfor -%}
    {%- endfor -%}
    case
        {%- for cut in cuts | sort(reverse=true) %}
        when {{ mean_gap_days }} >= {{ cut }} then {{ cut }}
        {%- endfor %}
        when {{ mean_gap_days }} is not null then 0
    end
{%- endmacro %}

{#- The share of a class drawn towards that of the coarser class, which counts as much as so many customers. -#}
{% macro drawn_towards(counts, coarser_share, num_customers) -%}
    (
        {{ counts }}.num_at_risk * coalesce({{ counts }}.days_followed / nullif({{ counts }}.days_at_risk, 0), 0)
        + {{ num_customers }} * {{ coarser_share }}
    ) / ({{ counts }}.num_at_risk + {{ num_customers }})
{%- endmacro %}

{#- Beyond so much more error than a new curve would have, a refit does not keep the curve. -#}
{% macro max_excess_of_curve_error() -%}
    0.05
{%- endmacro %}

{#- How well a curve foretold the last window, as two relations: `<name>_deciles`, customers by tenths of what was
    foretold, with the share that did order, and `<name>_error`, the mean absolute difference, in one row. `curve` and
    `repurchase_curve` name relations; what happened is counted in the latter. -#}
{% macro calibration(name, curve, repurchase_curve) -%}
{{ name }}_deciles as (

    select
        decile,
        sum(num_customers) as num_customers,
        sum(num_customers * cast(repurchase_probability as decimal(9, 6))) / sum(num_customers) as foretold_share,
        sum(num_ordered) / sum(num_customers) as ordered_share
    from (
        select
            measured.num_a_window_ago as num_customers,
            measured.num_ordered_since as num_ordered,
            curve.repurchase_probability,
            -- A cell's customers are in the tenth of the middle one of them.
            cast(
                1 + floor(
                    10 * (
                        2 * sum(measured.num_a_window_ago) over (
                            order by
                                curve.repurchase_probability,
                                measured.order_class,
                                measured.gap_class,
                                measured.silence_from
                            rows between unbounded preceding and current row
                        ) - measured.num_a_window_ago
                    ) / (2 * sum(measured.num_a_window_ago) over ())
                ) as integer
            ) as decile
        from {{ repurchase_curve }} as measured
        inner join {{ curve }} as curve
            on
                measured.window_days = curve.window_days
                and measured.order_class = curve.order_class
                and measured.gap_class = curve.gap_class
                and measured.silence_from >= curve.silence_from
                and measured.silence_from <= coalesce(curve.silence_to, measured.silence_from)
        where measured.num_a_window_ago > 0
    ) as cells
    group by decile

),

{{ name }}_error as (

    select
        sum(num_customers * abs(foretold_share - ordered_share)) / sum(num_customers) as mean_error
    from {{ name }}_deciles

)
{%- endmacro %}

{#- The limits of a version, in one row; without a window those that need one are null. -#}
{% macro limits_of(version) -%}
    select
        {{ limits_side_by_side() }}
    from {{ ref('customer_segmentation', 'claim_limits') }}
    where model_version = {{ version }}
{%- endmacro %}

{#- The same of all versions, a row each. -#}
{% macro limits_by_version() -%}
    select
        {{ limits_side_by_side() }},
        model_version
    from {{ ref('customer_segmentation', 'claim_limits') }}
    group by model_version
{%- endmacro %}

{% macro limits_side_by_side() -%}
    {%- for name in ['repurchase_window_days', 'longer_window_days', 'min_active_probability', 'max_lapsed_probability',
        'min_frequent_order_days', 'top_total_amount', 'high_total_amount', 'big_avg_order_value'] %}
        max(limit_value) filter (where limit_name = '{{ name }}') as {{ name }}{{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{% macro limits_of_active_version() -%}
    {{ limits_of(active_version()) }}
{%- endmacro %}

{#- The lifecycle stage by the chances to order again, over the window and over the longer one, and the limits of the
    version, as columns of `row`. -#}
{% macro lifecycle_stage_of(row, num_order_days, silence_days) -%}
    case
        when {{ row }}.repurchase_probability is null then 'unknown'
        when {{ num_order_days }} = 1 and {{ silence_days }} <= {{ row }}.repurchase_window_days then 'new'
        when {{ row }}.repurchase_probability >= {{ row }}.min_active_probability then 'active'
        when
            greatest({{ row }}.repurchase_probability, {{ row }}.longer_probability) < {{ row }}.max_lapsed_probability
            then 'lapsed'
        else 'cooling'
    end
{%- endmacro %}

{#- Customers with their chance to order again and their lifecycle stage, as the relation `name`: the columns of
    `customers`, which has model_version, known_order_days, known_mean_gap_days and known_silence_days, and
    repurchase_probability and lifecycle_stage, by the frozen curve and limits of each row's version. -#}
{% macro lifecycle_stages(name, customers) -%}
{{ name }}_limits as (

    {{ limits_by_version() }}

),

{{ name }}_curve as (

    select
        model_version,
        window_days,
        order_class,
        gap_class,
        silence_from,
        silence_to,
        repurchase_probability
    from {{ ref('customer_segmentation', 'version_curves') }}

),

{{ name }}_classed as (

    select
        {{ customers }}.*,
        {{ order_class(customers ~ '.known_order_days') }} as order_class,
        {{ gap_class(customers ~ '.known_mean_gap_days', 'limits.repurchase_window_days') }} as gap_class,
        {{ gap_class(customers ~ '.known_mean_gap_days', 'limits.longer_window_days') }} as longer_gap_class,
        limits.repurchase_window_days,
        limits.longer_window_days,
        limits.min_active_probability,
        limits.max_lapsed_probability
    from {{ customers }}
    left join {{ name }}_limits as limits on {{ customers }}.model_version = limits.model_version

),

-- The curve at the customer's class and silence, over the window and over the longer one.
{{ name }}_foretold as (

    select
        classed.*,
        curve.repurchase_probability,
        longer_curve.repurchase_probability as longer_probability
    from {{ name }}_classed as classed
    left join {{ name }}_curve as curve
        on
            classed.model_version = curve.model_version
            and classed.repurchase_window_days = curve.window_days
            and classed.order_class = curve.order_class
            and classed.gap_class = curve.gap_class
            and classed.known_silence_days between curve.silence_from and coalesce(curve.silence_to, classed.known_silence_days)
    left join {{ name }}_curve as longer_curve
        on
            classed.model_version = longer_curve.model_version
            and classed.longer_window_days = longer_curve.window_days
            and classed.order_class = longer_curve.order_class
            and classed.longer_gap_class = longer_curve.gap_class
            and classed.known_silence_days
            between longer_curve.silence_from and coalesce(longer_curve.silence_to, classed.known_silence_days)

),

{{ name }} as (

    select
        *,
        {{ lifecycle_stage_of('foretold', 'foretold.known_order_days', 'foretold.known_silence_days') }} as lifecycle_stage
    from {{ name }}_foretold as foretold

)
{%- endmacro %}
