-- From the raw rows to the targets nothing is lost or doubled: rows, customers and money. Fails on a
-- fan-out, a lost join or a forgotten exclusion reason, each with the two totals that differ.
with

raw_rows as (

    select count(*) as num_rows from {{ ref('raw_order_lines') }}

),

ledger as (

    select
        sum(num_rows) as num_rows,
        sum(num_rows) filter (where exclusion_reason = 'accepted') as num_accepted_rows,
        sum(amount) filter (where exclusion_reason = 'accepted') as accepted_amount
    from {{ ref('order_exclusions') }}

),

ordered as (

    select
        sum(orders.num_lines) as num_lines,
        sum(orders.amount) as amount,
        sum(orders.amount) filter (where {{ in_metrics_window() }}) as amount_in_window
    from {{ ref('orders') }} as orders
    cross join {{ ref('as_of') }} as as_of

),

measured as (

    select
        count(*) as num_customers,
        sum(total_amount) as amount
    from {{ ref('customer_metrics') }}

),

segmented as (

    select
        count(*) as num_customers,
        count(segment) as num_named,
        sum(total_amount) as amount
    from {{ ref('customer_segments') }}

),

profiled as (

    select
        sum(num_customers) as num_customers,
        sum(revenue) as amount
    from {{ ref('segment_profiles') }}

),

targeted as (

    select
        count(*) as num_customers,
        count(action) as num_with_action,
        sum(total_amount) as amount
    from {{ ref('marketing_targets') }}

),

compared as (

    select unnest([
        {
            'total': 'rows: raw and ledger',
            'expected': cast(raw_rows.num_rows as decimal(38, 4)),
            'found': cast(ledger.num_rows as decimal(38, 4))
        },
        {'total': 'rows: accepted and in orders', 'expected': ledger.num_accepted_rows, 'found': ordered.num_lines},
        {'total': 'money: accepted and in orders', 'expected': ledger.accepted_amount, 'found': ordered.amount},
        {'total': 'money: orders and metrics', 'expected': coalesce(ordered.amount_in_window, 0), 'found': measured.amount},
        {'total': 'money: metrics and segments', 'expected': measured.amount, 'found': segmented.amount},
        {'total': 'money: metrics and profiles', 'expected': measured.amount, 'found': profiled.amount},
        {'total': 'money: metrics and targets', 'expected': measured.amount, 'found': targeted.amount},
        {'total': 'customers: metrics and segments', 'expected': measured.num_customers, 'found': segmented.num_customers},
        {'total': 'customers: with a segment', 'expected': measured.num_customers, 'found': segmented.num_named},
        {'total': 'customers: metrics and profiles', 'expected': measured.num_customers, 'found': profiled.num_customers},
        {'total': 'customers: metrics and targets', 'expected': measured.num_customers, 'found': targeted.num_customers},
        {'total': 'customers: with an action', 'expected': measured.num_customers, 'found': targeted.num_with_action}
    ], recursive := true)
    from raw_rows
    cross join ledger
    cross join ordered
    cross join measured
    cross join segmented
    cross join profiled
    cross join targeted

)

select * from compared
where expected is distinct from found
