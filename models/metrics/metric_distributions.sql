-- Moments are rounded, since sums of doubles differ in their last bits between numbers of threads.
with

customer_metrics as (

    select * from {{ ref('customer_segmentation', 'customer_metrics') }}
    where is_clusterable

),

long as not materialized (

    unpivot (
        select
            {%- for metric in checked_var('candidate_features') %}
            cast({{ metric }} as double) as {{ metric }},
            {%- endfor %}
            is_clusterable
        from customer_metrics
    )
    on {{ checked_var('candidate_features') | join(', ') }}
    into name metric value value

),

described as (

    select
        metric,
        count(*) as num_customers,
        round(avg(value), 4) as mean,
        round(stddev_samp(value), 4) as standard_deviation,
        min(value) as minimum,
        max(value) as maximum,
        quantile_cont(value, [0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99]) as quantiles,
        round(skewness(value), 4) as sample_skewness,
        round(skewness(case when value > -1 then ln(1 + value) end), 4) as sample_skewness_after_log1p,
        round(count(*) filter (where value = 0) / count(*), 6) as zero_share
    from long
    group by metric

),

-- Tukey's fences: further than one and a half interquartile ranges from the middle half.
fenced as (

    select
        *,
        quantiles[4] - 1.5 * (quantiles[6] - quantiles[4]) as lower_fence,
        quantiles[6] + 1.5 * (quantiles[6] - quantiles[4]) as upper_fence,
        -- Twenty bins from the 1st to the 99th percentile, so that a few large values can't hide the rest.
        greatest((quantiles[9] - quantiles[1]) / 20, 1e-9) as bin_width
    from described

),

placed as (

    select
        fenced.metric,
        cast(
            least(19, greatest(0, floor((long.value - fenced.quantiles[1]) / fenced.bin_width))) as integer
        ) as bin,
        long.value not between fenced.lower_fence and fenced.upper_fence as is_outlier
    from long
    inner join fenced using (metric)

),

binned as (

    select
        metric,
        bin,
        count(*) as num_customers,
        count(*) filter (where is_outlier) as num_outliers
    from placed
    group by metric, bin

),

bins as (

    select
        binned.metric,
        sum(binned.num_outliers) as num_outliers,
        list({
            'from': round(fenced.quantiles[1] + binned.bin * fenced.bin_width, 4),
            'to': round(fenced.quantiles[1] + (binned.bin + 1) * fenced.bin_width, 4),
            'num_customers': binned.num_customers
        } order by binned.bin) as histogram
    from binned
    inner join fenced using (metric)
    group by binned.metric

),

final as (

    select
        fenced.metric,
        fenced.num_customers,
        fenced.mean,
        fenced.standard_deviation,
        fenced.minimum,
        round(fenced.quantiles[1], 4) as p01,
        round(fenced.quantiles[2], 4) as p05,
        round(fenced.quantiles[3], 4) as p10,
        round(fenced.quantiles[4], 4) as p25,
        round(fenced.quantiles[5], 4) as median,
        round(fenced.quantiles[6], 4) as p75,
        round(fenced.quantiles[7], 4) as p90,
        round(fenced.quantiles[8], 4) as p95,
        round(fenced.quantiles[9], 4) as p99,
        fenced.maximum,
        fenced.sample_skewness,
        fenced.sample_skewness_after_log1p,
        fenced.zero_share,
        round(bins.num_outliers / fenced.num_customers, 6) as outlier_share,
        bins.histogram
    from fenced
    inner join bins using (metric)

)

select * from final
