"""Orders of a large, steady shop as Parquet files, for benchmarks.

    python benchmarks/orders.py orders.parquet --customers 1000000
    python benchmarks/orders.py orders --customers 10000000 --pieces 10 --lines

Customers differ in how often they order and how much they spend (log-normal), start on any day and
may stop; rows come in the order of time, as exports do. Made by DuckDB, from hashes: the same rows
for the same number of customers. In pieces, each file has a part of the customers. With ``--lines``
orders have one to three lines, and of one in thirty a line comes back. With ``--largest 1000000``
one customer has a million orders, as a marketplace's own account or a till has.
"""

import argparse
from pathlib import Path

import duckdb

ORDERS = """
    with draws as (
        select
            i as customer,
            -- Uniform in (0, 1), five independent ones per customer.
            list_transform(range(5), lambda n: (hash(i, n) % 1000003 + 1) / 1000005.0) as u
        from range({first}, {last}) as t (i)
    ),
    customers as (
        select
            customer,
            -- Two independent standard normals (Box and Muller 1958).
            sqrt(-2 * ln(u[1])) * cos(2 * pi() * u[2]) as rate,
            sqrt(-2 * ln(u[1])) * sin(2 * pi() * u[2]) as size,
            case
                when customer = 0 and {largest} > 0 then {largest}
                else greatest(1, least(300, exp(2.28 + 1.05 * rate)))::int
            end as num_orders,
            exp(3.6 + 0.5 * size) as basket,
            400 * u[3] as first_day,
            case when u[4] < 0.3 then first_day + (730 - first_day) * u[5] else 730 end
                as last_day
        from draws
    ),
    orders as (
        select
            *,
            case when n < 300 then customer * 300 + n else 9000000000 + n end as order_number,
            (hash(customer, n, 'day') % 1000003) / 1000003.0 as position,
            (hash(customer, n, 'basket') % 1000003) / 1000003.0 as deviation,
            (1 + hash(customer, n, 'lines') % 3)::bigint as num_lines,
            (hash(customer, n, 'returned') % 600)::int as returned_after
        from customers, range(num_orders) as r (n)
    ),
    final as (
        select
            'C' || lpad(customer::varchar, 8, '0') as customer_id,
            'O' || lpad(order_number::varchar, 10, '0') as order_id,
            timestamp '2024-01-01'
                + to_seconds((86400 * (first_day + position * (last_day - first_day)))::bigint)
                as ordered_at,
            round(basket * (0.5 + deviation), 2) as amount,
            num_lines,
            returned_after
        from orders
    ){lines}
    select * exclude (num_lines, returned_after) from {rows} order by ordered_at, order_id
"""

LINES = """,
    lines as (
        select
            * replace (round(amount / num_lines, 2) as amount),
            order_id || '-' || line as line_id
        from final, range(num_lines) as l (line)
        union all by name
        select
            * replace (
                -round(amount / num_lines, 2) as amount,
                ordered_at + to_days(returned_after) as ordered_at
            ),
            0 as line,
            order_id || '-returned' as line_id
        from final
        where returned_after between 1 and 20
    ),
    numbered as (select * exclude (line) from lines)"""


def write_orders(
    path: Path, customers: int, *, largest: int = 0, pieces: int = 0, lines: bool = False
) -> int:
    """Write the file, or a folder of ``pieces``, and return the number of rows."""
    connection = duckdb.connect(config={"memory_limit": "4GB"})
    if pieces:
        path.mkdir(parents=True, exist_ok=True)
    for piece in range(max(pieces, 1)):
        bounds = [customers * number // max(pieces, 1) for number in (piece, piece + 1)]
        orders = ORDERS.format(
            first=bounds[0], last=bounds[1], largest=largest,
            lines=LINES if lines else "", rows="numbered" if lines else "final",
        )  # fmt: skip
        file = path / f"{piece:03}.parquet" if pieces else path
        connection.sql(f"copy ({orders}) to '{file}' (format parquet)")
    written = f"{path}/*.parquet" if pieces else path
    return int(connection.sql(f"select count(*) from '{written}'").fetchall()[0][0])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("path", type=Path)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--largest", type=int, default=0, help="orders of the largest customer")
    parser.add_argument("--pieces", type=int, default=0, help="files in a folder, not one file")
    parser.add_argument("--lines", action="store_true", help="rows are lines of orders")
    options = parser.parse_args()
    made = write_orders(
        options.path,
        options.customers,
        largest=options.largest,
        pieces=options.pieces,
        lines=options.lines,
    )
    print(f"{made:,} rows")
