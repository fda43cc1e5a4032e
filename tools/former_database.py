"""A database that an earlier commit of this project built, for the tests of upgrades.

    git worktree add ../former 9c12c18
    python tools/former_database.py ../former

It has all that a shop has that was built twice: two versions, the fits of the past that chose their
number of segments and graded them, names, outcomes, and the views and left-over tables of then.
"""

from __future__ import annotations

import lzma
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import duckdb
import yaml

PROJECT = Path(__file__).parents[1]

FORMER = PROJECT / "tests" / "data" / "database_of_9c12c18.duckdb.xz"

SHOP: dict[str, Any] = {
    "dataset": "former_shop",
    "orders_location": "orders.csv",
    "rows_are": "orders",
    "order_columns": {
        "customer_id": "customer_id",
        "order_id": "order_id",
        "ordered_at": "try(cast(ordered_at as timestamp))",
        "amount": "try(cast(amount as double))",
    },
    "as_of_date": "2025-11-01",
    "history_months": 0,
    "evidence_sample_size": 400,
    "num_bootstraps": 5,
    "num_resamples": 0,
}
"""Its vars when it was built last, in the words of then."""

BUILDS: tuple[dict[str, Any], ...] = ({"as_of_date": "2025-10-01"}, {"refit": True})
"""What was different in the builds that made it."""


def write_orders(folder: Path) -> None:
    """Write its orders, those of every other customer of the continuous shop, to ``folder``."""
    header, *orders = (PROJECT / "examples" / "continuous_shop.csv").read_text().splitlines(True)
    chosen = [order for order in orders if int(order.split(",")[1][1:]) % 2 == 0]
    (folder / "orders.csv").write_text("".join([header, *chosen]))


def unpack(folder: Path) -> Path:
    """Write the database to ``folder``, under the name that its views call it by."""
    database = folder / "shop.duckdb"
    database.write_bytes(lzma.decompress(FORMER.read_bytes()))
    return database


def build(project: Path, folder: Path) -> Path:
    """Build the database in ``folder`` with the project of another checkout."""
    write_orders(folder)
    database = folder / "shop.duckdb"
    environment = os.environ | {"PYTHONPATH": str(project / "src"), "DUCKDB_PATH": str(database)}
    environment |= {"DBT_TARGET_PATH": str(folder), "DBT_LOG_PATH": str(folder)}
    command = [str(Path(sys.executable).with_name("dbt")), "build", "--project-dir", str(project)]
    command += ["--profiles-dir", str(project), "--exclude-resource-type", "unit_test"]
    for changes in BUILDS:
        # In the folder of the orders, whose location is kept: it names nothing of this machine.
        options = ["--vars", yaml.safe_dump(SHOP | changes)]
        subprocess.run([*command, *options], cwd=folder, env=environment, check=True)
    return database


def pack(database: Path) -> None:
    """Write the database as it is committed: all of it, in small blocks, for its small tables."""
    copy = database.with_name("packed.duckdb")
    with duckdb.connect(str(database)) as connection:
        connection.execute(f"attach '{copy}' as packed (block_size 16384)")
        connection.execute(f"copy from database {database.stem} to packed")
    FORMER.write_bytes(lzma.compress(copy.read_bytes(), preset=9 | lzma.PRESET_EXTREME))


def main() -> None:
    """Build and pack it."""
    with tempfile.TemporaryDirectory() as folder:
        pack(build(Path(sys.argv[1]).absolute(), Path(folder)))
    print(f"{FORMER}: {FORMER.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
