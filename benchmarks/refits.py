"""How many customers keep their segment, id and name, when a shop's segments are fitted anew.

    python benchmarks/refits.py my_shop.yml 2011-09-07 --days 30 90 --seeds 10

Builds the shop of a file of vars as of a day, in a folder that is thrown away; then as of so many
days later, scored with that fit and with a refit; and on the day itself with other seeds.
"""

import argparse
import os
import shutil
import subprocess
import tempfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import yaml

PROJECT = Path(__file__).resolve().parents[1]
SEGMENTS = """
    select customer_id, segment_id, segment from segments.customer_segments where is_clusterable
"""


def build(database: Path, shop: dict[str, Any]) -> tuple[pd.DataFrame, str]:
    """Build up to the segments; returns them by customer, and how they were shared out."""
    command = ["dbt", "--quiet", "build", "--exclude-resource-type", "test", "unit_test"]
    command += ["--select", "+customer_segments", "--vars", yaml.safe_dump(shop)]
    folders = {
        "DBT_TARGET_PATH": str(database.parent / "target"),
        "DBT_LOG_PATH": str(database.parent / "logs"),
    }
    environment = os.environ | folders | {"DUCKDB_PATH": str(database)}
    subprocess.run(command, cwd=PROJECT, env=environment, check=True)
    with duckdb.connect(str(database), read_only=True) as connection:
        segments = connection.sql(SEGMENTS).df().set_index("customer_id")
        chosen = connection.sql(
            """
            select max_by(coalesce(allocation, k::varchar), model_version)
            from clustering.clustering_candidates
            where is_selected
            """
        ).fetchall()[0][0]
    return segments, str(chosen)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("vars_file", type=Path)
    parser.add_argument("day", type=date.fromisoformat, help="as-of date of the first fit")
    parser.add_argument("--days", type=int, nargs="*", default=[30, 90])
    parser.add_argument("--seeds", type=int, default=0)
    options = parser.parse_args()
    shop = {**yaml.safe_load(options.vars_file.read_text()), "history_months": 0}
    refits: list[tuple[str, dict[str, Any]]] = [
        (f"{days} days later", {"as_of_date": str(options.day + timedelta(days))})
        for days in options.days
    ] + [
        (f"with seed {seed}", {"as_of_date": str(options.day), "random_seed": seed})
        for seed in range(1, options.seeds + 1)
    ]
    with tempfile.TemporaryDirectory() as folder:
        first = Path(folder, "first", "shop.duckdb")
        first.parent.mkdir()
        _, chosen = build(first, {**shop, "as_of_date": str(options.day)})
        print(f"Fitted as of {options.day}: {chosen}\n")
        print("| refit | customers | keep their id | and its name | clusters |")
        print("|---|--:|--:|--:|---|")
        for what, changes in refits:
            database = Path(folder, "again", "shop.duckdb")
            database.parent.mkdir(exist_ok=True)
            shutil.copy(first, database)
            before, _ = build(database, {**shop, **changes, "refit_on_change": False})
            after, chosen = build(database, {**shop, **changes, "refit": True})
            kept = before == after.reindex(before.index)
            print(
                f"| {what} | {len(kept):,} | {kept['segment_id'].mean():.1%} |"
                f" {kept.all(axis=1).mean():.1%} | {chosen} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
