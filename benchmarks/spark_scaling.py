"""Measure how a shop on Spark grows with its orders, on a master and two workers of this machine.

    python benchmarks/spark_scaling.py small.parquet large.parquet ... [--workers 2]
    python benchmarks/orders.py small.parquet --customers 60000      makes such a file

Each file is a table of a warehouse that is thrown away, and the whole project is built on it once,
without tests. It prints seconds by layer, of Python models and of the longest models, the peak
memory of each kind of process, and the growth from one file to the next:
seconds = fixed + share * orders.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb
import psutil
import yaml

PROJECT = Path(__file__).parents[1]
sys.path.insert(0, str(PROJECT / "tools"))

NUM_LONGEST = 12


@contextmanager
def peaks() -> Iterator[Counter[str]]:
    """Watch what this process starts: the largest GB of memory that each kind of process held."""
    largest: Counter[str] = Counter()
    has_ended = threading.Event()

    def kind(process: psutil.Process) -> str:
        words = " ".join(process.cmdline())
        kinds = {
            "deploy.master": "master", "deploy.worker": "worker", "ExecutorBackend": "executor",
            "java": "driver, Java", "customer-segmentation": "driver, Python",
        }  # fmt: skip
        return next((name for word, name in kinds.items() if word in words), "other")

    def watch() -> None:
        while not has_ended.wait(0.5):
            for process in psutil.Process().children(recursive=True):
                with suppress(psutil.Error):
                    held = process.memory_info().rss / 1e9
                    largest[kind(process)] = max(largest[kind(process)], held)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield largest
    finally:
        has_ended.set()
        watcher.join()


def variables(options: argparse.Namespace) -> dict[str, object]:
    """Give the vars of a shop of benchmarks/orders.py."""
    columns = ("customer_id", "order_id", "ordered_at", "amount")
    return {
        "dataset": "benchmark", "rows_are": "orders", "orders_location": "shop.orders",
        "order_columns": {column: column for column in columns}, "check_order_ids": False,
        "history_months": options.months,
    }  # fmt: skip


def built(orders: Path, master: str, options: argparse.Namespace) -> Counter[str]:
    """Build a shop: seconds of each model, and of everything under ``whole``."""
    with tempfile.TemporaryDirectory() as folder:
        warehouse = options.keep / orders.stem if options.keep else Path(folder) / "warehouse"
        warehouse.mkdir(parents=True)
        make = (
            "from compare_engines import spark_session; session = spark_session({!r});"
            " session.sql('create schema shop');"
            " session.sql(\"create table shop.orders using parquet location '{}'\")"
        )
        environment = os.environ | {
            "SPARK_MASTER": master, "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_WAREHOUSE": str(warehouse),
            "DBT_TARGET_PATH": f"{folder}/target", "DBT_LOG_PATH": f"{folder}/logs",
            "PYTHONPATH": os.pathsep.join(sys.path), "SPARK_DRIVER_MEMORY": options.driver_memory,
        }  # fmt: skip
        call = [sys.executable, "-c", make.format(str(warehouse), orders.absolute())]
        subprocess.run(call, env=environment, check=True, cwd=folder)
        started = time.perf_counter()
        command = ["customer-segmentation", "build", "--target", "spark", "--vars"]
        command += [yaml.safe_dump(variables(options)), "--exclude-resource-type", "test"]
        subprocess.run(command, cwd=PROJECT, env=environment, check=True, stdout=sys.stderr)
        seconds = Counter({"whole": time.perf_counter() - started})
        results = json.loads(Path(folder, "target", "run_results.json").read_text())["results"]
        manifest = json.loads(Path(folder, "target", "manifest.json").read_text())["nodes"]
        for result in results:
            kind, _, name = result["unique_id"].split(".")[:3]
            if kind == "model":
                layer = manifest[result["unique_id"]]["original_file_path"].split("/")[1]
                seconds[f"{layer}.{name}"] = result["execution_time"]
                if manifest[result["unique_id"]]["language"] == "python":
                    seconds["of which Python models"] += result["execution_time"]
        return seconds


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("orders", nargs="+", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--memory", default="3g", help="of each worker")
    parser.add_argument("--driver-memory", default="4g")
    parser.add_argument("--months", type=int, default=12, help="history_months")
    parser.add_argument("--keep", type=Path, help="folder that keeps the warehouses")
    options = parser.parse_args()
    from spark_cluster import cluster

    sizes, times = [], []
    for orders in options.orders:
        sizes.append(duckdb.sql(f"select count(*) from '{orders}'").fetchall()[0][0])
        with peaks() as held, cluster(options.workers, memory=options.memory) as master:
            times.append(built(orders, master, options))
        layers: Counter[str] = Counter()
        python = times[-1].pop("of which Python models")
        for name, seconds in times[-1].items():
            layers[name.split(".")[0]] += seconds
        layers["of which Python models"] = python
        print(f"{sizes[-1]:,} orders: " + ", ".join(f"{k} {v:.0f} s" for k, v in layers.items()))
        longest = [each for each in times[-1].most_common() if "." in each[0]][:NUM_LONGEST]
        print("  " + ", ".join(f"{name} {seconds:.0f}" for name, seconds in longest))
        print("  " + ", ".join(f"{name} {gb:.1f} GB" for name, gb in held.items()), flush=True)
    for position in range(1, len(sizes)):
        more = (sizes[position] - sizes[position - 1]) / 1e6
        each = (times[position]["whole"] - times[position - 1]["whole"]) / more
        fixed = times[position]["whole"] - sizes[position] / 1e6 * each
        print(
            f"{sizes[position - 1]:,} to {sizes[position]:,} orders: {each:.2f} s for each million,"
            f" {fixed:.0f} s fixed"
        )


if __name__ == "__main__":
    main()
