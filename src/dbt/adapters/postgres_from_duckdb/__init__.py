"""Postgres for a project that is written in DuckDB's SQL, with Python models that run here.

dbt-postgres with two things: queries that the project wrote are translated before they are sent,
and Python models run in dbt's own process. dbt-postgres's own statements are left alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg2.extensions
from dbt.adapters.base import AdapterPlugin, available
from dbt.adapters.postgres import (
    PostgresAdapter,
    PostgresConnectionManager,
    PostgresCredentials,
    PostgresRelation,
)

from customer_segmentation.engines.adapting import FromDuckDB
from customer_segmentation.engines.postgres import FUNCTIONS, TRANSLATOR
from customer_segmentation.engines.postgres_copy import PostgresCopy


def plain(text: str | None, cursor: Any) -> Decimal | None:
    """Read a numeric, without zeros at its end."""
    return None if text is None else Decimal(f"{Decimal(text).normalize():f}")


PLAIN_NUMERIC = psycopg2.extensions.new_type((1700,), "PLAIN_NUMERIC", plain)


@dataclass
class Credentials(PostgresCredentials):
    """As dbt-postgres's."""

    @property
    def type(self) -> str:
        """Name the adapter as profiles.yml does."""
        return "postgres_from_duckdb"


class ConnectionManager(PostgresConnectionManager):
    """As dbt-postgres's."""

    TYPE = "postgres_from_duckdb"

    @classmethod
    def open(cls, connection: Any) -> Any:
        """Open a connection that gives 30 and 30.0000 as one number, as unit tests compare them."""
        opened = super().open(connection)  # type: ignore[no-untyped-call]
        psycopg2.extensions.register_type(PLAIN_NUMERIC, opened.handle)
        return opened


class Relation(PostgresRelation):
    """As dbt-postgres's; names of unit tests may be long, as Postgres cuts them everywhere."""

    def relation_max_name_length(self) -> int:
        """Give more than any name has."""
        return 255


# dbt finds the version by this name.
class Postgres_from_duckdbAdapter(FromDuckDB, PostgresAdapter):
    """Translates queries, and runs Python models."""

    translator = TRANSLATOR
    ConnectionManager = ConnectionManager
    Relation = Relation

    @classmethod
    def type(cls) -> str:
        """Name the adapter as profiles.yml does."""
        return "postgres_from_duckdb"

    def _handle(self) -> Any:
        return self.connections.get_thread_connection().handle

    def _copy(self) -> PostgresCopy:
        return PostgresCopy(self._handle())

    @available
    def functions_of_the_engine(self) -> str:
        """Give the SQL of the functions that translated queries call."""
        return FUNCTIONS

    @available
    def columns_with_types(self, schema: str, name: str) -> dict[str, str]:
        """Give a relation's columns with their types, as Postgres writes them."""
        return self._copy().columns(schema, name)

    @available
    def copy_seed(self, relation: Any, folder: str, file: str) -> str:
        """Copy a seed's file as it stands: dbt's reader takes white space for nothing."""
        sql = f"copy {relation} from stdin (format csv, header true)"
        with (Path(folder) / file).open("rb") as stream, self._handle().cursor() as cursor:
            cursor.copy_expert(sql, stream)
        return sql


Plugin = AdapterPlugin(
    adapter=Postgres_from_duckdbAdapter,  # type: ignore[arg-type]
    credentials=Credentials,
    include_path=str(Path(__file__).parents[2] / "include" / "postgres_from_duckdb"),
    dependencies=["postgres"],
)
