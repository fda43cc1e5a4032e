"""Spark for a project that is written in DuckDB's SQL, with Python models that run here.

dbt-spark with three things: queries that the project wrote are translated before they are sent,
Python models run in dbt's own process, which is Spark's driver, and a question is asked when it is
put, not when its rows are taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
from dbt.adapters.base import AdapterPlugin, Column, available
from dbt.adapters.contracts.connection import Connection, ConnectionState
from dbt.adapters.spark import SparkAdapter, SparkCredentials
from dbt.adapters.spark.connections import SparkConnectionManager

from customer_segmentation.engines.adapting import FromDuckDB
from customer_segmentation.engines.spark import TRANSLATOR
from customer_segmentation.engines.spark_builds import Builds, Described
from customer_segmentation.engines.spark_copy import SparkCopy, duckdb_type, spark_type
from customer_segmentation.engines.spark_session import MEANING, Cursor, session_of


@dataclass
class Credentials(SparkCredentials):  # type: ignore[misc]
    """As dbt-spark's."""

    def __post_init__(self) -> None:
        """Add the settings that give a query its meaning."""
        super().__post_init__()
        self.server_side_parameters |= MEANING

    @property
    def type(self) -> str:
        """Name the adapter as profiles.yml does."""
        return "spark_from_duckdb"


class ConnectionManager(SparkConnectionManager):  # type: ignore[misc]
    """As dbt-spark's, whose session asks at once."""

    TYPE = "spark_from_duckdb"

    @classmethod
    def open(cls, connection: Connection) -> Connection:
        """Start Spark with the first connection; the others share it."""
        if connection.state != ConnectionState.OPEN:
            credentials = connection.credentials
            connection.handle = Cursor(
                session_of(credentials.host, credentials.server_side_parameters)
            )
            connection.state = ConnectionState.OPEN
        return connection


# dbt finds the version by this name.
class Spark_from_duckdbAdapter(FromDuckDB, SparkAdapter):  # type: ignore[misc]
    """Translates queries, and runs Python models."""

    translator = TRANSLATOR
    ConnectionManager = ConnectionManager

    @classmethod
    def type(cls) -> str:
        """Name the adapter as profiles.yml does."""
        return "spark_from_duckdb"

    def _copy(self) -> SparkCopy:
        return SparkCopy(self.connections.get_thread_connection().handle.session)

    @available
    def functions_of_the_engine(self) -> str:
        """Give no SQL: what translated queries call is there."""
        return ""

    @available
    def get_columns_in_relation(self, relation: Any) -> list[Column]:
        """Give a relation's columns with DuckDB's names of types, which translated SQL has."""
        # A temporary view is in no schema.
        schema = relation.schema if relation.include_policy.schema else None
        kinds = self._copy().columns(schema, relation.identifier)
        return [Column(column, duckdb_type(kind)) for column, kind in kinds.items()]

    @available
    def type_of_the_engine(self, kind: str) -> str:
        """Name Spark's type of one of DuckDB."""
        return spark_type(kind)

    @available
    def copy_seed(self, name: str, folder: str, file: str, types: dict[str, str]) -> str:
        """Lay a seed's file under a temporary view: as DuckDB reads it, and so that quotes stay."""
        kinds = ", ".join(f'"{column}" {duckdb_type(kind)}' for column, kind in types.items())
        sql = f"create table seed ({kinds})"
        with duckdb.connect() as connection:
            connection.execute(sql)
            connection.execute(
                f"copy seed from '{Path(folder) / file}' (format csv, header true, delimiter ',')"
            )
            self._copy().write(connection.table("seed"), name)
        return sql

    @available
    def knows_time_zone(self, name: str) -> bool:
        """Tell whether a time zone is known, here and there: both read one database of them."""
        with duckdb.connect() as connection:
            found = connection.execute(
                "select count(*) from pg_timezone_names() where name = ?", [name]
            ).fetchall()
        return bool(found[0][0])

    def _builds(self, home: str) -> Builds:
        return Builds(self._copy().session, home)

    @available
    def begin_build(self, home: str, schemas: dict[str, str], described: dict[str, Any]) -> None:
        """Make the schemas of a build, and put right what a killed one left."""
        self._builds(home).begin(schemas, {n: Described(*said) for n, said in described.items()})

    @available
    def publish_build(
        self, home: str, suffix: str, schemas: dict[str, str], described: dict[str, Any]
    ) -> None:
        """Let the views that people read show a build."""
        said = {name: Described(*words) for name, words in described.items()}
        self._builds(home).publish(suffix, schemas, said)

    @available
    def names_of_relations(self, schema: str) -> list[str]:
        """Name the tables and views of a schema."""
        return sorted(self._builds("").relations(schema))


Plugin = AdapterPlugin(
    adapter=Spark_from_duckdbAdapter,
    credentials=Credentials,
    include_path=str(Path(__file__).parents[2] / "include" / "spark_from_duckdb"),
    dependencies=["spark"],
)
