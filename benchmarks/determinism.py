"""Build a large shop in several ways and compare every table: the same orders, the same result.

    python benchmarks/determinism.py --customers 1000000 --months 12

The orders as they come with two threads of DuckDB and one of dbt; shuffled and split over seven
files with one thread and no other processes; with four threads of each. Tables are compared by the
number of their rows and the sum of their hashes, but for columns and tables that say where rows
came from or how long a fit took.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import duckdb
import yaml

from benchmark import PROJECT, Shop
from customer_segmentation.processes import PROCESSES

NOT_COMPARED = {"seconds", "file", "row_hash"}
OF_FILES = {"source_files", "order_days"}
"""Tables of a row a file."""
NUM_FILES = 7


class Way(NamedTuple):
    """How a shop is built."""

    name: str
    dbt_threads: int
    duckdb_threads: int
    processes: int
    is_split: bool = False


WAYS = (
    Way("as it comes, 2 threads", 1, 2, 2),
    Way("shuffled and split, 1 thread, 1 process", 1, 1, 1, is_split=True),
    Way("4 threads of DuckDB and of dbt", 4, 4, 2),
)


def shuffled(shop: Shop) -> str:
    """Write the orders in another order over several files; returns where they are."""
    folder = shop.folder / "shuffled"
    folder.mkdir()
    with duckdb.connect(config={"memory_limit": "8GB"}) as connection:
        for part in range(NUM_FILES):
            connection.sql(
                f"""
                copy (
                    from '{shop.location}' where hash(order_id, 'file') % {NUM_FILES} = {part}
                    order by hash(order_id, 'row')
                ) to '{folder}/part_{part}.parquet'
                """
            )
    return f"{folder}/*.parquet"


def profiles(folder: Path, way: Way) -> str:
    """Write a profile with this way's threads of DuckDB; returns its folder."""
    profile = yaml.safe_load((PROJECT / "profiles.yml").read_text())
    profile["customer_segmentation"]["outputs"]["dev"]["settings"]["threads"] = way.duckdb_threads
    folder.mkdir(exist_ok=True)
    (folder / "profiles.yml").write_text(yaml.safe_dump(profile))
    return str(folder)


def hashes(database: Path) -> dict[str, tuple[int, str]]:
    """Every table as the number of its rows and the sum of their hashes."""
    with duckdb.connect(str(database), read_only=True) as connection:
        columns = connection.sql(
            """
            select table_schema || '.' || table_name, table_name, list(column_name)
            from information_schema.columns natural join information_schema.tables
            where table_schema in ('staging', 'metrics', 'clustering', 'segments', 'marketing')
                and table_type = 'BASE TABLE'
            group by all order by all
            """
        ).fetchall()
        found = {}
        for table, name, names in columns:
            if name in OF_FILES:
                continue
            left_out = NOT_COMPARED.intersection(names)
            compared = f"* exclude ({', '.join(left_out)})" if left_out else "*"
            found[table] = connection.sql(
                f"""
                select count(*), cast(coalesce(sum(cast(hash(t) as hugeint)), 0) as varchar)
                from (select {compared} from {table}) as t
                """
            ).fetchall()[0]
        return found


def differing(one: dict[str, tuple[int, str]], other: dict[str, tuple[int, str]]) -> Iterator[str]:
    """Name the tables that differ."""
    for table in sorted(one.keys() | other.keys()):
        if one.get(table) != other.get(table):
            yield f"{table}: {one.get(table)} and {other.get(table)}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--rows-are", choices=["orders", "order_lines"], default="orders")
    parser.add_argument("--months", type=int, default=12, help="history_months")
    options = parser.parse_args()
    found: list[str] = []
    with tempfile.TemporaryDirectory() as scratch:
        shop = Shop(Path(scratch) / "shop", options.customers, options.rows_are)
        locations = {False: shop.location, True: shuffled(shop)}
        expected: dict[str, tuple[int, str]] = {}
        for way in WAYS:
            shop.location = locations[way.is_split]
            arguments = ["--threads", str(way.dbt_threads)]
            arguments += ["--profiles-dir", profiles(shop.folder / "profiles", way)]
            run = shop.build(
                options.months, *arguments, is_new=True, **{PROCESSES: str(way.processes)}
            )
            tables = hashes(shop.folder / "shop.duckdb")
            expected = expected or tables
            names = list(differing(expected, tables))
            num_rows = sum(rows for rows, _ in tables.values())
            print(
                f"{way.name}: {run.seconds:.0f} s, {len(tables)} tables, {num_rows:,} rows,"
                f" {len(names)} differ",
                *names,
                sep="\n  ",
                flush=True,
            )
            found += names
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
