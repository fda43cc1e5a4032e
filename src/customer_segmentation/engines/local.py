"""Python models of an engine that runs none: they run here, on tables that are fetched.

The models see DuckDB's relations, as they do on DuckDB: what they ask for is copied into a
database that is thrown away, and what they return is copied back. Fits read samples, whose size
does not grow with the shop; grading reads every customer of the day that is graded.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import duckdb
import pandas as pd

ROWS_OF_A_LOCATION = 1_000
"""Of a table of the shop's, to look at its columns and values."""


class Engine(Protocol):
    """What fetches tables from an engine and writes them to it."""

    def columns(self, schema: str | None, name: str) -> dict[str, str]:
        """Give the columns of a relation with their types; none if there is no such relation."""

    def fetch(
        self,
        relation: str,
        into: duckdb.DuckDBPyConnection,
        limit: int | None,
        home: str | None = None,
    ) -> None:
        """Copy a relation, if there is one, into a table of its name, in a schema or its own."""

    def write(self, frame: duckdb.DuckDBPyRelation, name: str) -> None:
        """Copy rows into a temporary table of the session."""


def run_python_model(engine: Engine, model: dict[str, Any], code: str, result: str) -> None:
    """Run a compiled Python model and leave its rows in the temporary table ``result``."""
    with scratch(model.get("database") or "python_models") as connection:
        names: dict[str, Any] = {"__name__": "dbt_model"}
        exec(compile(code, model["original_file_path"], "exec"), names)
        fetched: set[str] = set()

        def load(relation: str) -> duckdb.DuckDBPyRelation:
            if relation not in fetched:
                engine.fetch(relation, connection, None)
                fetched.add(relation)
            return connection.sql(f"select * from {relation}")

        dbt = names["dbtObj"](load)
        if dbt.is_incremental:
            load(str(dbt.this))
        for location in tables_named(model):
            engine.fetch(location, connection, ROWS_OF_A_LOCATION)
        rows = names["model"](dbt, connection)
        if isinstance(rows, pd.DataFrame):
            rows = connection.from_df(rows)
        engine.write(rows, result)


def tables_named(model: dict[str, Any]) -> Iterator[str]:
    """Yield the tables that a model's settings name as locations."""
    for name, value in (model["config"].get("meta") or {}).items():
        if name.endswith("_location") and re.fullmatch(r'"?\w+"?([.]"?\w+"?){1,2}', str(value)):
            yield str(value)


@contextmanager
def scratch(name: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a database of a name, which is thrown away."""
    with (
        tempfile.TemporaryDirectory() as folder,
        duckdb.connect(str(Path(folder) / f"{name}.duckdb")) as connection,
    ):
        connection.execute("set timezone = 'UTC'")
        yield connection


def parts_of(relation: str) -> tuple[str, str]:
    """Take schema and name of a relation.

    >>> parts_of('"shop"."staging"."as_of"'), parts_of("public.orders")
    (('staging', 'as_of'), ('public', 'orders'))
    """
    *_, schema, name = [part.strip('"') for part in relation.split(".")]
    return schema, name


def quoted(names: Iterable[str]) -> str:
    """Write columns in quotes, with commas."""
    return ", ".join('"' + name.replace('"', '""') + '"' for name in names)
