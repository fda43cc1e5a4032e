"""What a build left behind, opened read-only and never written."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb
import pandas as pd

from customer_segmentation.trouble import Trouble, check_is_database, trouble_of


class NotReadable(Exception):
    """There is no built database to read; the message says what to do."""


LAYERS = ("staging", "metrics", "clustering", "segments", "marketing")
"""Each is a schema, be it with a prefix before its name (the var ``schema_prefix``)."""

WHAT_LAYERS_SAY = """
    select
        'staging' as layer,
        dataset,
        cast(as_of_date as varchar) as as_of_date,
        null::integer as model_version,
        null::bigint as num_customers
    from as_of
    union all
    select 'metrics', null, max(as_of_date)::varchar, null, count(*) from customer_metrics
    union all
    select 'metrics', null, min(as_of_date)::varchar, null, null from customer_metrics
    union all
    select 'clustering', null, null, max(model_version), null from customer_clusters
    union all
    select 'clustering', min(dataset), null, null, null from model_versions
    union all
    select 'segments', null, max(as_of_date)::varchar, max(model_version), count(*)
    from customer_segments
    union all
    select 'segments', null, null, null, sum(num_customers)::bigint from segment_profiles
    union all
    select 'marketing', null, max(as_of_date)::varchar, null, count(*)
    from marketing_targets
"""
"""What each layer says of the build that made it."""

SCHEMA_VERSION = 1
"""Of ``schema_version()`` in macros/editions.sql: a newer database is not read."""


@dataclass(frozen=True)
class Edition:
    """The run whose tables are served; 0 is what was built before there were editions."""

    edition_id: int = 0
    pinned_model_version: int | None = None
    outcome: str | None = "whole"
    started_at: str = ""
    schema_version: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Every var of the run, by name; none where the run was before there were editions."""


def home_of(database: Path) -> Path:
    """Name the file that a database is published as, be it there or still being built."""
    folder = database.parent.parent
    if folder.name == f"{database.name}.editions":
        return folder.with_name(database.name)
    return database


def schema_prefix_of(connection: duckdb.DuckDBPyConnection) -> str | None:
    """Find what stands before the names of the layers; None where no run has left an edition.

    Raises ``NotReadable`` if several segmentations were built into one database.
    """
    homes = connection.sql(
        """
        select schema_name from duckdb_columns()
        where
            database_name = current_database()
            and table_name = 'editions'
            and column_name = 'append_only_tables'
        order by schema_name
        """
    ).fetchall()
    if len(homes) > 1:
        raise NotReadable(
            f"There are {len(homes)} segmentations in this database, in the schemas"
            f" {' and '.join(name for (name,) in homes)}. Build each into a database of its own"
            " (DUCKDB_PATH)."
        )
    return homes[0][0].removesuffix("main") if homes else None


def look_into_the_layers(connection: duckdb.DuckDBPyConnection) -> str:
    """Let queries name tables without their schemas, whatever stands before these; give that."""
    prefix = schema_prefix_of(connection) or ""
    there = connection.sql(
        "select schema_name from duckdb_schemas() where database_name = current_database()"
    ).fetchall()
    names = [f"{prefix}{layer}" for layer in (*LAYERS, "main")]
    found = ",".join(f'"{name}"' for name in names if (name,) in there)
    if found:
        connection.execute(f"set search_path = '{found}'")
    return prefix


class Database:
    """A built database, opened read-only; in a ``with`` statement it is closed at the end."""

    def __init__(self, path: Path) -> None:
        """Open the database at ``path``. Raises ``NotReadable`` if that can't be done."""
        self.path = path
        try:
            if not path.exists():
                raise NotReadable(
                    f"There is no database '{path}'. Build it first (make build), or name another"
                    " one."
                )
            check_is_database(path)
            self._connection = duckdb.connect(str(path), read_only=True)
            self.schema_prefix = look_into_the_layers(self._connection)
        except Trouble as error:
            raise NotReadable(error.message) from error
        except (duckdb.Error, OSError) as error:
            said = trouble_of(error, path, os.environ) or (
                f"The database '{path}' can't be read: it is no DuckDB database, or a damaged one."
            )
            # Readers keep no reader out.
            raise NotReadable(said.replace("' is open", "' is being written")) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._connection.close()

    def read(self, sql: str) -> pd.DataFrame:
        """Run a query. Raises ``NotReadable`` if a table of it does not exist or is damaged."""
        with self._said():
            frame: pd.DataFrame = self._connection.sql(sql).df()
        return frame

    def relation(self, sql: str) -> duckdb.DuckDBPyRelation:
        """Name the rows of a query, which need not fit into memory. Raises as ``read`` does."""
        with self._said():
            return self._connection.sql(sql)

    def rows(self, sql: str) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a query, a few in memory at once. Raises as ``read`` does.

        Read them to the end before another query.
        """
        with self._said():
            result = self._connection.execute(sql)
            while batch := result.fetchmany(10_000):
                yield from batch

    @contextmanager
    def _said(self) -> Iterator[None]:
        """Raise ``NotReadable`` with a sentence for what people can mend."""
        try:
            yield
        except duckdb.Error as error:
            said = trouble_of(error, self.path, os.environ)
            if isinstance(error, (duckdb.CatalogException, duckdb.BinderException)):
                problem = str(error).splitlines()[0].rstrip(".")
                said = (
                    f"The database was not built to its end, or by another version ({problem})."
                    " Build it again (make build)."
                )
            if said is None:
                raise
            raise NotReadable(said) from error

    @cached_property
    def editions(self) -> pd.DataFrame:
        """All runs that built this database; no rows in one of before there were editions."""
        rows: pd.DataFrame
        if schema_prefix_of(self._connection) is None:
            return pd.DataFrame(columns=["edition_id", "served_since"])
        rows = self._connection.sql(
            """
            select * exclude (num_rows, append_only_tables) replace (settings::varchar as settings)
            from editions
            """
        ).df()
        return rows

    @cached_property
    def served_edition(self) -> Edition:
        """The edition that this file serves."""
        if self.editions.empty:
            return Edition()
        row: dict[Any, Any] = self.editions.sort_values("served_since").to_dict("records")[-1]
        pinned, settings = row["pinned_model_version"], row["settings"]
        return Edition(
            int(row["edition_id"]),
            None if pd.isna(pinned) else int(pinned),
            None if pd.isna(row["outcome"]) else row["outcome"],
            f"{row['started_at']:%Y-%m-%d %H:%M}",
            int(row["schema_version"]),
            {} if pd.isna(settings) else json.loads(settings),
        )

    def expect_one_edition(self) -> None:
        """Raise ``NotReadable`` if the layers are of different builds, or the last did not end."""
        served = self.served_edition
        if served.schema_version > SCHEMA_VERSION:
            raise NotReadable(
                f"The database '{self.path}' was built by a newer version of this project. Update"
                " the project, or name another database."
            )
        again = "Build it again, whole: customer-segmentation build (or make build)."
        if served.outcome in (None, "failed"):
            raise NotReadable(
                f"The last build of '{self.path}', begun at {served.started_at} UTC,"
                f" {'failed' if served.outcome else 'did not end'}: its tables may be of different"
                f" days. {again}"
            )
        layers = self.read(WHAT_LAYERS_SAY)
        for what in ("dataset", "as_of_date", "model_version", "num_customers"):
            found = layers[["layer", what]].dropna()
            if found[what].nunique() > 1:
                values = ", ".join(
                    f"{value} in {layer}"
                    for layer, value in found.drop_duplicates().itertuples(index=False)
                )
                raise NotReadable(
                    f"The layers of '{self.path}' come from different builds: {what} is {values}."
                    f" {again}"
                )

    @cached_property
    def active_version(self) -> int:
        """The model version that scored the customers."""
        versions = self.read("select max(model_version) as newest from customer_segments")
        return int(versions["newest"].iloc[0])
