{#- What the last build told, as the database was when this run began. -#}
{%- set told = table_at_the_start('segments', 'customer_segments') -%}
{%- set known_changes = table_at_the_start('segments', 'customer_segment_changes') -%}
with

as_of as (

    select as_of_date from {{ ref('customer_segmentation', 'as_of') }}

),

beginning as (

    select min(as_of_date) as as_of_date from {{ ref('customer_segmentation', 'metric_days') }}
    where is_for_history

),

cluster_spells as not materialized (

    select * from {{ ref('customer_segmentation', 'cluster_spells') }}

),

in_order as (

    select
        *,
        lag(segment_id) over by_day as previous_segment_id,
        lag(model_version) over by_day as previous_version,
        lag(known_day) over by_day as previous_known_day,
        lag(total_amount) over by_day as previous_total_amount,
        lag(num_orders) over by_day as previous_num_orders,
        lag(num_order_days) over by_day as previous_num_order_days,
        lag(returned_amount) over by_day as previous_returned_amount
    from cluster_spells
    where served_until is not null
    window by_day as (partition by customer_id order by spell_from)

),

changed as (

    select in_order.*
    from in_order
    cross join as_of
    cross join beginning
    where
        in_order.spell_from <= as_of.as_of_date
        and in_order.spell_from > beginning.as_of_date
        and in_order.segment_id != coalesce(in_order.previous_segment_id, '')

),

-- What would have been on the day by the model of the day before: if nothing had come, and with what did come, which is
-- what is, unless another model serves.
{% for name, state, condition in [
    ('time_alone', 'previous_known_day', 'true'), ('same_model', 'known_day', 'changed.previous_version != changed.model_version')
] -%}
{{ name }} as (

    select
        changed.customer_id,
        changed.spell_from,
        spells.segment_id
    from changed
    inner join cluster_spells as spells
        on
            changed.customer_id = spells.customer_id
            and changed.{{ state }} = spells.known_day
            and changed.previous_version = spells.model_version
            and changed.spell_from >= spells.spell_from
            and changed.spell_from <= spells.spell_until
    where {{ condition }}

),

{% endfor -%}
caused as (

    select
        changed.customer_id,
        changed.spell_from as changed_on,
        changed.previous_segment_id,
        changed.segment_id,
        case
            when changed.previous_segment_id is null then 'ordered'
            when time_alone.segment_id = changed.segment_id then 'time passed'
            when
                changed.previous_version != changed.model_version
                and coalesce(same_model.segment_id, '') != changed.segment_id
                then 'model changed'
            when
                changed.num_order_days > changed.previous_num_order_days
                or changed.num_orders > changed.previous_num_orders
                or changed.total_amount > changed.previous_total_amount
                then 'ordered'
            when
                changed.returned_amount > changed.previous_returned_amount
                {{- ' or changed.total_amount < changed.previous_total_amount' if var('metrics_window_days') is none }}
                then 'goods returned'
            else 'time passed'
        end as cause,
        changed.model_version
    from changed
    left join time_alone
        on changed.customer_id = time_alone.customer_id and changed.spell_from = time_alone.spell_from
    left join same_model
        on changed.customer_id = same_model.customer_id and changed.spell_from = same_model.spell_from

),

{% if told -%}
-- Of the day of the last build, by its model: what the orders of today say.
recomputed as (

    select
        told.customer_id,
        told.as_of_date as changed_on,
        told.segment_id as told_segment_id,
        spells.segment_id,
        spells.model_version
    from {{ told }} as told
    cross join as_of
    inner join cluster_spells as spells
        on
            told.customer_id = spells.customer_id
            and told.as_of_date >= spells.spell_from
            and told.as_of_date <= spells.spell_until
            and coalesce(told.model_version, spells.model_version) = spells.model_version
    where
        told.as_of_date <= as_of.as_of_date
        -- The state that was known last on that day, not one that is looked at for a day longer.
        and spells.known_day < told.as_of_date
    qualify
        row_number() over (
            partition by told.customer_id
            order by spells.known_day desc, spells.model_version desc
        ) = 1

),

corrected as (

    select
        customer_id,
        changed_on,
        told_segment_id as previous_segment_id,
        segment_id,
        'corrected' as cause,
        model_version
    from recomputed
    where told_segment_id != segment_id

),

{% endif -%}
{% if known_changes -%}
-- Of customers who are still known.
corrected_before as (

    select
        customer_id,
        changed_on,
        previous_segment_id,
        segment_id,
        cause,
        model_version
    from {{ known_changes }}
    where
        cause = 'corrected'
        and changed_on > (select beginning.as_of_date from beginning)
        and customer_id in (select cluster_spells.customer_id from cluster_spells)

),

{% endif -%}
all_changes as (

    select * from caused
    {%- if told %}
    union all
    select * from corrected
    {%- endif %}
    {%- if known_changes %}
    union all
    select corrected_before.*
    from corrected_before
    {%- if told %}
    anti join corrected
        on
            corrected_before.customer_id = corrected.customer_id
            and corrected_before.changed_on = corrected.changed_on
    {%- endif %}
    {%- endif %}

),

-- The last name that each cluster had; a segment by rule has one.
named_clusters as (

    select
        cast(cluster_id as varchar) as segment_id,
        arg_max(segment, model_version) as segment
    from {{ ref('customer_segmentation', 'segment_registry') }}
    where segment is not null
    group by cluster_id

),

names as (

    select
        coalesce(segment_definitions.segment_id, named_clusters.segment_id) as segment_id,
        coalesce(segment_definitions.segment, named_clusters.segment) as segment
    from {{ ref('customer_segmentation', 'segment_definitions') }} as segment_definitions
    full join named_clusters on segment_definitions.segment_id = named_clusters.segment_id

),

final as (

    select
        all_changes.customer_id,
        all_changes.changed_on,
        all_changes.previous_segment_id,
        previous_names.segment as previous_segment,
        all_changes.segment_id,
        names.segment,
        all_changes.cause,
        all_changes.model_version
    from all_changes
    left join names on all_changes.segment_id = names.segment_id
    left join names as previous_names on all_changes.previous_segment_id = previous_names.segment_id

)

select * from final
