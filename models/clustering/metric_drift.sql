with

clusterable_customers as (

    select * from {{ ref('customer_segmentation', 'customer_metrics') }}
    where is_clusterable

),

active_rows as (

    {{ features_of_active_version() }}

),

active_features as (

    select
        feature,
        is_selected,
        model_version,
        cast(deciles as double[]) as edges,
        cast(decile_shares as double[]) as shares
    from active_rows

),

long as (

    unpivot (
        select
            {%- for feature in checked_var('candidate_features') %}
            round(cast({{ feature }} as double), 6) as {{ feature }},
            {%- endfor %}
            is_clusterable
        from clusterable_customers
    )
    on {{ checked_var('candidate_features') | join(', ') }}
    into name feature value value

),

-- Equal values are counted first, so that each is put into its bin once.
counted as (

    select
        feature,
        value,
        count(*) as num_customers
    from long
    group by feature, value

),

edged as (

    select
        counted.*,
        active_features.edges
    from counted
    inner join active_features using (feature)

),

placed as (

    select
        feature,
        num_customers,
        1 + len(list_filter(edges, lambda edge: edge <= value)) as bin
    from edged

),

binned as (

    select
        feature,
        bin,
        sum(num_customers) as num_customers
    from placed
    group by feature, bin

),

bins as (

    select
        *,
        unnest(range(1, len(shares) + 1)) as bin
    from active_features

),

expected as (

    select
        feature,
        model_version,
        is_selected,
        bin,
        list_extract(shares, bin) as share_at_fit
    from bins

),

compared as (

    select
        expected.feature,
        expected.model_version,
        expected.is_selected,
        {{ share_for_stability('expected.share_at_fit') }} as share_at_fit,
        {{ share_for_stability(
            'coalesce(binned.num_customers, 0) / sum(coalesce(binned.num_customers, 0)) over (partition by expected.feature)'
        ) }} as share_now
    from expected
    left join binned on expected.feature = binned.feature and expected.bin = binned.bin

),

measured as (

    select
        feature as metric,
        model_version,
        is_selected,
        round({{ population_stability_index('share_now', 'share_at_fit') }}, 6) as population_stability_index
    from compared
    group by feature, model_version, is_selected

),

final as (

    select
        *,
        {{ drift_word('population_stability_index') }} as drift
    from measured

)

select * from final
