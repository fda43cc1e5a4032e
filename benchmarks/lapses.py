"""Does every customer change segment and lapse on the day that the countdown names, not before.

    python benchmarks/lapses.py --customers 10000
    python benchmarks/lapses.py --shop my_shop.yml --days 1 30 31 90

Builds a shop, generated or of a file of vars; then again, scored with the same fit, as of later
days, as if no order came. On each the segment and stage of every customer have to be those that
the first build foresaw. ``--days`` are looked at with the day before each; without it they are
those on which most customers change, and some far ahead.
"""

import argparse
import os
import subprocess
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import yaml

from orders import write_orders

PROJECT = Path(__file__).resolve().parents[1]


def build(database: Path, variables: dict[str, Any]) -> None:
    """Build without tests."""
    environment = os.environ | {
        "DUCKDB_PATH": str(database),
        "DBT_TARGET_PATH": str(database.parent / "target"),
        "DBT_LOG_PATH": str(database.parent),
    }
    command = ["dbt", "--quiet", "build", "--exclude-resource-type", "test", "unit_test"]
    subprocess.run(
        [*command, "--vars", yaml.safe_dump(variables)], cwd=PROJECT, env=environment, check=True
    )


def query(database: Path, text: str) -> pd.DataFrame:
    """Return a query's rows."""
    with duckdb.connect(str(database), read_only=True) as connection:
        return connection.sql(text).df()


def generated_shop(folder: Path, customers: int) -> dict[str, Any]:
    """Write the orders of a steady shop; returns its vars."""
    orders = folder / "orders.parquet"
    write_orders(orders, customers)
    columns = ("customer_id", "order_id", "ordered_at", "amount")
    return {
        "orders_location": str(orders), "dataset": "generated", "rows_are": "orders",
        "order_columns": {name: name for name in columns}, "history_months": 1,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--customers", type=int, default=10_000)
    parser.add_argument("--shop", type=Path)
    parser.add_argument("--vars", type=yaml.safe_load, default={})
    parser.add_argument("--days", type=int, nargs="*")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        database = folder / "shop.duckdb"
        if options.shop:
            shop = yaml.safe_load(options.shop.read_text())
        else:
            shop = generated_shop(folder, options.customers)
        shop |= options.vars
        build(database, shop)
        today = query(database, "select as_of_date from staging.as_of")["as_of_date"].iloc[0]
        said = query(
            database,
            """
            select customer_id, changes_on, next_segment_id, lapses_on
            from segments.segment_countdown
            """,
        ).set_index("customer_id")
        ahead = query(
            database,
            f"""
            select customer_id, spell_from, served_until, segment_id, lifecycle_stage
            from clustering.cluster_spells
            where served_until >= date '{today:%Y-%m-%d}'
            """,
        )
        days = options.days
        if not days:
            ahead_by = (said[["changes_on", "lapses_on"]] - today).stack().dt.days
            days = sorted({*ahead_by.value_counts().index[:6], 90, 180, 365})
        print(
            "| days ahead | customers | change on it | lapse on it | wrong |\n|--:|--:|--:|--:|--:|"
        )
        total = wrong = 0
        first = None
        for offset in sorted({0} | {day - 1 for day in days} | set(days)):
            day = today + timedelta(days=offset)
            build(database, shop | {"as_of_date": str(day.date()), "refit": False})
            now = query(
                database,
                "select customer_id, segment_id, lifecycle_stage from segments.customer_segments",
            )
            now = now.set_index("customer_id").reindex(said.index)
            on_the_day = ahead[(ahead["spell_from"] <= day) & (ahead["served_until"] >= day)]
            foreseen = on_the_day.set_index("customer_id").reindex(now.index)
            first = now if first is None else first
            faults = (
                (foreseen[["segment_id", "lifecycle_stage"]] != now).any(axis=1)
                | ((said["changes_on"] == day) & (said["next_segment_id"] != now["segment_id"]))
                | ((said["lapses_on"] == day) & (now["lifecycle_stage"] != "lapsed"))
                # Not before.
                | (~(said["changes_on"] <= day) & (first["segment_id"] != now["segment_id"]))
                | (
                    ~(said["lapses_on"] <= day)
                    & (first["lifecycle_stage"] != "lapsed")
                    & (now["lifecycle_stage"] == "lapsed")
                )
            )
            changes = int((said["changes_on"] == day).sum())
            lapses = int((said["lapses_on"] == day).sum())
            print(
                f"| {offset} | {len(now):,} | {changes:,} | {lapses:,} | {faults.sum()} |",
                flush=True,
            )
            total, wrong = total + len(now), wrong + int(faults.sum())
        print(f"| all | {total:,} | | | {wrong} |")


if __name__ == "__main__":
    main()
