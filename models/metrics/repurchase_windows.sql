{#- Fewer customers than this say nothing about a silence. -#}
{%- set min_customers = 20 -%}
{%- set given = var('repurchase_window_days') -%}
{%- set why_chosen = 'named by repurchase_window_days' if given != 'auto' else
    'of the windows that the history holds three times, the one in which the share of orders followed by another is'
    ~ ' nearest to one half' -%}
with

as_of as (

    select as_of_date from {{ ref('customer_segmentation', 'as_of') }}

),

customer_days as (

    select * from {{ ref('customer_segmentation', 'customer_days') }}
    where amount > 0

),

spells as (

    select
        customer_days.customer_id,
        datediff('day', customer_days.day, customer_days.next_order_day) as gap,
        datediff('day', customer_days.day, as_of.as_of_date) as observed
    from customer_days
    cross join as_of

),

-- Averaged per customer, so that those who order most don't decide alone.
by_customer as (

    select
        max(observed) as longest_observed,
        {%- for window in repurchase_windows() %}
        count(*) filter (where observed > {{ window }}) as num_at_risk_{{ window }},
        count(*) filter (where observed >= {{ window }} and gap <= {{ window }})
        / nullif(count(*) filter (where observed >= {{ window }}), 0) as followed_{{ window }},
        {%- endfor %}
        customer_id
    from spells
    group by customer_id

),

measured as (

    {%- for window in repurchase_windows() %}
    select
        {{ window }} as window_days,
        max(longest_observed) as history_days,
        coalesce(sum(num_at_risk_{{ window }}), 0) as num_at_risk,
        round(avg(followed_{{ window }}), 6) as followed_share
    from by_customer
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

-- Shares equally near to one half: of smaller ones the longer window, of larger ones the shorter.
ranked as (

    select
        *,
        row_number() over (
            order by
                abs(followed_share - 0.5),
                case when followed_share < 0.5 then -window_days else window_days end
        ) as nearness
    from measured
    where
        num_at_risk >= {{ min_customers }}
        {%- if given == 'auto' %}
        and history_days >= 3 * window_days
        {%- else %}
        and window_days = {{ given }}
        {%- endif %}

),

chosen as (

    select window_days from ranked
    where nearness = 1

),

-- Who is lapsed is asked over a longer window: in a grocery a week of silence is no farewell.
longer as (

    select max(measured.window_days) as window_days
    from measured
    cross join chosen
    where
        measured.window_days = chosen.window_days
        or (
            measured.window_days between chosen.window_days and 90
            and measured.history_days >= 2 * measured.window_days
            and measured.num_at_risk >= {{ min_customers }}
        )

),

final as (

    select
        measured.window_days,
        measured.history_days,
        cast(measured.num_at_risk as bigint) as num_at_risk,
        measured.followed_share,
        coalesce(measured.window_days = chosen.window_days, false) as is_window,
        coalesce(measured.window_days = longer.window_days, false) as is_longer_window,
        case
            when measured.window_days = chosen.window_days
                then '{{ why_chosen }}'
            when measured.num_at_risk < {{ min_customers }}
                then 'only ' || measured.num_at_risk || ' orders are older than it, {{ min_customers }} are the least'
            {%- if given == 'auto' %}
            when measured.history_days < 3 * measured.window_days
                then 'three times as long as the ' || measured.history_days || ' days of history at most'
            else 'its share of orders followed by another is further from one half'
            {%- else %}
            else 'repurchase_window_days names another'
            {%- endif %}
        end
        || case
            when measured.window_days = longer.window_days then '; who is lapsed is asked over it'
            else ''
        end as reason
    from measured
    left join chosen on true
    left join longer on true

)

select * from final
