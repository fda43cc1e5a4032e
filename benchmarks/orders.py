"""Orders of a large, steady shop as one Parquet file, for benchmarks.

Customers differ in how often they order and how much they spend (log-normal), start on any day and
may stop; rows come in the order of time, as exports do. Made by DuckDB, from hashes: the same file
for the same number of customers. With ``--largest 1000000`` one customer has a million orders, as
a marketplace's own account or a till has.
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
        from range({customers}) as t (i)
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
            (hash(customer, n, 'basket') % 1000003) / 1000003.0 as deviation
        from customers, range(num_orders) as r (n)
    )
    select
        'C' || lpad(customer::varchar, 8, '0') as customer_id,
        'O' || lpad(order_number::varchar, 10, '0') as order_id,
        timestamp '2024-01-01'
            + to_seconds((86400 * (first_day + position * (last_day - first_day)))::bigint)
            as ordered_at,
        round(basket * (0.5 + deviation), 2) as amount
    from orders
    order by ordered_at, order_id
"""


def write_orders(path: Path, customers: int, largest: int = 0) -> int:
    """Write the file and return its number of rows."""
    connection = duckdb.connect(config={"memory_limit": "4GB"})
    orders = ORDERS.format(customers=customers, largest=largest)
    connection.sql(f"copy ({orders}) to '{path}' (format parquet)")
    return connection.sql(f"select count(*) from '{path}'").fetchall()[0][0]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--largest", type=int, default=0, help="orders of the largest customer")
    options = parser.parse_args()
    print(f"{write_orders(options.path, options.customers, options.largest):,} rows")
