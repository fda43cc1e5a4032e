{#- As the database was when this run began. -#}
{%- set graded = table_at_the_start('segments', 'segment_outcomes') -%}
{%- set versions = table_at_the_start('clustering', 'model_versions') -%}
{%- set centroids = table_at_the_start('clustering', 'cluster_centroids') -%}
with

as_of as (

    select * from {{ ref('customer_segmentation', 'as_of') }}

),

month_starts as (

    select
        as_of_date,
        first_day_of_life,
        cast(
            unnest([
                {%- for months in range(var('history_months') + 1) %}
                date_trunc('month', as_of_date) - interval {{ months }} month{{ ',' if not loop.last }}
                {%- endfor %}
            ]) as date
        ) as month_start
    from as_of

),

-- A day before the shop's first order knows no customer.
past_days as (

    select month_start as as_of_date
    from month_starts
    where month_start < as_of_date and month_start > first_day_of_life
    order by month_start desc
    limit {{ var('history_months') }}

),

serving as (

    {{ serving_version_at_the_start() }}

),

{{ changes_since('serving') }},

measured_windows as (

    {{ measured_windows() }}

),

frozen_windows as (

    select
        cast(max(limit_value) filter (where limit_name = 'repurchase_window_days') as integer) as window_days,
        cast(max(limit_value) filter (where limit_name = 'longer_window_days') as integer) as longer_window_days
    from ({{ limits_at_the_start() }}) as limits
    where model_version in (select serving.model_version from serving)

),

-- The window of what happened next: that of the fit that serves, or of the one that is due.
due as (

    select
        serving.fitted_on,
        {{ fit_is_due_because('serving') }} is not null as is_due,
        {{ var('refit') == 'anew' }} or changes.num_changed_of_curve > 0 as is_anew_if_due
    from changes
    left join serving on true

),

judged as (

    select
        due.fitted_on,
        due.is_due,
        case
            when due.is_due and due.is_anew_if_due then measured_windows.window_days
            else coalesce(frozen_windows.window_days, measured_windows.window_days)
        end as window_days,
        case
            when due.is_due and due.is_anew_if_due then measured_windows.longer_window_days
            else coalesce(frozen_windows.longer_window_days, measured_windows.longer_window_days)
        end as longer_window_days
    from due
    cross join measured_windows
    cross join frozen_windows

),

-- A fit as of one window ago is graded by what happened since, one as of two windows ago chooses the number of
-- segments by what happened in the window after it.
days_of_fits as (

    select
        cast(as_of.as_of_date - to_days(judged.window_days) as date) as as_of_date,
        false as is_for_choosing
    from judged
    cross join as_of
    where judged.is_due
    union all
    select
        cast(as_of.as_of_date - to_days(2 * judged.window_days) as date) as as_of_date,
        true as is_for_choosing
    from judged
    cross join as_of
    where judged.is_due

),

{% if versions and centroids and pinned_version() is none -%}
-- The fit as of a window ago that a run which ended early has left ungraded.
day_of_an_ungraded_fit as (

    select versions.fitted_on as as_of_date
    from {{ versions }} as versions
    inner join serving on versions.served_version = serving.model_version
    cross join judged
    cross join as_of
    where
        not judged.is_due
        and versions.purpose = 'grades'
        and versions.fitted_on + to_days(judged.window_days) <= as_of.as_of_date
        and versions.model_version in (select centroids.model_version from {{ centroids }} as centroids)
        {%- if graded %}
        and versions.model_version not in (select graded.model_version from {{ graded }} as graded)
        {%- endif %}

),

{% endif -%}
-- Month starts since the fit that a window has passed since: the latest twelve that have not been graded.
days_since_the_fit as (

    select cast(month_start as date) as as_of_date
    from (
        select
            unnest(generate_series(
                date_trunc('month', judged.fitted_on - interval 1 day) + interval 1 month,
                as_of.as_of_date - to_days(judged.window_days),
                interval 1 month
            )) as month_start
        from judged
        cross join as_of
        where not judged.is_due
    ) as months
    {%- if graded %}
    where
        cast(month_start as date) not in (
            select graded.as_of_date from {{ graded }} as graded
            where graded.model_version in (select serving.model_version from serving)
        )
    {%- endif %}
    order by month_start desc
    limit 12

),

days as (

    select
        as_of_date,
        'today' as kind
    from as_of
    union all
    select
        as_of_date,
        'history' as kind
    from past_days
    union all
    select
        days_of_fits.as_of_date,
        case when days_of_fits.is_for_choosing then 'choosing' else 'grading' end as kind
    from days_of_fits
    cross join as_of
    where days_of_fits.as_of_date > as_of.first_day_of_life
    {%- if versions and centroids and pinned_version() is none %}
    union all
    select
        as_of_date,
        'grading' as kind
    from day_of_an_ungraded_fit
    {%- endif %}
    union all
    select
        as_of_date,
        'grading since' as kind
    from days_since_the_fit

),

marked as (

    select
        as_of_date,
        bool_or(kind = 'today') as is_today,
        bool_or(kind in ('today', 'history')) as is_for_history,
        bool_or(kind = 'choosing') as is_for_choosing,
        bool_or(kind = 'grading') as is_for_grading,
        bool_or(kind = 'grading since') as is_for_grading_since
    from days
    group by as_of_date

),

final as (

    select
        marked.as_of_date,
        {%- if var('metrics_window_days') is none %}
        cast(null as date) as metrics_window_start,
        {%- else %}
        cast(marked.as_of_date - interval {{ var('metrics_window_days') }} day as date) as metrics_window_start,
        {%- endif %}
        marked.is_today,
        marked.is_for_history,
        marked.is_for_choosing,
        marked.is_for_grading,
        marked.is_for_grading_since,
        judged.window_days,
        judged.longer_window_days,
        cast(marked.as_of_date + to_days(judged.window_days) as date) as outcomes_until
    from marked
    cross join judged

)

select * from final
