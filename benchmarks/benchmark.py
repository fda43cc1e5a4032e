"""Measure how long the whole build takes, against a bare aggregation and against the notebook way.

    make benchmark                              1,000,000 customers, about 17,000,000 orders
    python benchmarks/benchmark.py --customers 100000

Each way runs as a process of its own over the same file, with the peak memory that the operating
system accounts to it. It prints times and ratios, not verdicts: machines differ, ratios less so.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from orders import write_orders

PROJECT = Path(__file__).parents[1]
DBT = Path(sys.executable).with_name("dbt")
VARS = """
dataset: benchmark
rows_are: orders
check_order_ids: {check}
orders_location: {orders}
order_columns:
  customer_id: customer_id
  order_id: order_id
  ordered_at: ordered_at
  amount: amount
"""


def measured(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Seconds and peak MiB of one process, measured by wait4."""
    started = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=PROJECT, env=os.environ | environment, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    if status:
        sys.exit(f"{' '.join(command[:3])} ended with status {os.waitstatus_to_exitcode(status)}")
    peak = usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    return seconds, peak


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--orders", type=Path, help="use this file, made by orders.py")
    parser.add_argument("--runs", type=int, default=3, help="runs of the fast ways (default: 3)")
    parser.add_argument("--without-notebook", action="store_true")
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as scratch:
        orders = options.orders
        if orders is None:
            orders = Path(scratch) / "orders.parquet"
            print("Making orders ...", flush=True)
            print(f"{write_orders(orders, options.customers):,} rows", flush=True)

        def build(check: bool, *more: str) -> list[str]:
            variables = VARS.format(check=str(check).lower(), orders=orders.resolve())
            folder = ["--target-path", f"{scratch}/target", "--log-path", f"{scratch}/logs"]
            return [str(DBT), "build", "--vars", variables, *folder, *more]

        def way(name: str) -> list[str]:
            return [sys.executable, str(PROJECT / "benchmarks" / "baselines.py"), name, str(orders)]

        report = [
            str(DBT.with_name("customer-segmentation")),
            "report",
            "--site",
            f"{scratch}/site",
        ]
        no_tests = ("--exclude-resource-type", "test", "unit_test")
        # Name, command, runs, whether the database is new for each run.
        ways = [
            ("bare DuckDB group by customer", way("bare"), options.runs, True),
            ("first dbt build: fits, with its evidence", build(False), 1, True),
            ("later dbt build: scores", build(False), options.runs, False),
            ("later dbt build without tests", build(False, *no_tests), options.runs, False),
            ("later dbt build with the check of order ids", build(True), 1, False),
            ("the report of it", report, options.runs, False),
        ]
        if not options.without_notebook:
            ways += [
                ("notebook, n_init default", way("notebook"), 1, True),
                ("notebook, n_init = 10", way("notebook10"), 1, True),
            ]
        results: list[tuple[str, float, float]] = []
        database = Path(scratch) / "benchmark.duckdb"
        settings = {"DUCKDB_PATH": str(database), "DUCKDB_MEMORY_LIMIT": "4GB"}
        for name, command, runs, fresh in ways:
            print(f"{name} ...", flush=True)
            figures = []
            for run in range(runs):
                if fresh:
                    database.unlink(missing_ok=True)
                figures.append(measured(command, settings))
                print(f"  run {run + 1}: {figures[-1][0]:.1f} s", flush=True)
            seconds = sorted(f[0] for f in figures)[len(figures) // 2]
            results.append((name, seconds, max(f[1] for f in figures)))

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    print(f"\n{cores} cores; median of the runs; DuckDB held to 4 GB\n")
    print("| way | seconds | peak MiB | times the bare aggregation | times the first build |")
    print("|---|--:|--:|--:|--:|")
    for name, seconds, peak in results:
        against = f"{seconds / results[0][1]:.1f} | {seconds / results[1][1]:.2f}"
        print(f"| {name} | {seconds:.1f} | {peak:,.0f} | {against} |")


if __name__ == "__main__":
    main()
