-- depends_on: {{ ref('customer_segmentation', 'stg_order_lines') }}
{#- What is probably wrong with the orders, though each row can be read. Each alarm is a query of its own that gives a
    figure and the limit that it should not be above (or, for the last three, below). The sentence is published with the
    report, so it names no customer, order or file and repeats no text of theirs: that are the examples, which the build
    adds. -#}
{%- set has_lines = var('rows_are') != 'orders' %}
{%- set has_line_statuses = has_lines and checked_var('order_columns').get('status') %}

with

order_exclusions as (

    select * from {{ ref('customer_segmentation', 'order_exclusions') }}

),

reasons as (

    select * from {{ ref('customer_segmentation', 'exclusion_reasons') }}

),

judged_order_days as (

    select * from {{ ref('customer_segmentation', 'judged_order_days') }}

),

orders as (

    select * from {{ ref('customer_segmentation', 'orders') }}

),

customer_metrics as (

    select * from {{ ref('customer_segmentation', 'customer_metrics') }}

),

value_formats as (

    select * from {{ ref('customer_segmentation', 'value_formats') }}

),

unreadable_values as (

    select
        exclusion_reason,
        list_sort(list_distinct(flatten(list(unreadable_values))))[:3] as examples
    from judged_order_days
    where unreadable_values is not null
    group by exclusion_reason

),

excluded as (

    select
        'excluded_rows: ' || order_exclusions.exclusion_reason as alarm,
        greatest(order_exclusions.share_of_rows, order_exclusions.share_of_absolute_amount) as figure,
        case
            when reasons.is_choice then {{ var('max_chosen_exclusion_share') }}
            else {{ var('max_excluded_share') }}
        end as limit_of_figure,
        {{ in_percent('order_exclusions.share_of_rows') }} || ' of the rows ('
        || format('{:,}', order_exclusions.num_rows) || ') and '
        || {{ in_percent('order_exclusions.share_of_absolute_amount') }}
        || ' of the amounts, returned ones among them, are left out as '
        || replace(order_exclusions.exclusion_reason, '_', ' ') || '. '
        || coalesce(reasons.advice, '') as sentence,
        unreadable_values.examples
    from order_exclusions
    inner join reasons using (exclusion_reason)
    left join unreadable_values using (exclusion_reason)
    where order_exclusions.exclusion_reason not in ('accepted', 'isolated_date')

),

-- Of a reason that is no matter of choice: the file or month that has most of its rows left out.
places as (

    select
        'file' as kind,
        file as place,
        exclusion_reason,
        sum(num_rows) as num_rows,
        sum(sum(num_rows)) over (partition by file) as num_rows_of_place,
        count(*) over (partition by exclusion_reason) as num_places
    from judged_order_days
    where file is not null
    group by file, exclusion_reason
    union all
    select
        'month' as kind,
        strftime(order_date, '%Y-%m') as place,
        exclusion_reason,
        sum(num_rows) as num_rows,
        sum(sum(num_rows)) over (partition by strftime(order_date, '%Y-%m')) as num_rows_of_place,
        count(*) over (partition by exclusion_reason) as num_places
    from judged_order_days
    where order_date is not null and exclusion_reason not in ('isolated_date', 'future_date')
    group by strftime(order_date, '%Y-%m'), exclusion_reason

),

concentrated as (

    select
        'excluded_in_one_place: ' || places.exclusion_reason as alarm,
        max(places.num_rows / places.num_rows_of_place) as figure,
        {{ var('max_excluded_share_of_a_place') }} as limit_of_figure,
        max_by(
            case when places.kind = 'file' then 'In one file' else 'In ' || places.place end || ', '
            || {{ in_percent('places.num_rows / places.num_rows_of_place') }} || ' of the rows ('
            || places.num_rows || ') are left out as '
            || replace(places.exclusion_reason, '_', ' ') || ', elsewhere few. '
            || coalesce(reasons.advice, ''),
            (places.num_rows / places.num_rows_of_place, places.kind, places.place)
        ) as sentence,
        max_by(
            case when places.kind = 'file' then [places.place] else [] end,
            (places.num_rows / places.num_rows_of_place, places.kind, places.place)
        ) as examples
    from places
    inner join reasons using (exclusion_reason)
    inner join order_exclusions using (exclusion_reason)
    where
        not reasons.is_choice and places.exclusion_reason != 'accepted'
        and places.num_rows >= {{ var('min_rows_of_a_place') }}
        and order_exclusions.share_of_rows <= {{ var('max_excluded_share') }}
    group by places.exclusion_reason

),

isolated as (

    select
        'isolated_days' as alarm,
        sum(num_rows) as figure,
        0 as limit_of_figure,
        'Rows on days far from all others: ' || sum(num_rows) || ' ('
        || {{ in_a_row('list_sort(list_distinct(min(cast(order_date as varchar), 50)))[:3]') }}
        || '). They are left out as isolated date and move neither the as-of date nor other customers. '
        || 'If they are real orders, set as_of_date or a larger min_isolation_gap_days.' as sentence,
        cast(null as varchar[]) as examples
    from judged_order_days
    where exclusion_reason = 'isolated_date'
    having count(*) > 0

),

repeated as (

    select
        'repeated_rows' as alarm,
        sum(num_repeated_rows) / sum(num_rows) as figure,
        {{ var('max_repeated_row_share') }} as limit_of_figure,
        {{ in_percent('sum(num_repeated_rows) / sum(num_rows)') }}
        || ' of the rows repeat another one in every column, '
        || 'and count all the same. Was an export delivered twice? Map line_id to count each line once.' as sentence,
        cast(null as varchar[]) as examples
    from order_exclusions

),

lacking as (

    select
        'column_missing_in_a_file' as alarm,
        count(*) as figure,
        0 as limit_of_figure,
        count(*) || ' of your files lack a column that the mapping names and others have, as '
        || min_by(json_extract_string(missing_columns, '$[0]'), file)
        || '. Its values are empty there.' as sentence,
        list_sort(min(file, 3)) as examples
    from {{ ref('customer_segmentation', 'source_files') }}
    where missing_columns != '[]'

),

-- The largest customers, of several equal ones the first by id.
all_customers as (

    select
        max(num_orders) as largest_num_orders,
        max(total_amount) as largest_total_amount,
        sum(num_orders) as num_orders_of_all,
        sum(greatest(total_amount, 0)) as total_amount_of_all
    from customer_metrics

),

largest_customers as (

    select
        min(customer_metrics.customer_id) filter (
            where customer_metrics.num_orders = all_customers.largest_num_orders
        ) as largest_by_num_orders,
        min(customer_metrics.customer_id) filter (
            where customer_metrics.total_amount = all_customers.largest_total_amount
        ) as largest_by_total_amount
    from customer_metrics
    cross join all_customers

),

one_customer as (

    {%- for metric, limit_name, words in [
        ('num_orders', 'max_customer_share_of_orders', 'of the orders'),
        ('total_amount', 'max_customer_share_of_amount', 'of the amount'),
    ] %}
    {%- set share = 'all_customers.largest_' ~ metric ~ ' / nullif(all_customers.' ~ metric ~ '_of_all, 0)' %}
    select
        'one_customer: {{ metric }}' as alarm,
        max({{ share }}) as figure,
        -- And far beyond all others but a few: a shop of ten customers has nobody below a tenth.
        greatest(
            {{ var(limit_name) }},
            coalesce(
                5 * quantile_disc(customer_metrics.{{ metric }}, 0.99) filter (
                    where customer_metrics.customer_id != largest_customers.largest_by_{{ metric }}
                ) / nullif(any_value(all_customers.{{ metric }}_of_all), 0),
                0
            )
        ) as limit_of_figure,
        'One customer has '
        || {{ in_percent('max(' ~ share ~ ')') }}
        || ' {{ words }}. If it stands for guests or a shared account, name it in guest_customer_ids.' as sentence,
        [any_value(largest_customers.largest_by_{{ metric }})] as examples
    from customer_metrics
    cross join all_customers
    cross join largest_customers
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

-- Ids that differ only by case, white space, Unicode form or leading zeros.
similar_ids as (

    select
        count(*) as num_customers,
        min(customer_id) as one,
        max(customer_id) as other
    from customer_metrics
    group by hash(
        ltrim(
            lower(translate(nfc_normalize(customer_id), ' ' || chr(9) || chr(160) || chr(8203) || chr(65279), '')), '0'
        )
    )

),

lookalikes as (

    select
        'similar_customer_ids' as alarm,
        coalesce(sum(num_customers) filter (where num_customers > 1), 0) / sum(num_customers) as figure,
        {{ var('max_similar_id_share') }} as limit_of_figure,
        coalesce(sum(num_customers) filter (where num_customers > 1), 0)
        || ' customers have ids that differ from another one only by case, white space, Unicode form or leading '
        || 'zeros. If they are the same people, map customer_id to one form, as in lower(trim(id)).' as sentence,
        list_sort(min(one || ' / ' || other, 3) filter (where num_customers > 1)) as examples
    from similar_ids

),

merged as (

    select
        'many_ids_of_a_customer' as alarm,
        max(num_ids) as figure,
        {{ var('max_ids_of_customer') }} as limit_of_figure,
        count(distinct customer_id) filter (where num_ids > {{ var('max_ids_of_customer') }})
        || ' customers are merged of more than {{ var("max_ids_of_customer") }} ids, the largest of ' || max(num_ids)
        || '. Is an address or an id shared, as by an office or a till? staging.identity_merges has each merge.'
            as sentence,
        [arg_max(customer_id, (num_ids, customer_id))] as examples
    from {{ ref('customer_segmentation', 'identity_merges') }}
    having count(*) > 0
    union all
    select
        'contradictory_identities' as alarm,
        count(distinct customer_id) as figure,
        0 as limit_of_figure,
        count(distinct customer_id) || ' customers of customer_identities lead in a ring, or an identifier of theirs '
        || 'to several customers, so that all of these are one. Give each identifier one customer.' as sentence,
        list_sort(list_distinct(min(customer_id, 20)))[:3] as examples
    from {{ ref('customer_segmentation', 'identity_merges') }}
    where num_listed_customers > 0 and num_last_customers != 1

),

scientific as (

    select
        'ids_in_scientific_notation: ' || field as alarm,
        num_scientific as figure,
        0 as limit_of_figure,
        num_scientific || ' values of ' || field || ' look like 4.4E+11: a spreadsheet cut them off, and different '
        || 'ones became the same. Export them again as text.' as sentence,
        cast(null as varchar[]) as examples
    from value_formats
    where source = 'orders' and num_scientific > 0

),

nobody_repeats as (

    select
        'nobody_orders_twice' as alarm,
        count(*) filter (where num_orders > 1) / count(*) as figure,
        {{ var('min_repeat_customer_share') }} as limit_of_figure,
        count(*) filter (where num_orders > 1) || ' of ' || count(*) || ' customers ordered twice. '
        || 'Is customer_id the id of the customer, and not of the order or the visit?' as sentence,
        cast(null as varchar[]) as examples
    from customer_metrics
    having count(*) >= 10

),

{%- if has_lines %}

spanning as (

    select
        'orders_over_several_days' as alarm,
        count(*) filter (where num_days_spanned > 1) / count(*) as figure,
        {{ var('max_spanning_order_share') }} as limit_of_figure,
        count(*) filter (where num_days_spanned > 1) || ' order ids of a customer are used on several days, up to '
        || max(num_days_spanned) || ' days apart, and count as one order each. If the numbers start again, map '
        || 'order_id to one that is unique, as in day || ''-'' || number.' as sentence,
        list_sort(min(order_id, 3) filter (where num_days_spanned > 1)) as examples
    from orders

),

order_count as (

    select count(*) as num_orders
    from orders

),

-- Of a large shop some 200,000 of the order ids: the group by is dear.
shared_order_ids as (

    select
        orders.order_id,
        count(*) as num_customers
    from orders
    cross join order_count
    where hash(orders.order_id) % 1024 < 1024 * 200000 / order_count.num_orders
    group by orders.order_id

),

shared as (

    select
        'orders_of_several_customers' as alarm,
        count(*) filter (where num_customers > 1) / count(*) as figure,
        {{ var('max_shared_order_share') }} as limit_of_figure,
        {{ in_percent('count(*) filter (where num_customers > 1) / count(*)') }}
        || ' of the order ids are used by several customers. Each customer''s lines count as an order of its own; '
        || 'is customer_id the customer, and order_id unique?' as sentence,
        list_sort(min(order_id, 3) filter (where num_customers > 1)) as examples
    from shared_order_ids

),

totals as (

    select
        'totals_on_each_line' as alarm,
        count(*) filter (where has_equal_amounts) / nullif(count(*) filter (where num_lines > 1), 0) as figure,
        {{ var('max_equal_amounts_share') }} as limit_of_figure,
        {{ in_percent('count(*) filter (where has_equal_amounts) / nullif(count(*) filter (where num_lines > 1), 0)') }}
        || ' of the orders with several lines have the same amount on each, as if it were the total of the order. '
        || 'Map amount to that of the line, or say rows_are: lines_with_order_total, which counts each once.'
            as sentence,
        list_sort(min(order_id, 3) filter (where has_equal_amounts)) as examples
    from orders
    having count(*) filter (where num_lines > 1) >= 5

),
{%- endif %}
{%- if has_line_statuses %}

-- A status that stands on one line of its order excludes that line alone.
half_excluded_orders as (

    select count(distinct excluded_lines.order_id) as num_orders
    from {{ ref('customer_segmentation', 'stg_order_lines') }} as excluded_lines
    inner join {{ ref('customer_segmentation', 'stg_order_lines') }} as other_lines
        on excluded_lines.order_id = other_lines.order_id and excluded_lines.customer_id = other_lines.customer_id
    where
        excluded_lines.exclusion_reason = 'excluded_status'
        and other_lines.exclusion_reason is null and other_lines.status is null

),

half_excluded as (

    select
        'status_on_one_line' as alarm,
        num_orders as figure,
        0 as limit_of_figure,
        num_orders || ' orders have a line that is left out for its status and others without a status, which count. '
        || 'A status speaks for its whole order where nearly all orders have one, and their lines agree.' as sentence,
        cast(null as varchar[]) as examples
    from half_excluded_orders

),
{%- endif %}

currencies as (

    select
        'several_currencies: amount' as alarm,
        max(num_currencies) as figure,
        1 as limit_of_figure,
        'Amounts have the signs of ' || max(num_currencies) || ' currencies and are added up. '
        || 'Map the field currency in order_columns: one is kept then, or they are converted.' as sentence,
        cast(null as varchar[]) as examples
    from value_formats
    where field = 'amount'

),

unknown_words as (

    select
        'unknown_status' as alarm,
        sum(num_rows) as figure,
        0 as limit_of_figure,
        sum(num_rows) || ' rows have a status that is not known and count as purchases. '
        || 'Name each in counted_statuses or excluded_statuses.' as sentence,
        list(value order by num_rows desc, value asc)[:5] as examples
    from {{ ref('customer_segmentation', 'status_values') }}
    where counted_as = 'unknown'
    having count(*) > 0
    union all
    select
        'unknown_consent: ' || field as alarm,
        sum(num_rows) as figure,
        0 as limit_of_figure,
        sum(num_rows) || ' customers have a ' || field || ' that is not known and counts as a refusal. '
        || 'Name each in consent_words or refusal_words.' as sentence,
        list(value order by num_rows desc, value asc)[:5] as examples
    from {{ ref('customer_segmentation', 'consent_values') }}
    where counted_as = 'unknown'
    group by field

),

without_spread as (

    select
        'metric_without_spread: ' || metric as alarm,
        maximum - minimum as figure,
        1e-9 as limit_of_figure,
        'All customers have the same ' || metric || ' (' || minimum || '), so it can''t tell them apart, and no '
        || 'segment differs by it.' as sentence,
        cast(null as varchar[]) as examples
    from {{ ref('customer_segmentation', 'metric_distributions') }}

),

few_customers as (

    select
        'few_customers' as alarm,
        count(*) filter (where is_clusterable) as figure,
        {{ var('min_customers') }} as limit_of_figure,
        'Only ' || count(*) filter (where is_clusterable) || ' customers can be segmented. Below '
        || {{ var('min_customers') }} || ' no number of segments can be shown to be right.' as sentence,
        cast(null as varchar[]) as examples
    from customer_metrics

),

short_history as (

    select
        'short_history' as alarm,
        count(*) filter (where is_window) as figure,
        1 as limit_of_figure,
        'Nobody can tell who will order again, so that no customer is called active or lapsed: '
        {%- if var('repurchase_window_days') == 'auto' %}
        || 'the history has ' || coalesce(max(history_days), 0) || ' days and '
        || coalesce(max(num_at_risk), 0) || ' orders that are older than a week, where 21 and 20 are the least.'
        {%- else %}
        || 'fewer than 20 orders are older than the {{ var("repurchase_window_days") }} days of repurchase_window_days.'
        {%- endif %}
        || ' Bring older orders.' as sentence,
        cast(null as varchar[]) as examples
    from {{ ref('customer_segmentation', 'repurchase_windows') }}

),

alarms as (

    {%- set above = ['excluded', 'concentrated', 'isolated', 'repeated', 'lacking', 'one_customer', 'lookalikes',
        'merged', 'scientific', 'currencies', 'unknown_words'] + (['spanning', 'shared', 'totals'] if has_lines else [])
        + (['half_excluded'] if has_line_statuses else []) %}
    {%- for alarm in above %}
    select * from {{ alarm }}
    where figure > limit_of_figure
    union all
    {%- endfor %}
    {%- for alarm in ['nobody_repeats', 'without_spread', 'few_customers', 'short_history'] %}
    select * from {{ alarm }}
    where figure < limit_of_figure
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

final as (

    select
        alarm,
        cast(figure as double) as figure,
        cast(limit_of_figure as double) as limit_of_figure,
        sentence,
        examples
    from alarms

)

select * from final
