{#- The four metrics that the project is about, and whatever else may be a feature. -#}
{%- set metrics = ['total_amount', 'num_orders', 'avg_order_value', 'days_since_last_order'] -%}
{%- for feature in checked_var('candidate_features') if feature not in metrics -%}
    {%- do metrics.append(feature) -%}
{%- endfor -%}
with

customer_segments as (

    select * from {{ ref('customer_segmentation', 'customer_segments') }}

),

segment_definitions as (

    select * from {{ ref('customer_segmentation', 'segment_definitions') }}

),

-- Means are exact sums divided once, so they don't depend on the order of rows.
base as (

    select
        {%- for metric in metrics %}
        sum({{ metric }}) / count({{ metric }}) as mean_{{ metric }},
        {%- endfor %}
        count(*) as num_customers,
        sum(total_amount) as total_amount
    from customer_segments

),

measured as (

    select
        segment_id,
        {%- for metric in metrics %}
        sum({{ metric }}) / nullif(count({{ metric }}), 0) as mean_{{ metric }},
        quantile_cont(cast({{ metric }} as double), [0.1, 0.5, 0.9]) as quantiles_{{ metric }},
        {%- endfor %}
        count(*) as num_customers,
        sum(total_amount) as total_amount,
        avg(cast(repurchase_probability as decimal(9, 6))) as mean_repurchase_probability
    from customer_segments
    group by segment_id

),

final as (

    select
        measured.segment_id,
        segment_definitions.segment,
        segment_definitions.archetype,
        measured.num_customers,
        round(measured.num_customers / base.num_customers, 6) as share_of_customers,
        cast(measured.total_amount as decimal(38, 4)) as revenue,
        round(measured.total_amount / nullif(base.total_amount, 0), 6) as share_of_revenue,
        round(measured.mean_repurchase_probability, 6) as mean_repurchase_probability,
        {%- for metric in metrics %}
        round(measured.mean_{{ metric }}, 4) as mean_{{ metric }},
        round(measured.quantiles_{{ metric }}[1], 4) as p10_{{ metric }},
        round(measured.quantiles_{{ metric }}[2], 4) as median_{{ metric }},
        round(measured.quantiles_{{ metric }}[3], 4) as p90_{{ metric }},
        round(100 * measured.mean_{{ metric }} / nullif(base.mean_{{ metric }}, 0), 1) as index_{{ metric }},
        {%- endfor %}
        segment_definitions.description,
        segment_definitions.strategy,
        segment_definitions.action
    from measured
    cross join base
    left join segment_definitions using (segment_id)

)

select * from final
