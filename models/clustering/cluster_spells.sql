{#- With a window the metrics change without an order, and what custom_metrics says of a customer is known on metric
    days alone: then customers are only looked at on those. -#}
{%- set customer_days = ref('customer_segmentation', 'customer_days') -%}
{%- set customer_metrics_history = ref('customer_segmentation', 'customer_metrics_history') -%}
{%- set by_day = is_known_by_day() -%}
{%- set moving = checked_var('candidate_features') | select('in', moving_metrics()) | list -%}
{%- set ahead = days_looked_ahead() if is_known_ahead() else 0 -%}
with

as_of as (

    select as_of_date from {{ ref('customer_segmentation', 'as_of') }}

),

history_days as (

    select
        as_of_date,
        lead(as_of_date) over (order by as_of_date) as next_as_of_date
    from {{ ref('customer_segmentation', 'metric_days') }}
    where is_for_history

),

served_versions as (

    select * from {{ ref('customer_segmentation', 'served_versions') }}

),

{% if by_day -%}
beginning as (

    select min(as_of_date) as as_of_date from history_days

),

-- Days from which on something is known. A list of nothing in place of a condition on ranges, of which the planner
-- expects a few rows, and would keep all of them to look the few stages up.
known_days as (

    select
        customer_days.*,
        greatest(customer_days.day + 1, beginning.as_of_date) as as_of_date,
        case when customer_days.next_day < as_of.as_of_date then customer_days.next_day end as known_until,
        unnest(
            case
                when
                    customer_days.day < as_of.as_of_date
                    and coalesce(customer_days.next_day, date 'infinity') >= beginning.as_of_date
                    then [true]
                else []
            end
        ) as is_known
    from {{ customer_days }} as customer_days
    cross join as_of
    cross join beginning

),

measured as (

    select
        customer_id,
        day as known_day,
        {{ measured_metrics() }},
        as_of_date,
        known_until,
        known_until + 1 as looked_at_until
    from known_days

),
{%- else -%}
measured as (

    select
        history.*,
        cast(history.as_of_date - 1 as date) as known_day,
        case when history_days.next_as_of_date is not null then history.as_of_date end as known_until,
        history_days.next_as_of_date as looked_at_until
    from {{ customer_metrics_history }} as history
    inner join history_days on history.as_of_date = history_days.as_of_date

),
{%- endif %}

-- What is known of a customer from a day on, until something happens. It is looked at for a day longer, which tells
-- what time alone would have done, and what is known today for as long as customers are looked ahead.
states as (

    select
        measured.customer_id,
        measured.known_day,
        measured.total_amount as known_total_amount,
        measured.num_orders as known_num_orders,
        measured.returned_amount as known_returned_amount,
        measured.num_order_days as known_order_days,
        measured.mean_gap_days as known_mean_gap_days,
        cast(measured.silence_days as integer) as known_silence_days,
        measured.not_clusterable_reason,
        {%- for feature in checked_var('candidate_features') %}
        cast(measured.{{ feature }} as double) as {{ feature }},
        {%- endfor %}
        measured.as_of_date as state_from,
        coalesce(measured.known_until, cast(as_of.as_of_date + {{ ahead }} as date)) as state_until,
        coalesce(measured.looked_at_until, cast(as_of.as_of_date + {{ ahead }} as date)) as looked_at_until
    from measured
    cross join as_of

),

versions as (

    select
        *,
        {%- if by_day %}
        served_until + 1 as looked_at_until
        {%- else %}
        coalesce(
            (select min(history_days.as_of_date) from history_days where history_days.as_of_date > served_until),
            date 'infinity'
        ) as looked_at_until
        {%- endif %}
    from served_versions

),

versions_listed as (

    select list(versions order by model_version) as all_versions -- noqa: RF02
    from versions

),

-- By each version that served meanwhile; a version, too, is looked at until the next day on which the other serves.
state_versions as (

    select
        states.*,
        unnest(
            list_filter(
                versions_listed.all_versions,
                lambda v: states.state_from <= cast(v['looked_at_until'] as date) -- noqa: RF02
                and states.looked_at_until >= cast(v['served_from'] as date) -- noqa: RF02
            )
        ) as version
    from states
    cross join versions_listed

),

versioned as (

    select
        * exclude (version),
        cast(version['model_version'] as integer) as model_version,
        greatest(state_from, cast(version['served_from'] as date)) as first_day,
        least(looked_at_until, cast(version['looked_at_until'] as date)) as last_day,
        least(state_until, cast(version['served_until'] as date)) as served_until
    from state_versions

),

limits as (

    {{ limits_by_version() }}

),

classed as (

    select
        versioned.*,
        {{ order_class('versioned.known_order_days') }} as order_class,
        {{ gap_class('versioned.known_mean_gap_days', 'limits.repurchase_window_days') }} as gap_class,
        coalesce({{ gap_class('versioned.known_mean_gap_days', 'limits.longer_window_days') }}, 0) as longer_gap_class
    from versioned
    left join limits on versioned.model_version = limits.model_version

),

-- The days on which the curve takes a customer from stage to stage.
stepped as (

    select
        classed.* exclude (order_class, gap_class, longer_gap_class), -- noqa: RF02
        case
            when classed.not_clusterable_reason is null then coalesce(stage_steps.lifecycle_stage, 'unknown')
            else 'unknown'
        end as lifecycle_stage,
        greatest(
            classed.first_day,
            coalesce(
                classed.state_from + cast(stage_steps.silence_from - classed.known_silence_days as integer),
                classed.first_day
            )
        ) as spell_from,
        least(
            classed.last_day,
            coalesce(
                classed.state_from + cast(stage_steps.silence_to - classed.known_silence_days as integer),
                classed.last_day
            )
        ) as spell_until
    from classed
    left join {{ ref('customer_segmentation', 'stage_steps') }} as stage_steps
        on
            classed.not_clusterable_reason is null
            and classed.model_version = stage_steps.model_version
            and classed.order_class = stage_steps.order_class
            and classed.gap_class = stage_steps.gap_class
            and classed.longer_gap_class = stage_steps.longer_gap_class
            and stage_steps.silence_from
            <= classed.known_silence_days + datediff('day', classed.state_from, classed.last_day)
            and coalesce(stage_steps.silence_to, 1000000)
            >= classed.known_silence_days + datediff('day', classed.state_from, classed.first_day)

),

{{ serving_places('places') }},

-- The features on the first day of each spell, which the scaling leaves alone, and once more to be scaled.
stage_spells as (

    select
        customer_id,
        known_day,
        model_version,
        not_clusterable_reason,
        {%- for feature in checked_var('candidate_features') %}
        {%- set days = " + datediff('day', state_from, cast(spell_from as date))" if feature in moving else '' %}
        {%- set at_first = feature ~ days %}
        {{ at_first }} as {{ feature }}_at_first,
        {{ feature if at_first == feature else at_first ~ ' as ' ~ feature }},
        {%- endfor %}
        known_total_amount,
        known_num_orders,
        known_order_days,
        known_returned_amount,
        lifecycle_stage,
        cast(spell_from as date) as spell_from,
        datediff('day', cast(spell_from as date), cast(spell_until as date)) as days_in_spell,
        served_until
    from stepped

),

-- Where a feature moves with time, the nearest centroid may change within a stage. Between two centroids it does so
-- where the customer is as far from both, which is one place on the way: the days about it are looked at. All of it
-- is a list in the row of the spell, so that the spells are read once and joined with nothing of their size.
{{ scaled('placed', 'stage_spells', 'places') }},

with_moving as (

    select
        {%- for feature in moving %}
        len(
            list_filter(centroids, lambda c: c['{{ feature }}'] is not null) -- noqa: RF02
        ) > 0 as {{ feature }}_moves,
        {%- endfor %}
        *
    from placed

),

on_the_way as (

    select
        *,
        case
            when
                not_clusterable_reason is null
                and days_in_spell > 0
                and (false{% for feature in moving %} or {{ feature }}_moves{% endfor %})
                then list_transform(
                    centroids,
                    lambda c:
                    {
                        'place': coalesce(
                            {% for feature in moving %}c['{{ feature }}'], {% endfor %}null, null -- noqa: RF02
                        ),
                        'others': 0
                        {%- for feature in checked_var('candidate_features') if feature not in moving %}
                        + coalesce(pow({{ feature }} - c['{{ feature }}'], 2), 0) -- noqa: RF02
                        {%- endfor %}
                    }
                )
        end as points
    from with_moving

),

turning_points as (

    select
        *,
        0
        {%- for feature in moving %}
        + cast({{ feature }}_moves as integer)
        {%- endfor %} as num_moving,
        list_filter(
            list_transform(
                points,
                lambda here: list_min(list_transform(
                    list_filter(points, lambda there: there['place'] > here['place']),
                    lambda there:
                    (there['others'] - here['others'] + pow(there['place'], 2) - pow(here['place'], 2))
                    / (2 * (there['place'] - here['place']))
                ))
            ),
            lambda place: place is not null
        ) as places
    from on_the_way

),

-- The first day, and about each place a day before and after, since the last digit of a double decides little, and the
-- scoring expression all.
days_listed as (

    select
        *,
        case
            when points is null then [0]
            when num_moving > 1 then range(0, days_in_spell + 1)
            else list_sort(list_distinct(list_concat([0], flatten(list_transform(
                list_transform(
                    places,
                    lambda place:
                    case
                        when num_moving = 0 then 0.0
                        {%- for feature in moving %}
                        when {{ feature }}_moves and {{ feature }}_transform = 'log1p'
                            then
                                exp({{ feature }}_centre + {{ feature }}_scale * place) - 1
                                - {{ feature }}_at_first
                        when {{ feature }}_moves
                            then {{ feature }}_centre + {{ feature }}_scale * place - {{ feature }}_at_first
                        {%- endfor %}
                    end
                ),
                lambda days:
                case
                    when days > -2 and days < days_in_spell + 2
                        then range(
                            greatest(cast(ceil(days) as bigint) - 1, 1),
                            least(cast(ceil(days) as bigint) + 2, days_in_spell + 1)
                        )
                    else []
                end
            )))))
        end as days_looked_at
    from turning_points

),

-- The nearest centroid on each of them, which for most is one day.
measured_at_first as (

    select
        *,
        {{ squared_distances() }} as squared_distances
    from days_listed

),

nearest_by_day as (

    select
        *,
        case
            when len(days_looked_at) = 1 then [list_position(squared_distances, list_min(squared_distances))]
            else list_transform(
                days_looked_at,
                lambda days: list_position(
                    {{ squared_distances(moving) }},
                    list_min({{ squared_distances(moving) }})
                )
            )
        end as nearest
    from measured_at_first

),

-- Where it is another one than on the day before that was looked at.
changes_listed as (

    select
        *,
        case
            when len(days_looked_at) > 1
                then list_filter(
                    range(1, len(days_looked_at) + 1),
                    lambda i: i = 1 or nearest[i] != nearest[greatest(i - 1, 1)] -- noqa: RF02
                )
        end as changes
    from nearest_by_day

),

runs as (

    select
        customer_id,
        known_day,
        model_version,
        spell_from,
        served_until,
        lifecycle_stage,
        not_clusterable_reason,
        centroids,
        known_total_amount,
        known_num_orders,
        known_order_days,
        known_returned_amount,
        unnest(
            case
                when changes is null
                    then [
                        {
                            'nearest': nearest[1],
                            'first_day': 0,
                            'last_day': days_in_spell
                        }
                    ]
                else list_transform(
                    range(1, len(changes) + 1),
                    lambda n:
                    {
                        'nearest': nearest[changes[n]], -- noqa: RF02
                        'first_day': days_looked_at[changes[n]], -- noqa: RF02
                        'last_day': case
                            when n < len(changes) then days_looked_at[changes[n + 1]] - 1 -- noqa: RF02
                            else days_in_spell
                        end
                    }
                )
            end
        ) as run
    from changes_listed

),

segmented as (

    select
        customer_id,
        known_day,
        model_version,
        cast(spell_from + cast(run['first_day'] as integer) as date) as spell_from,
        cast(spell_from + cast(run['last_day'] as integer) as date) as spell_until,
        served_until,
        lifecycle_stage,
        coalesce(not_clusterable_reason, cast(centroids[run['nearest']]['cluster_id'] as varchar)) as segment_id,
        known_total_amount as total_amount,
        known_num_orders as num_orders,
        known_order_days as num_order_days,
        known_returned_amount as returned_amount
    from runs

),

final as (

    select
        customer_id,
        known_day,
        model_version,
        spell_from,
        spell_until,
        case when spell_from <= served_until then least(spell_until, served_until) end as served_until,
        lifecycle_stage,
        segment_id,
        total_amount,
        num_orders,
        num_order_days,
        returned_amount
    from segmented

)

select * from final
