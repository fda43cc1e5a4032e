"""Tables from Spark to DuckDB and back, as Arrow, with their types.

All rows that are asked for pass through this process, which is Spark's driver: it is made for what
Python models and readers take, not for orders.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import duckdb

from customer_segmentation.engines.local import parts_of, quoted

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

FIRST_DAY, LAST_DAY = "0001-01-01", "9999-12-31"
"""What stands for the days without end, which Spark lacks."""

TO_SPARK = {
    "varchar": "string", "text": "string", "json": "string", '"null"': "string", "float": "float",
    "hugeint": "decimal(38,0)", "ubigint": "decimal(20,0)", "uinteger": "bigint",
    "usmallint": "int", "utinyint": "smallint", "integer": "int", "timestamp": "timestamp_ntz",
    "timestamp with time zone": "timestamp", "timestamptz": "timestamp",
}  # fmt: skip

TO_DUCKDB = {
    "string": "varchar", "timestamp_ntz": "timestamp", "timestamp": "timestamptz", "int": "integer",
    "void": "varchar", "binary": "blob",
}  # fmt: skip


def spark_type(kind: str) -> str:
    """Name Spark's type of one of DuckDB.

    >>> spark_type("DECIMAL(38,4)"), spark_type("VARCHAR[]"), spark_type("TIMESTAMP_NS")
    ('decimal(38,4)', 'array<string>', 'timestamp_ntz')
    """
    kind = kind.lower()
    if kind.endswith("[]"):
        return f"array<{spark_type(kind[:-2])}>"
    if kind.startswith("timestamp_"):
        return "timestamp_ntz"
    return TO_SPARK.get(kind, kind)


def duckdb_type(kind: str) -> str:
    """Name DuckDB's type of one of Spark.

    >>> duckdb_type("array<string>"), duckdb_type("decimal(38,4)"), duckdb_type("timestamp_ntz")
    ('varchar[]', 'decimal(38,4)', 'timestamp')
    >>> duckdb_type("array<struct<feature:string,share:double>>")
    'struct("feature" varchar, "share" double)[]'
    """
    if found := re.fullmatch(r"array<(.*)>", kind):
        return duckdb_type(found[1]) + "[]"
    if found := re.fullmatch(r"struct<(.*)>", kind):
        fields = [field.split(":", 1) for field in _fields(found[1])]
        return f"struct({', '.join(f'{quoted([name])} {duckdb_type(of)}' for name, of in fields)})"
    return TO_DUCKDB.get(kind, kind)


def _fields(text: str) -> list[str]:
    """Split the fields of a struct at the commas between them."""
    fields, depth = [""], 0
    for sign in text:
        depth += {"<": 1, "(": 1, ">": -1, ")": -1}.get(sign, 0)
        if sign == "," and not depth:
            fields.append("")
        else:
            fields[-1] += sign
    return fields


class SparkCopy:
    """Copies between a session of Spark and DuckDB."""

    def __init__(self, session: SparkSession) -> None:
        """Take the session of this process."""
        self.session = session

    def columns(self, schema: str | None, name: str) -> dict[str, str]:
        """Give the columns of a relation with their types; none if there is no such relation."""
        relation = ".".join(f"`{part}`" for part in (schema, name) if part)
        if not self.session.catalog.tableExists(relation):
            return {}
        return dict(self.session.table(relation).dtypes)

    def fetch(
        self,
        relation: str,
        into: duckdb.DuckDBPyConnection,
        limit: int | None,
        home: str | None = None,
    ) -> None:
        """Copy a relation, or its first rows, into a table of its name in a schema."""
        schema, name = parts_of(relation)
        if self.columns(schema, name):
            frame = self.session.table(f"`{schema}`.`{name}`")
            into.execute(f"create schema if not exists {quoted([home or schema])}")
            self._lay(frame if limit is None else frame.limit(limit), into, home or schema, name)

    def ask(self, query: str, into: duckdb.DuckDBPyConnection, name: str) -> None:
        """Copy the rows of a query into a table."""
        self._lay(self.session.sql(query), into, "main", name)

    def _lay(
        self, frame: DataFrame, into: duckdb.DuckDBPyConnection, schema: str, name: str
    ) -> None:
        selected = ", ".join(
            f"case {quoted([c])} when date '{LAST_DAY}' then 'infinity'"
            f" when date '{FIRST_DAY}' then '-infinity' else {quoted([c])} end as {quoted([c])}"
            if kind == "date"
            else f"cast({quoted([c])} as {duckdb_type(kind)}) as {quoted([c])}"
            for c, kind in frame.dtypes
        )
        into.register("fetched", frame.toArrow())
        into.execute(
            f"create or replace table {quoted([schema])}.{quoted([name])}"
            f" as select {selected} from fetched"
        )
        into.unregister("fetched")

    def write(self, frame: duckdb.DuckDBPyRelation, name: str) -> None:
        """Lay rows under a temporary view of the session."""
        types = {column: str(kind) for column, kind in zip(frame.columns, frame.types, strict=True)}
        written = ", ".join(
            f"case {quoted([c])} when 'infinity' then date '{LAST_DAY}'"
            f" when '-infinity' then date '{FIRST_DAY}' else {quoted([c])} end as {quoted([c])}"
            if kind == "DATE"
            else f"cast({quoted([c])} as {arrow_type(kind)}) as {quoted([c])}"
            for c, kind in types.items()
        )
        rows = frame.project(written).to_arrow_table()
        kinds = ", ".join(f"`{c}` {spark_type(arrow_type(kind))}" for c, kind in types.items())
        self.session.createDataFrame(rows, schema=kinds).createOrReplaceTempView(name)


def arrow_type(kind: str) -> str:
    """Name a type that Arrow and Spark share, for one of DuckDB.

    >>> arrow_type("HUGEINT"), arrow_type("DOUBLE"), arrow_type('"NULL"')
    ('decimal(38,0)', 'DOUBLE', 'varchar')
    """
    shared = {
        "HUGEINT": "decimal(38,0)", "UBIGINT": "decimal(20,0)", "UINTEGER": "bigint",
        "USMALLINT": "integer", "UTINYINT": "smallint", '"NULL"': "varchar", "JSON": "varchar",
    }  # fmt: skip
    if kind.endswith("[]"):
        return arrow_type(kind[:-2]) + "[]"
    return "timestamp" if kind.startswith("TIMESTAMP_") else shared.get(kind, kind)
