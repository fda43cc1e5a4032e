"""Measure whole builds against a bare aggregation of the same orders, and against a notebook.

    make benchmark                                    0, 100,000 and 1,000,000 customers
    make benchmark CUSTOMERS="1000000 10000000"       about 17 and 169 million orders
    python benchmarks/benchmark.py --rows-are order_lines --months 0 12

Each way runs as a process of its own over the same files. Peak memory is that of the largest
process, as the operating system accounts it; it starts at what the process had that started it,
which is this one and holds no data. Builds of 0 customers, which are a dozen with 133 orders,
show dbt's own share.
It prints times and ratios, not verdicts: machines differ, ratios within one run less so.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PROJECT = Path(__file__).parents[1]
PROGRAM = Path(sys.executable).with_name("customer-segmentation")
BENCHMARKS = PROJECT / "benchmarks"

FEWEST = 12
"""Customers of the shop of which dbt's own share is measured."""

ORDERS_OF_A_PIECE = 20_000_000
"""Larger shops are made, and read, in pieces."""

MOST_OF_A_NOTEBOOK = 1_000_000
"""More customers than this are none of a notebook's."""


class Run(NamedTuple):
    """What one process took."""

    seconds: float
    peak: float
    """MiB of the largest process."""


class Row(NamedTuple):
    """What one way took."""

    customers: int
    way: str
    run: Run
    """The median of several."""


def measured(command: list[str], **environment: str) -> Run:
    """Run a command to its end."""
    started = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=PROJECT, env=os.environ | environment, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    if status:
        sys.exit(f"{' '.join(command[:3])} ended with status {os.waitstatus_to_exitcode(status)}")
    return Run(seconds, usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10))


class Shop:
    """Orders of so many customers, and a database for what is built of them."""

    def __init__(self, folder: Path, customers: int, rows_are: str) -> None:
        """Make the orders, in another process."""
        self.customers, self.rows_are, self.folder = customers, rows_are, folder
        folder.mkdir()
        pieces = 17 * customers // ORDERS_OF_A_PIECE
        self.orders = folder / ("orders" if pieces else "orders.parquet")
        command = [sys.executable, str(BENCHMARKS / "orders.py"), str(self.orders)]
        command += ["--customers", str(customers or FEWEST), "--pieces", str(pieces)]
        subprocess.run([*command, *(["--lines"] if rows_are == "order_lines" else [])], check=True)
        self.location = f"{self.orders}/*.parquet" if pieces else str(self.orders)

    def baseline(self, name: str) -> Run:
        """Run one of ``baselines.py``."""
        return measured([sys.executable, str(BENCHMARKS / "baselines.py"), name, self.location])

    def build(self, months: int, *arguments: str, is_new: bool = False, **environment: str) -> Run:
        """Build the shop, upon what is there or anew."""
        if is_new:
            for file in self.folder.glob("shop.duckdb*"):
                subprocess.run(["rm", "-rf", str(file)], check=True)
        columns = ["customer_id", "order_id", "ordered_at", "amount"]
        columns += ["line_id"] if self.rows_are == "order_lines" else []
        variables = {
            "dataset": "benchmark", "rows_are": self.rows_are, "orders_location": self.location,
            "order_columns": {column: column for column in columns}, "check_order_ids": False,
            "history_months": months,
        } | ({} if self.customers else {"min_customers": 0})  # fmt: skip
        return measured(
            [str(PROGRAM), "build", "--vars", json.dumps(variables), *arguments],
            DUCKDB_PATH=str(self.folder / "shop.duckdb"), DUCKDB_MEMORY_LIMIT="4GB",
            DBT_TARGET_PATH=str(self.folder / "target"), DBT_LOG_PATH=str(self.folder / "logs"),
            **environment,
        )  # fmt: skip

    def report(self) -> Run:
        """Write the report of what was built."""
        return measured(
            [str(PROGRAM), "report", "--site", str(self.folder / "site")],
            DUCKDB_PATH=str(self.folder / "shop.duckdb"),
        )

    def seconds_by_model(self) -> Counter[str]:
        """Seconds of the last build by layer and model; tests and hooks have names of their own."""
        results = json.loads((self.folder / "target" / "run_results.json").read_text())["results"]
        nodes = json.loads((self.folder / "target" / "manifest.json").read_text())["nodes"]
        seconds: Counter[str] = Counter()
        for result in results:
            node = nodes.get(result["unique_id"])
            kind = result["unique_id"].split(".")[0]
            if node is None or kind == "test":
                seconds["tests"] += result["execution_time"]
            elif kind == "model":
                layer = node["original_file_path"].split("/")[1]
                seconds[f"{layer}.{node['name']}"] += result["execution_time"]
        return seconds


def ways(shop: Shop, months: list[int], runs: int, without_notebook: bool) -> Iterator[Row]:
    """Run every way of a shop; yields what it took."""

    def row(way: str, figures: list[Run]) -> Row:
        median = sorted(figures)[len(figures) // 2]
        print(f"  {way}: {median.seconds:.1f} s", file=sys.stderr, flush=True)
        return Row(shop.customers, way, Run(median.seconds, max(run.peak for run in figures)))

    for name in ("bare", "polars"):
        yield row(name, [shop.baseline(name) for _ in range(runs)])
    if 0 < shop.customers <= MOST_OF_A_NOTEBOOK and not without_notebook:
        for name in ("notebook", "notebook10"):
            yield row(name, [shop.baseline(name)])
    for number in months:
        scope = f"history_months {number}"
        yield row(f"first build, {scope}", [shop.build(number, is_new=True)])
        yield row(f"later build, {scope}", [shop.build(number) for _ in range(runs)])
        seconds = shop.seconds_by_model()
        layers: Counter[str] = Counter()
        for name, each in seconds.items():
            layers[name.split(".")[0]] += each
        longest = [each for each in seconds.most_common() if "." in each[0]][:15]
        told = [*layers.most_common(), *longest]
        print("    " + ", ".join(f"{name} {each:.1f}" for name, each in told), file=sys.stderr)
        without = [shop.build(number, "--exclude-resource-type", "test")]
        yield row(f"later build, {scope}, without tests", without)
    yield row("the report of it", [shop.report() for _ in range(runs)])


def table(rows: list[Row]) -> Iterator[str]:
    """Write the rows in Markdown, each against the bare aggregation of its own shop."""
    found = {(row.customers, row.way): row.run.seconds for row in rows}
    sizes = sorted({row.customers for row in rows})
    yield (
        "| customers | way | seconds | peak MiB | times bare | net of dbt's own, times bare"
        " | times the size before |"
    )
    yield "|--:|---|--:|--:|--:|--:|--:|"
    for customers, way, run in rows:
        bare, own = found[customers, "bare"], found.get((0, way)) if "build" in way else None
        net = "" if own is None or not customers else f"{(run.seconds - own) / bare:.1f}"
        before = sizes[max(sizes.index(customers) - 1, 0)]
        grown = found.get((before, way)) if 0 < before < customers else None
        yield (
            f"| {customers:,} | {way} | {run.seconds:.1f} | {run.peak:,.0f}"
            f" | {run.seconds / bare:.1f} | {net}"
            f" | {'' if grown is None else f'{run.seconds / grown:.1f}'} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--customers", type=int, nargs="+", default=[0, 100_000, 1_000_000])
    parser.add_argument("--rows-are", choices=["orders", "order_lines"], default="orders")
    parser.add_argument(
        "--months", type=int, nargs="+", default=[0, 12], help="history_months: 0 and 12"
    )
    parser.add_argument("--runs", type=int, default=3, help="of the fast ways, and later builds")
    parser.add_argument("--without-notebook", action="store_true")
    options = parser.parse_args()
    rows: list[Row] = []
    for customers in options.customers:
        with tempfile.TemporaryDirectory() as scratch:
            print(f"{customers:,} customers, {options.rows_are}", file=sys.stderr, flush=True)
            shop = Shop(Path(scratch) / "shop", customers, options.rows_are)
            rows += ways(shop, options.months, options.runs, options.without_notebook)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    print(f"\n{cores} cores; medians of {options.runs} runs; DuckDB held to 4 GB\n")
    print("\n".join(table(rows)))


if __name__ == "__main__":
    main()
