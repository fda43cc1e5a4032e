{{ config(materialized='table') }}
{#- What can't be asked in SQL, since the columns that it is about may be missing. -#}
{%- set problem = archetypes_problem() if execute else none -%}

-- Before anything else is replaced, as source_files waits for it:
-- depends_on: {{ ref('customer_segmentation', 'actions') }}
-- depends_on: {{ ref('customer_segmentation', 'segment_archetypes') }}
-- depends_on: {{ ref('customer_segmentation', 'targeting_rules') }}
-- depends_on: {{ ref('customer_segmentation', 'claims') }}
{% if problem -%}
select error({{ sql_text(problem) }}) as problem
{%- else -%}
with

actions as (

    select * from {{ ref('customer_segmentation', 'actions') }}

),

segment_archetypes as (

    select * from {{ ref('customer_segmentation', 'segment_archetypes') }}

),

targeting_rules as (

    {{ targeting_rules() }}

),

claims as (

    select * from {{ ref('customer_segmentation', 'claims') }}

),

-- What customer_facts has columns for.
known_claims as (

    select unnest([{% for fact in customer_facts() %}'{{ fact }}'{{ ', ' if not loop.last }}{% endfor %}]) as claim

),

claims_of_archetypes as (

    select
        archetype,
        unnest(string_split(claims, ' ')) as claim
    from segment_archetypes
    where claims is not null

),

known_stages as (

    select unnest(['new', 'active', 'cooling', 'lapsed', 'unknown']) as lifecycle_stage

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

problems as (

    select
        'claims.csv: claims' as guard,
        'claims.csv: a row for ' || string_agg(claim, ', ' order by claim)
        || ' is missing, once; names and descriptions take their words from it.' as problem
    from known_claims
    left join (select claim, count(*) as num_rows from claims group by claim) as listed using (claim)
    where coalesce(num_rows, 0) != 1
    having count(*) > 0

    union all
    select
        'segment_archetypes.csv: claims' as guard,
        'segment_archetypes.csv: claims are words of claims.csv with a space between them ('
        || (select string_agg(claim, ', ' order by position) from claims) || '); see '
        || string_agg(distinct archetype || ' (' || claim || ')', ', ' order by archetype || ' (' || claim || ')') || '.'
            as problem
    from claims_of_archetypes
    anti join known_claims using (claim)
    having count(*) > 0

    union all
    select
        'segment_archetypes.csv: names' as guard,
        'segment_archetypes.csv: each archetype has a name of its own; see ' || string_agg(archetype, ', ' order by archetype)
        || '.' as problem
    from (
        select
            archetype,
            name is null or count(*) over (partition by name) > 1 as is_wrong
        from segment_archetypes
    ) as named
    where is_wrong
    having count(*) > 0

    union all
    select
        'segment_archetypes.csv: archetypes without claims' as guard,
        'segment_archetypes.csv: claims are missing for ' || string_agg(archetype, ', ' order by archetype)
        || '; a name says something that most members of its segment fulfil.' as problem
    from segment_archetypes
    anti join needed_archetypes using (archetype)
    where claims is null
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

    union all
    select
        'targeting_rules.csv: lifecycle stages' as guard,
        'targeting_rules.csv: lifecycle_stage is ' || (select string_agg(lifecycle_stage, ', ') from known_stages)
        || ' or nothing; see ' || string_agg(rule, ', ' order by rule) || '.' as problem
    from targeting_rules
    anti join known_stages using (lifecycle_stage)
    where lifecycle_stage is not null
    having count(*) > 0

),

{{ stops_with_the_first_problem() }}

select * from final
{%- endif %}
