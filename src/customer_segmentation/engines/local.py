"""Python models of an engine that runs none: they run here, on tables that are fetched.

The models see relations, as they do on DuckDB. What they filter, join and count is asked of the
engine, where the rows are; what they take from it (samples, counts) is copied into a database that
is thrown away, and what they return is copied back.
"""

from __future__ import annotations

import itertools
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import duckdb
import pandas as pd
import sqlglot
from sqlglot import exp

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

    def ask(self, query: str, into: duckdb.DuckDBPyConnection, name: str) -> None:
        """Copy the rows of a query into a table."""

    def write(self, frame: duckdb.DuckDBPyRelation, name: str) -> None:
        """Copy rows into a temporary table of the session."""


class Asked:
    """A relation of DuckDB's kind, which the engine answers.

    It has what the project's models do with relations of all customers; for everything else, and
    for an order, its rows are copied, and it is DuckDB's relation of them.
    """

    def __init__(self, sql: str, answer: Callable[[str], duckdb.DuckDBPyRelation]) -> None:
        """Take a query in DuckDB's SQL, and what asks it."""
        self._sql, self._answer = sql, answer

    def _of(self, selected: str, rest: str = "") -> Asked:
        return Asked(f"select {selected} from ({self._sql}) as asked {rest}", self._answer)

    def filter(self, condition: str) -> Asked:
        """Keep the rows for which a condition holds."""
        return self._of("*", f"where {condition}")

    def select(self, columns: str) -> Asked:
        """Take columns, or make them."""
        return self._of(columns)

    def distinct(self) -> Asked:
        """Take each row once."""
        return self._of("distinct *")

    def join(self, other: Asked, column: str) -> Asked:
        """Join by a column that both have."""
        return self._of("*", f"inner join ({other._sql}) as other using ({column})")

    def aggregate(self, columns: str) -> Asked:
        """Aggregate, by the columns that are no aggregates."""
        chosen = sqlglot.parse_one(f"select {columns}", read="duckdb").expressions
        groups = [str(n) for n, column in enumerate(chosen, 1) if not column.find(exp.AggFunc)]
        return self._of(columns, f"group by {', '.join(groups)}" if groups else "")

    def __getattr__(self, name: str) -> Any:
        """Copy the rows, and go on with DuckDB's relation."""
        return getattr(self._answer(self._sql), name)


def run_python_model(
    engine: Engine,
    model: dict[str, Any],
    code: str,
    result: str,
    in_words_of_the_engine: Callable[[str], str],
) -> None:
    """Run a compiled Python model and leave its rows in the temporary table ``result``."""
    numbers = itertools.count(1)
    with scratch(model.get("database") or "python_models") as connection:
        names: dict[str, Any] = {"__name__": "dbt_model"}
        exec(compile(code, model["original_file_path"], "exec"), names)

        def answer(sql: str) -> duckdb.DuckDBPyRelation:
            name = f"answer_{next(numbers)}"
            engine.ask(in_words_of_the_engine(sql), connection, name)
            return connection.table(name)

        def load(relation: str) -> Asked:
            return Asked(f"select * from {relation}", answer)

        dbt = names["dbtObj"](load)
        if dbt.is_incremental:
            engine.fetch(str(dbt.this), connection, None)
        for location in tables_named(model):
            engine.fetch(location, connection, ROWS_OF_A_LOCATION)
        rows = names["model"](dbt, connection)
        if isinstance(rows, Asked):
            rows = answer(rows._sql)
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
