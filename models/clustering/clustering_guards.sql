{#- What can't be asked in SQL, since the columns that it is about may be missing. -#}
{%- set problem = feature_problem() if execute else none -%}
{%- set features = checked_var('candidate_features') -%}
{%- set count = var('segment_count') -%}
{%- set min_segment_count = var('segment_count_range')[0] if count == 'auto' else count -%}

-- Waits for all that later layers read, so that nothing is replaced when one of them is missing:
-- depends_on: {{ ref('customer_segmentation', 'customer_metrics') }}
-- depends_on: {{ ref('custom_metrics') }}
-- depends_on: {{ ref('customer_segmentation', 'stg_customers') }}
{% if problem -%}
select error({{ sql_text(problem) }}) as problem
{%- else -%}
with

customers as (

    select * from {{ ref('customer_segmentation', 'customer_metrics') }}
    where is_clusterable

),

counted as (

    select
        {%- for feature in features %}
        count(*) filter (where not coalesce(isfinite(cast({{ feature }} as double)), false))
            as num_without_{{ feature }},
        {%- endfor %}
        least(count(*), {{ var('clustering_sample_size') }}) as num_customers
    from customers

),

distinct_customers as (

    select count(*) as num_distinct
    from (
        select distinct {{ features | join(', ') }} from customers
        limit {{ min_segment_count }}
    )

),

-- Rows are what is wrong; the first of them stops the build.
problems as (

    {%- for feature in features %}
    select
        'candidate_features: {{ feature }} has values' as guard,
        'candidate_features: {{ feature }} has no value, or no finite one, for ' || num_without_{{ feature }}
        || ' of the customers who can be clustered. Give each of them a number, in custom_metrics for'
        || ' example by coalesce(..., 0) and a row for every customer.' as problem
    from counted
    where num_without_{{ feature }} > 0

    union all
    {%- endfor %}
    select
        'enough customers' as guard,
        'Too few customers: ' || num_customers || ' can be clustered, and {{ min_segment_count }} segments'
        || ' are the least asked for. Bring more orders or lower segment_count;'
        || ' metrics.customer_metrics says why a customer can''t be clustered.' as problem
    from counted
    where num_customers < {{ min_segment_count }}

    union all
    select
        'customers who differ' as guard,
        'The customers are all alike: ' || counted.num_customers || ' customers have '
        || distinct_customers.num_distinct || ' different combination(s) of {{ features | join(", ") }},'
        || ' too few for {{ min_segment_count }} segments. Check the mapping of order_columns,'
        || ' or choose other candidate_features.' as problem
    from counted
    cross join distinct_customers
    where
        counted.num_customers >= {{ min_segment_count }}
        and distinct_customers.num_distinct < {{ min_segment_count }}

),

{{ stops_with_the_first_problem() }}

select * from final
{%- endif %}
