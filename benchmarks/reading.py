"""Looking at a database that others build: which edition it is, all that is in it, and readers.

The readers are processes of their own that look all the time and keep what they saw, until they are
told to stop or have lost their parent.
"""

import os
import re
import time
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

SCHEMAS = ("staging", "metrics", "clustering", "segments", "marketing")

LAYERS = """
    select 'as_of', dataset, as_of_date, as_of_date, null, null, null from staging.as_of
    union all
    select 'orders', null, null, null, null, null, count(distinct customer_id) from staging.orders
    union all
    select 'metrics', null, min(as_of_date), max(as_of_date), null, null, count(*)
    from metrics.customer_metrics
    union all
    select 'clusters', null, null, null, min(model_version), max(model_version), count(*)
    from clustering.customer_clusters
    union all
    select
        'segments', null, min(as_of_date), max(as_of_date), min(model_version), max(model_version),
        count(*)
    from segments.customer_segments
    union all
    select 'targets', null, min(as_of_date), max(as_of_date), null, null, count(*)
    from marketing.marketing_targets
    union all
    select 'win_back', null, min(as_of_date), max(as_of_date), null, null, count(*)
    from marketing.targets_win_back
    order by all
"""
"""Data set, days, versions and customers by layer; of the orders and of an action it asks views."""

SHELLS = """
    select count(*) from clustering.model_versions
    anti join clustering.cluster_centroids using (model_version)
"""


class Read(NamedTuple):
    """One look of a reader: when, how long, what it saw, or why not."""

    started: float
    seconds: float
    edition: str
    problem: str


def edition_of(connection: duckdb.DuckDBPyConnection) -> str:
    """Say which edition each layer is of, as one text."""
    rows = connection.execute(LAYERS).fetchall()
    return "; ".join(" ".join(str(value) for value in row if value is not None) for row in rows)


def relations_of(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    """List the tables and views of the five layers."""
    named = "select table_schema, table_name from information_schema.tables order by all"
    return [(schema, name) for schema, name in connection.execute(named).fetchall()
            if schema in SCHEMAS]  # fmt: skip


def tables_of(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Give each table's and view's columns, and a sum over its rows that knows no order."""
    found = {}
    for schema, name in relations_of(connection):
        described = connection.execute(f'describe "{schema}"."{name}"').fetchall()
        # What a row of the evidence took differs from run to run.
        columns = [(column, type_) for column, type_, *_ in described if column != "seconds"]
        listed = ", ".join(f'"{column}"' for column, _ in columns)
        rows = connection.execute(
            f'select count(*), sum(hash({listed})::hugeint) from "{schema}"."{name}"'
        ).fetchall()
        found[f"{schema}.{name}"] = str((rows, columns))
    return found


def things_of(database: Path) -> set[str]:
    """Name the files beside the database, and what is in it outside the layers, without numbers."""
    own = {"building", "failed", "lock"}
    found = set()
    for path in database.parent.rglob("*"):
        parts = path.relative_to(database.parent).parts
        # The folder of an edition has its id for a name.
        found.add("/".join(
            part if depth != 1 or part in own else "#" for depth, part in enumerate(parts)
        ))  # fmt: skip
    with duckdb.connect(str(database), read_only=True) as connection:
        named = "select table_schema || '.' || table_name from information_schema.tables"
        names = [name for (name,) in connection.execute(named).fetchall()]
    others = (name for name in names if name.split(".")[0] not in SCHEMAS)
    return found | {re.sub(r"\d+", "#", name) for name in others}


def one_look(look: Callable[[], str]) -> Read:
    """Time one look; what DuckDB says against it is kept."""
    started = time.perf_counter()
    edition = problem = ""
    try:
        edition = look()
    except duckdb.Error as error:
        problem = str(error)
    return Read(started, time.perf_counter() - started, edition, problem)


def reopening(
    database: str, is_first: bool, pause: float, turn: Any, stop: Any, sender: Connection
) -> None:
    """Open, read and close the file again and again; before a first edition there may be none."""

    def look() -> str:
        with duckdb.connect(database, read_only=True, config={"threads": 1}) as connection:
            return edition_of(connection)

    reads: list[Read] = []
    parent = os.getppid()
    while not stop.wait(pause) and os.getppid() == parent:
        with turn:
            if not is_first or os.path.exists(database):
                reads.append(one_look(look))
    sender.send(reads)


def keeping(
    database: str, is_first: bool, pause: float, turn: Any, stop: Any, sender: Connection
) -> None:
    """Open the file once and read all the time."""
    reads: list[Read] = []
    parent = os.getppid()
    while is_first and not os.path.exists(database) and not stop.wait(0.01):
        if os.getppid() != parent:
            return
    if not stop.is_set():
        try:
            connection = duckdb.connect(database, read_only=True, config={"threads": 1})
        except duckdb.Error as error:
            reads.append(Read(time.perf_counter(), 0.0, "", str(error)))
        else:
            while not stop.wait(3 * pause) and os.getppid() == parent:
                reads.append(one_look(lambda: edition_of(connection)))
    sender.send(reads)


class Readers:
    """The two readers of a file; holding ``turn`` holds the one up that opens it."""

    def __init__(self, database: Path, is_first: bool, in_place: bool, pause: float = 0.03) -> None:
        context = get_context("spawn")
        self.turn, self.stop = context.Lock(), context.Event()
        self.processes = []
        if in_place:
            self.turn.acquire()
        for reader in [reopening] if in_place else [reopening, keeping]:
            receiver, sender = context.Pipe(duplex=False)
            arguments = (str(database), is_first, pause, self.turn, self.stop, sender)
            process = context.Process(target=reader, args=arguments, daemon=True)
            process.start()
            self.processes.append((process, receiver))

    def end(self) -> list[list[Read]]:
        """Stop them and give what each has read."""
        self.stop.set()
        reads = []
        for process, receiver in self.processes:
            if not receiver.poll(60):
                raise TimeoutError("A reader does not answer.")
            reads.append(receiver.recv())
            process.join(5)
            process.kill()
        return reads
