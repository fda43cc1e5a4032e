"""Tables from Postgres to DuckDB and back, by COPY, with their types."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Any

import duckdb

from customer_segmentation.engines.local import parts_of, quoted

NULL = "<NULL>"

MOST_SIGNS = 63
"""Of a name; Postgres cuts what is longer."""

TO_DUCKDB = {
    "text": "VARCHAR", "character varying": "VARCHAR", "character": "VARCHAR", "uuid": "VARCHAR",
    "json": "VARCHAR", "jsonb": "VARCHAR", "double precision": "DOUBLE", "real": "FLOAT",
    "integer": "INTEGER", "bigint": "BIGINT", "smallint": "SMALLINT", "boolean": "BOOLEAN",
    "date": "DATE", "timestamp without time zone": "TIMESTAMP",
    "timestamp with time zone": "TIMESTAMPTZ",
}  # fmt: skip

TO_POSTGRES = {
    "VARCHAR": "text", "DOUBLE": "double precision", "FLOAT": "real", "INTEGER": "integer",
    "BIGINT": "bigint", "SMALLINT": "smallint", "TINYINT": "smallint", "BOOLEAN": "boolean",
    "DATE": "date", "HUGEINT": "numeric", "UBIGINT": "numeric", "UINTEGER": "bigint",
    "USMALLINT": "integer", "UTINYINT": "smallint", '"NULL"': "text", "JSON": "text",
}  # fmt: skip


def duckdb_type(kind: str) -> str:
    """Name DuckDB's type of one of Postgres.

    >>> duckdb_type("numeric(38,4)"), duckdb_type("text[]"), duckdb_type("numeric")
    ('DECIMAL(38,4)', 'VARCHAR[]', 'DOUBLE')
    """
    if kind.endswith("[]"):
        return duckdb_type(kind[:-2]) + "[]"
    if found := re.fullmatch(r"numeric\((\d+),(\d+)\)", kind):
        precision, scale = map(int, found.groups())
        return f"DECIMAL({min(precision, 38)},{scale})"
    if kind.startswith("numeric"):
        return "DOUBLE"
    return TO_DUCKDB.get(re.sub(r"\(\d+\)", "", kind), "VARCHAR")


def postgres_type(kind: str) -> str:
    """Name Postgres's type of one of DuckDB.

    >>> postgres_type("DECIMAL(38,4)"), postgres_type("VARCHAR[]"), postgres_type("TIMESTAMP_NS")
    ('numeric(38,4)', 'text[]', 'timestamp')
    """
    if kind.endswith("[]"):
        return "jsonb" if kind.startswith("STRUCT") else postgres_type(kind[:-2]) + "[]"
    if kind.startswith("DECIMAL"):
        return kind.replace("DECIMAL", "numeric")
    if kind.startswith("TIMESTAMP WITH"):
        return "timestamptz"
    if kind.startswith("TIMESTAMP"):
        return "timestamp"
    if kind.startswith(("STRUCT", "MAP")):
        return "jsonb"
    return TO_POSTGRES.get(kind, "text")


class PostgresCopy:
    """Copies between one session of Postgres and DuckDB."""

    def __init__(self, handle: Any) -> None:
        """Take an open connection of psycopg2, whose transaction goes on."""
        self.handle = handle

    def columns(self, schema: str | None, name: str) -> dict[str, str]:
        """Give the columns of a relation with their types; none if there is no such relation."""
        with self.handle.cursor() as cursor:
            cursor.execute(
                """
                select attname, format_type(atttypid, atttypmod)
                from pg_attribute
                where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped
                order by attnum
                """,
                (".".join(quoted([part[:MOST_SIGNS]]) for part in (schema, name) if part),),
            )
            return dict(cursor.fetchall())

    def fetch(
        self,
        relation: str,
        into: duckdb.DuckDBPyConnection,
        limit: int | None,
        home: str | None = None,
    ) -> None:
        """Copy a relation, or its first rows, into a table of its name in a schema."""
        schema, name = parts_of(relation)
        columns = self.columns(schema, name)
        if columns:
            rows = f"{quoted([schema])}.{quoted([name])}"
            rows += f" limit {limit}" if limit is not None else ""
            into.execute(f"create schema if not exists {quoted([home or schema])}")
            self._lay(rows, columns, into, f"{quoted([home or schema])}.{quoted([name])}")

    def ask(self, query: str, into: duckdb.DuckDBPyConnection, name: str) -> None:
        """Copy the rows of a query into a table."""
        with self.handle.cursor() as cursor:
            cursor.execute(f"create temporary view asked as {query}")
            self._lay("asked", self.columns(None, "asked"), into, quoted([name]))
            cursor.execute("drop view asked")

    def _lay(
        self, rows: str, columns: dict[str, str], into: duckdb.DuckDBPyConnection, target: str
    ) -> None:
        types = {column: duckdb_type(kind) for column, kind in columns.items()}
        selected = ", ".join(
            f"to_json({quoted([column])})" if types[column].endswith("[]") else quoted([column])
            for column in columns
        )
        rows = f"select {selected} from {rows}"
        texts = {
            column: "VARCHAR" if kind.endswith("[]") else kind for column, kind in types.items()
        }
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "rows.csv"
            with file.open("wb") as stream, self.handle.cursor() as cursor:
                cursor.copy_expert(f"copy ({rows}) to stdout (format csv, null '{NULL}')", stream)
            kinds = ", ".join(f"{quoted([c])} {kind}" for c, kind in texts.items())
            into.execute(f"create temp table fetched ({kinds})")
            into.execute(
                f"copy fetched from '{file}' (format csv, header false, nullstr '{NULL}',"
                " delim ',', quote '\"', escape '\"', auto_detect false)"
            )
        casts = ", ".join(
            self._list(into, c, columns[c], kind) if kind.endswith("[]") else quoted([c])
            for c, kind in types.items()
        )
        into.execute(f"create or replace table {target} as select {casts} from fetched")
        into.execute("drop table fetched")

    def _list(self, into: duckdb.DuckDBPyConnection, column: str, kind: str, type_here: str) -> str:
        """Write the SQL of a list that was fetched as JSON; of objects it is one of structs."""
        name = quoted([column])
        if kind != "jsonb[]":
            return f"cast(json({name}) as {type_here}) as {name}"
        ((structure,),) = into.execute(
            f"select json_group_structure(json({name})) from fetched"
        ).fetchall()
        return f"from_json({name}, '{structure}') as {name}"

    def write(self, frame: duckdb.DuckDBPyRelation, name: str) -> None:
        """Copy rows into a temporary table of the session."""
        types = {column: str(kind) for column, kind in zip(frame.columns, frame.types, strict=True)}
        written = ", ".join(
            f"cast(to_json({quoted([c])}) as varchar) as {quoted([c])}"
            if kind.startswith(("STRUCT", "MAP"))
            else (
                f"'{{' || array_to_string(list_transform({quoted([c])}, lambda x: case when x is"
                " null then 'NULL' else '\"' || replace(replace(cast(x as varchar), '\\', '\\\\'),"
                f" '\"', '\\\"') || '\"' end), ',') || '}}' as {quoted([c])}"
                if kind.endswith("[]")
                else quoted([c])
            )
            for c, kind in types.items()
        )
        kinds = ", ".join(f"{quoted([c])} {postgres_type(kind)}" for c, kind in types.items())
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "rows.csv"
            frame.project(written).write_csv(str(file), header=False, na_rep=NULL)
            with file.open("rb") as stream, self.handle.cursor() as cursor:
                cursor.execute(f"drop table if exists {quoted([name])}")
                cursor.execute(f"create temporary table {quoted([name])} ({kinds})")
                cursor.copy_expert(
                    f"copy {quoted([name])} from stdin (format csv, null '{NULL}')", stream
                )
