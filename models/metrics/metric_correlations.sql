-- Rounded, since sums of doubles differ in their last bits between numbers of threads.
with

customer_metrics as (

    select
        {%- for metric in candidate_features() %}
        cast({{ metric }} as double) as {{ metric }},
        {%- endfor %}
        is_clusterable
    from {{ ref('customer_metrics') }}
    where is_clusterable

),

shapes as (

    select
        {%- for metric in candidate_features() %}
        min({{ metric }}) as min_{{ metric }},
        round(skewness({{ metric }}), 4) as skewness_{{ metric }},
        {%- endfor %}
        count(*) as num_customers
    from customer_metrics

),

prepared as (

    select
        {%- for metric in candidate_features() %}
        {{ transformed(metric) }} as {{ metric }},
        {{ double_mid_rank(metric) }} as rank_{{ metric }},
        {%- endfor %}
        shapes.num_customers
    from customer_metrics
    cross join shapes

),

final as (

    {%- for pair in metric_pairs() %}
    select
        '{{ pair[0] }}' as metric,
        '{{ pair[1] }}' as other_metric,
        round(corr({{ pair[0] }}, {{ pair[1] }}), 6) as pearson_of_transformed,
        round(corr(rank_{{ pair[0] }}, rank_{{ pair[1] }}), 6) as spearman
    from prepared
    union all
    {%- endfor %}
    -- Of one metric alone there is no pair.
    select
        cast(null as varchar) as metric,
        cast(null as varchar) as other_metric,
        cast(null as double) as pearson_of_transformed,
        cast(null as double) as spearman
    where false

)

select * from final
