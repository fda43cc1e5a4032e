"""What a build left behind, opened read-only and never written."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

import duckdb
import pandas as pd


class NotReadable(Exception):
    """There is no built database to read; the message says what to do."""


class Database:
    """A built database, opened read-only; in a ``with`` statement it is closed at the end."""

    def __init__(self, path: Path) -> None:
        """Open the database at ``path``. Raises ``NotReadable`` if that can't be done."""
        if not path.exists():
            raise NotReadable(
                f"There is no database '{path}'. Build it first (make build), or name another one."
            )
        try:
            self._connection = duckdb.connect(str(path), read_only=True)
        except duckdb.Error as error:
            if "Could not set lock" in str(error):
                advice = "is being written, by a build perhaps. Try again later."
            else:
                advice = "can't be read: it is no DuckDB database, or a damaged one."
            raise NotReadable(f"The database '{path}' {advice}") from error

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
        """Run a query. Raises ``NotReadable`` if a table or column of it does not exist."""
        try:
            frame: pd.DataFrame = self._connection.sql(sql).df()
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            problem = str(error).splitlines()[0]
            raise NotReadable(
                f"The database was not built to its end, or by another version ({problem})."
                " Build it again (make build)."
            ) from error
        return frame

    @cached_property
    def active_version(self) -> int:
        """The model version that scored the customers."""
        versions = self.read("select max(model_version) as newest from segments.customer_segments")
        return int(versions["newest"].iloc[0])
