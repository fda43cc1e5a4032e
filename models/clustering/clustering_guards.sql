{#- What can't be asked in SQL, since the columns or tables that it is about may be missing. -#}
{%- set problem = (feature_problem() or registry_problem()) if execute else none -%}
{%- set features = checked_var('candidate_features') -%}
{%- set count = var('segment_count') -%}
{%- set min_segment_count = var('segment_count_range')[0] if count == 'auto' else count -%}

-- Waits for all that later layers read, so that nothing is replaced when one of them is missing:
-- depends_on: {{ ref('customer_metrics') }}, {{ ref('custom_metrics') }}, {{ ref('stg_customers') }}
-- depends_on: {{ ref('actions') }}, {{ ref('segment_archetypes') }}, {{ ref('targeting_rules') }}
{% if problem -%}
select error({{ sql_text(problem) }}) as problem
{%- else -%}
with

customers as (

    select * from {{ ref('customer_metrics') }}
    where is_clusterable

),

actions as (

    select * from {{ ref('actions') }}

),

segment_archetypes as (

    select * from {{ ref('segment_archetypes') }}

),

targeting_rules as (

    select * from {{ ref('targeting_rules') }}

),

-- Actions and archetypes that the models name themselves.
needed_actions as (

    select unnest(['win_back', 'retain', 'cross_sell', 'second_order', 'none']) as action

),

needed_archetypes as (

    select unnest(['no_order', 'no_order_in_window', 'nothing_left_after_returns']) as archetype

),

known_actions as (

    select string_agg(action, ', ' order by position) as names from actions

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

    select
        'segment_archetypes.csv: levels' as guard,
        'segment_archetypes.csv: recency, frequency and value are low, medium or high, all three or none; see '
        || string_agg(archetype, ', ' order by archetype) || '.' as problem
    from segment_archetypes
    where
        not coalesce(
            recency in ('low', 'medium', 'high') and frequency in ('low', 'medium', 'high')
            and value in ('low', 'medium', 'high'),
            recency is null and frequency is null and value is null
        )
    having count(*) > 0

    union all
    select
        'segment_archetypes.csv: segments by rule' as guard,
        'segment_archetypes.csv: a row for ' || string_agg(archetype, ', ' order by archetype)
        || ' is missing; customers who can''t be clustered take their segment from it.' as problem
    from needed_archetypes
    anti join segment_archetypes using (archetype)
    having count(*) > 0

    union all
    select
        'actions.csv: actions that models give' as guard,
        'actions.csv: a row for ' || string_agg(action, ', ' order by action)
        || ' is missing; segments without an archetype take their action from it.' as problem
    from needed_actions
    anti join actions using (action)
    having count(*) > 0

    union all
    select
        'segment_archetypes.csv: actions' as guard,
        'segment_archetypes.csv: action is one of those in actions.csv (' || any_value(known_actions.names) || '); see '
        || string_agg(segment_archetypes.archetype, ', ' order by segment_archetypes.archetype) || '.' as problem
    from segment_archetypes
    anti join actions using (action)
    cross join known_actions
    having count(*) > 0

    union all
    select
        'targeting_rules.csv: actions' as guard,
        'targeting_rules.csv: action is one of those in actions.csv (' || any_value(known_actions.names) || '); see '
        || string_agg(targeting_rules.rule, ', ' order by targeting_rules.rule) || '.' as problem
    from targeting_rules
    anti join actions using (action)
    cross join known_actions
    having count(*) > 0

    {%- for feature in features %}

    union all
    select
        'candidate_features: {{ feature }} has values' as guard,
        'candidate_features: {{ feature }} has no value, or no finite one, for ' || num_without_{{ feature }}
        || ' of the customers who can be clustered. Give each of them a number, in custom_metrics for'
        || ' example by coalesce(..., 0) and a row for every customer.' as problem
    from counted
    where num_without_{{ feature }} > 0
    {%- endfor %}

    union all
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

first_problem as (

    select * from problems
    order by guard
    limit 1

),

final as (

    select
        guard,
        error(problem) as problem
    from first_problem

)

select * from final
{%- endif %}
