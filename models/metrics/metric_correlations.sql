{%- set metrics = checked_var('candidate_features') -%}
-- Of a sample by md5 of the key, as ranking everybody takes longer than all else that is done with their metrics.
-- Rounded, since sums of doubles differ in their last bits between numbers of threads.
with

customer_metrics as (

    select
        {%- for metric in metrics %}
        cast({{ metric }} as double) as {{ metric }},
        {%- endfor %}
        customer_id
    from {{ ref('customer_segmentation', 'customer_metrics') }}
    where is_clusterable
    order by md5(customer_id), customer_id
    limit {{ var('clustering_sample_size') }}

),

shapes as (

    select
        {%- for metric in metrics %}
        min({{ metric }}) as min_{{ metric }},
        round(skewness({{ metric }}), 4) as skewness_{{ metric }},
        {%- endfor %}
        count(*) as num_customers
    from customer_metrics

),

prepared as (

    select
        {%- for metric in metrics %}
        -- log1p where the skewness alone asks for it; a fit may decide otherwise (feature_transforms, refits).
        case
            when shapes.skewness_{{ metric }} > {{ var('max_skewness') }} and shapes.min_{{ metric }} >= 0
                then ln(1 + customer_metrics.{{ metric }})
            else customer_metrics.{{ metric }}
        end as {{ metric }},
        {{ double_mid_rank('customer_metrics.' ~ metric) }} as rank_{{ metric }},
        {%- endfor %}
        shapes.num_customers
    from customer_metrics
    cross join shapes

),

final as (

    {%- for metric in metrics %}
    {%- for other_metric in metrics[loop.index:] %}
    select
        '{{ metric }}' as metric,
        '{{ other_metric }}' as other_metric,
        round(corr({{ metric }}, {{ other_metric }}), 6) as pearson_of_transformed,
        round(corr(rank_{{ metric }}, rank_{{ other_metric }}), 6) as spearman
    from prepared
    union all
    {%- endfor %}
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
