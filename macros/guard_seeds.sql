{#- Stops the build before anything of clustering is replaced when a seed that marketers edit has a fault: each
    with a sentence that names the rows. Runs when both seeds are loaded. -#}
{% macro guard_seeds() -%}
    {%- set actions = "('win_back', 'retain', 'cross_sell', 'second_order', 'none')" -%}
    {%- set by_rule = "(values ('no_order'), ('no_order_in_window'), ('nothing_left_after_returns'))" -%}
    select
        error(
            'segment_archetypes.csv: recency, frequency and value are low, medium or high, all three or none; see '
            || string_agg(archetype, ', ') || '.'
        )
    from {{ ref('segment_archetypes') }}
    where
        not coalesce(
            recency in ('low', 'medium', 'high') and frequency in ('low', 'medium', 'high')
            and value in ('low', 'medium', 'high'),
            recency is null and frequency is null and value is null
        )
    having count(*) > 0;
    select
        error(
            'segment_archetypes.csv: action is one of win_back, retain, cross_sell, second_order or none; see '
            || string_agg(archetype, ', ') || '.'
        )
    from {{ ref('segment_archetypes') }}
    where not coalesce(action in {{ actions }}, false)
    having count(*) > 0;
    select
        error(
            'segment_archetypes.csv: a row for ' || string_agg(needed.archetype, ', ')
            || ' is missing; customers who can''t be clustered take their segment from it.'
        )
    from {{ by_rule }} as needed (archetype)
    anti join {{ ref('segment_archetypes') }} as segment_archetypes using (archetype)
    having count(*) > 0;
    select
        error(
            'targeting_rules.csv: action is one of win_back, retain, cross_sell, second_order or none; see '
            || string_agg(rule, ', ') || '.'
        )
    from {{ ref('targeting_rules') }}
    where not coalesce(action in {{ actions }}, false)
    having count(*) > 0;
{%- endmacro %}
