"""The engines on which test_engines.py runs: the environment variable ENGINE names one.

Postgres comes in a wheel and is tried by ``make test``; Spark needs Java and ``make spark``, and is
tried by ``make spark-test``.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from compare_engines import plain

Rows = list[tuple[Any, ...]]

LAYERS = ("staging", "metrics", "clustering", "segments", "marketing")


class Engine(ABC):
    """An engine that the tests start, with a database that goes with them."""

    name: str
    translator: ModuleType
    beside: str
    """At the end of the schemas of a build that is made beside those that are read."""
    nowhere: Mapping[str, str]
    """Variables of the environment with which it can't be reached."""
    not_reached: str
    """What is said then."""

    @abstractmethod
    def settings(self) -> dict[str, str]:
        """Give the variables of the environment that say where it is."""

    @abstractmethod
    def rows(self, sql: str) -> Rows:
        """Give the rows of a query that it understands; raises what it raises."""

    @abstractmethod
    def asked(self, *queries: str) -> list[Rows]:
        """Run queries on the tables of a shop, each after the other."""

    def environment(self, folder: Path) -> dict[str, str]:
        """Say where it is, and where dbt writes."""
        own = {"DBT_TARGET_PATH": str(folder / "target"), "DBT_LOG_PATH": str(folder / "logs")}
        return os.environ | self.settings() | own

    @abstractmethod
    def hashes(self) -> dict[str, int]:
        """Give a number for the rows of each table that is read."""

    @abstractmethod
    def schemas_left(self) -> set[str]:
        """Name the schemas of killed builds, or what they end in."""

    @abstractmethod
    def address(self) -> str:
        """Say where compare_engines.py finds it."""


class Postgres(Engine):
    """From a wheel, in a folder that is thrown away."""

    name, beside = "postgres", "__being_built"
    nowhere: Mapping[str, str] = {"PGHOST": "127.0.0.1", "PGPORT": "1"}
    not_reached = "connection to server"

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        import pgserver

        from customer_segmentation.engines import postgres

        self.translator = postgres
        started = pgserver.get_server(folder, cleanup_mode="delete")
        stack.callback(started.cleanup)
        self.uri = started.get_uri()
        self.connection = self.connect()
        stack.callback(self.connection.close)
        with self.connection.cursor() as cursor:
            cursor.execute(postgres.FUNCTIONS)

    def connect(self) -> Any:
        import psycopg2

        connection = psycopg2.connect(self.uri)
        connection.autocommit = True
        return connection

    def settings(self) -> dict[str, str]:
        host = re.search(r"host=([^&]+)", self.uri)
        assert host is not None
        return {"PGHOST": host[1], "PGUSER": "postgres", "PGDATABASE": "postgres"}

    def rows(self, sql: str) -> Rows:
        with self.connection.cursor() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall()) if cursor.description else []

    def asked(self, *queries: str) -> list[Rows]:
        return [self.rows(query) for query in queries]

    def hashes(self) -> dict[str, int]:
        layers = ", ".join(f"'{layer}'" for layer in LAYERS)
        names = self.rows(
            "select table_schema || '.' || table_name from information_schema.tables"
            f" where table_schema in ({layers})"
        )
        return {
            name: int(
                self.rows(f"select coalesce(sum(hashtext(t::text)::bigint), 0) from {name} t")[0][0]
            )
            for (name,) in names
        }

    def schemas_left(self) -> set[str]:
        found = self.rows("select nspname from pg_namespace where nspname like '%being_built'")
        return {name for (name,) in found}

    def address(self) -> str:
        return self.uri


class Spark(Engine):
    """A master and two workers, with tables and catalog in a folder that is thrown away.

    The catalog is open to one process at a time: what is asked of a shop is asked by another one.
    """

    name, beside = "spark", "__b20260101000000"
    nowhere: Mapping[str, str] = {"SPARK_MASTER": "spark://127.0.0.1:1"}
    not_reached = "Spark can't be started on 'spark://127.0.0.1:1'"

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        from customer_segmentation.engines import spark
        from spark_cluster import cluster

        self.translator = spark
        self.folder = folder
        self.master = stack.enter_context(cluster())
        self.session: Any = None

    def settings(self) -> dict[str, str]:
        return {
            "SPARK_MASTER": self.master, "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_WAREHOUSE": str(self.folder), "SPARK_SHUFFLE_PARTITIONS": "4",
        }  # fmt: skip

    def rows(self, sql: str) -> Rows:
        import duckdb
        from pyspark.sql import SparkSession

        from customer_segmentation.engines.spark_session import MEANING

        if self.session is None:
            builder = SparkSession.builder.master("local[1]")
            for name, value in (MEANING | {"spark.sql.shuffle.partitions": "1"}).items():
                builder = builder.config(name, value)
            self.session = builder.getOrCreate()
        return duckdb.from_arrow(self.session.sql(sql).toArrow()).fetchall()

    def asked(self, *queries: str) -> list[Rows]:
        run = subprocess.run(
            [sys.executable, __file__, *queries],
            env=os.environ | self.settings() | {"PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True, text=True, check=True, cwd=self.folder,
        )  # fmt: skip
        return [list(map(tuple, rows)) for rows in json.loads(run.stdout.splitlines()[-1])]

    def hashes(self) -> dict[str, int]:
        (tables,) = self.asked("hashes")
        return dict(tables)

    def schemas_left(self) -> set[str]:
        (found,) = self.asked("show schemas like '*__b2*'")
        builds = {name.split("__b")[-1] for (name,) in found}
        # The one that is served, and the one before it, in which readers may be.
        return builds - {max(builds), self.beside.removeprefix("__b")}

    def address(self) -> str:
        return f"spark:{self.folder}"


ENGINES: Mapping[str, type[Postgres | Spark]] = {"postgres": Postgres, "spark": Spark}


@contextmanager
def engine_of_the_tests(folder: Path) -> Iterator[Engine]:
    """Start the engine that ENGINE names; it ends with the tests."""
    with ExitStack() as stack:
        yield ENGINES[os.environ.get("ENGINE", "postgres")](folder, stack)


def answer(queries: list[str]) -> list[Any]:
    """Ask a shop on Spark, in a process of its own."""
    from compare_engines import spark_session

    session = spark_session(os.environ["SPARK_WAREHOUSE"], os.environ["SPARK_MASTER"])
    if queries == ["hashes"]:
        found = []
        for schema in LAYERS:
            for table in session.catalog.listTables(schema):
                frame = session.table(f"{schema}.{table.name}")
                rows = f"select sum(hash(to_json(struct(*)))) from {schema}.{table.name}"
                found.append(
                    (f"{schema}.{table.name}", frame.columns and session.sql(rows).collect()[0][0])
                )
        return [found]
    return [[tuple(map(plain, row)) for row in session.sql(query).collect()] for query in queries]


if __name__ == "__main__":
    print(json.dumps(answer(sys.argv[1:])))
