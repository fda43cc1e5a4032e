with

cluster_claims as (

    select cluster_claims.*
    from {{ ref('customer_segmentation', 'cluster_claims') }} as cluster_claims
    inner join {{ ref('customer_segmentation', 'as_of') }} as as_of on cluster_claims.as_of_date = as_of.as_of_date

),

archetype_fits as (

    select archetype_fits.*
    from {{ ref('customer_segmentation', 'archetype_fits') }} as archetype_fits
    inner join {{ ref('customer_segmentation', 'as_of') }} as as_of on archetype_fits.as_of_date = as_of.as_of_date

),

segment_names as (

    {{ names_of_today() }}

),

customer_clusters as (

    select
        customer_id,
        cluster_id
    from {{ ref('customer_segmentation', 'customer_clusters') }}

),

customer_metrics as (

    select * from {{ ref('customer_segmentation', 'customer_metrics') }}

),

claims as (

    select * from {{ ref('customer_segmentation', 'claims') }}

),

limits as (

    {{ limits_of_active_version() }}

),

currency as (

    select currency as currency_code from {{ ref('customer_segmentation', 'as_of') }}

),

of_facts as (

    select
        segment_names.cluster_id,
        cluster_claims.claim,
        {{ with_limits('claims.says', 'limits', 'currency.currency_code') }} as says,
        cluster_claims.share_inside,
        cluster_claims.share_outside,
        list_contains(string_split(segment_names.claims, ' '), cluster_claims.claim) as is_named,
        cluster_claims.share_inside >= {{ var('min_claim_share') }} as holds
    from segment_names
    inner join cluster_claims using (cluster_id)
    inner join claims using (claim)
    cross join limits
    cross join currency

),

of_archetypes as (

    select
        segment_names.cluster_id,
        'all claims' as claim,
        'all that its name claims' as says,
        archetype_fits.share_inside,
        archetype_fits.share_outside,
        true as is_named,
        archetype_fits.is_borne as holds
    from segment_names
    inner join archetype_fits
        on segment_names.cluster_id = archetype_fits.cluster_id and segment_names.archetype = archetype_fits.archetype

),

-- Of each cluster that is told apart by a range, its members and those of the clusters that share the name.
in_ranges as (

    select
        segment_names.cluster_id,
        alike.cluster_id = segment_names.cluster_id as is_inside,
        segment_names.range_above,
        segment_names.range_up_to,
        case segment_names.range_metric
            {%- for metric in range_metrics() %}
            when '{{ metric }}' then cast(customer_metrics.{{ metric }} as double)
            {%- endfor %}
        end as metric_value
    from segment_names
    inner join segment_names as alike
        on
            segment_names.range_metric = alike.range_metric
            and coalesce(segment_names.archetype, segment_names.claims) = coalesce(alike.archetype, alike.claims)
    inner join customer_clusters on alike.cluster_id = customer_clusters.cluster_id
    inner join customer_metrics using (customer_id)

),

counted as (

    select
        cluster_id,
        is_inside,
        count(*) as num_customers,
        count(*) filter (
            where coalesce(metric_value > range_above, true) and coalesce(metric_value <= range_up_to, true)
        ) as num_holding
    from in_ranges
    group by cluster_id, is_inside

),

-- The range as the name says it, in brackets at its end.
said as (

    select
        cluster_id,
        regexp_extract(segment, '\(([^()]*)\)$', 1) as says
    from segment_names

),

measured_ranges as (

    select
        cluster_id,
        any_value(said.says) as says,
        round(max(counted.num_holding / counted.num_customers) filter (where counted.is_inside), 6) as share_inside,
        round(max(counted.num_holding / counted.num_customers) filter (where not counted.is_inside), 6)
            as share_outside
    from counted
    inner join said using (cluster_id)
    group by cluster_id

),

of_ranges as (

    select
        cluster_id,
        'range' as claim,
        says,
        share_inside,
        share_outside,
        true as is_named,
        share_inside >= {{ var('min_claim_share') }} as holds
    from measured_ranges

),

together as (

    select * from of_facts
    union all
    select * from of_archetypes
    union all
    select * from of_ranges

),

final as (

    select
        cast(together.cluster_id as varchar) as segment_id,
        segment_names.segment,
        together.* exclude (cluster_id)
    from together
    inner join segment_names using (cluster_id)

)

select * from final
