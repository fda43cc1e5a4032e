"""Compare the tables of a shop on another engine with those that DuckDB built, row by row.

    python benchmarks/compare_engines.py shop.duckdb "host=localhost dbname=shop"
    python benchmarks/compare_engines.py shop.duckdb spark:spark-warehouse

Rows are compared as multisets: counts, money, days and assignments exactly, doubles to nine
digits, settings as JSON. Left out are columns that say how and where, not what: seconds, files
and the hash of a raw row. Large tables of Spark are written as Parquet and compared by DuckDB, by a
hash of 64 bits of each row.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Context, Decimal
from typing import Any, NamedTuple

import duckdb

LAYERS = ("staging", "metrics", "clustering", "segments", "marketing")
NOT_COMPARED = {"seconds", "file", "row_hash"}
AS_JSON = {"settings", "settings_now", "settings_then", "value_now", "value_then"}
SIGNIFICANT_DIGITS = 9
EXACT = Context(prec=60)
MOST_ROWS_IN_PYTHON = 200_000


class Difference(NamedTuple):
    """A table that differs."""

    table: str
    num_missing: int
    num_more: int
    num_rows: int
    example: str


def plain(value: Any) -> Any:
    """Give a value as it is compared."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            return str(value)
        return (Decimal(f"{value:.{SIGNIFICANT_DIGITS - 1}e}") + 0).normalize()
    if isinstance(value, (int, Decimal)):
        return value if isinstance(value, int) or value.is_nan() else EXACT.normalize(value)
    if isinstance(value, datetime):
        text = value.replace(tzinfo=None).isoformat()
        return text.removesuffix("T00:00:00")
    if isinstance(value, date):
        return {date.min: "-infinity", date.max: "infinity"}.get(value, value.isoformat())
    if isinstance(value, (list, tuple)):
        return tuple(map(plain, value))
    if isinstance(value, dict):
        return tuple(sorted((key, plain(item)) for key, item in value.items()))
    return str(value)


def compared(column: str, value: Any) -> Any:
    """Give a value of a column as it is compared."""
    if column in AS_JSON and isinstance(value, str):
        try:
            return json.dumps(json.loads(value), sort_keys=True)
        except ValueError:
            return value
    return plain(value)


def differences(database: duckdb.DuckDBPyConnection, cursor: Any) -> Iterator[Difference | int]:
    """Yield the number of rows of each table that is alike, and each one that differs."""
    layers = ", ".join(f"'{layer}'" for layer in LAYERS)
    tables = database.sql(
        f"""
        select table_schema, table_name from information_schema.tables
        where table_schema in ({layers}) and table_catalog = current_database() order by all
        """
    ).fetchall()
    for schema, name in tables:
        wanted = database.sql(f'from "{schema}"."{name}"')
        asked = f'select * from "{schema}"."{name}"'
        used = [column for column in wanted.columns if column not in NOT_COMPARED]
        if isinstance(cursor, SparkTables) and len(wanted) > MOST_ROWS_IN_PYTHON:
            with cursor.written(asked) as files:
                yield differences_of_many(database, f"{schema}.{name}", files, used)
            continue
        cursor.execute(asked)
        names = [column[0] for column in cursor.description]
        rows = cursor.fetchall()
        if sorted(names) != sorted(wanted.columns):
            columns = sorted(set(names) ^ set(wanted.columns))
            yield Difference(f"{schema}.{name}", 0, 0, len(rows), f"columns: {columns}")
            continue
        here, there = (
            Counter(
                tuple(compared(c, row[position]) for c, position in positions) for row in all_rows
            )
            for all_rows, positions in (
                (wanted.fetchall(), [(c, wanted.columns.index(c)) for c in used]),
                (rows, [(c, names.index(c)) for c in used]),
            )
        )
        missing, more = here - there, there - here
        if not missing and not more:
            yield sum(here.values())
            continue
        example = ""
        if missing and more:
            one = min(missing, key=str)
            other = min(more, key=lambda row: sum(a != b for a, b in zip(row, one, strict=True)))
            example = ", ".join(
                f"{column}: {a!r} here, {b!r} there"
                for column, a, b in zip(used, one, other, strict=True)
                if a != b
            )
        num_missing, num_more = sum(missing.values()), sum(more.values())
        yield Difference(
            f"{schema}.{name}", num_missing, num_more, sum(here.values()), example[:300]
        )


def differences_of_many(
    database: duckdb.DuckDBPyConnection, table: str, files: str, columns: list[str]
) -> Difference | int:
    """Compare with rows in Parquet files."""
    here, there = database.sql(f"from {table}"), database.sql(f"from '{files}'")
    if sorted(here.columns) != sorted(there.columns):
        names = sorted(set(here.columns) ^ set(there.columns))
        return Difference(table, 0, 0, len(here), f"columns: {names}")
    kinds = dict(zip(here.columns, map(str, here.types), strict=True))
    written = ", ".join(
        f"format('{{:.{SIGNIFICANT_DIGITS - 1}e}}', cast(\"{c}\" as double) + 0)"
        if kinds[c] in ("DOUBLE", "FLOAT")
        else f"case \"{c}\" when 'infinity' then date '{date.max}'"
        f" when '-infinity' then date '{date.min}' else \"{c}\" end"
        if kinds[c] == "DATE"
        else f'cast("{c}" as {"varchar" if "[" in kinds[c] else kinds[c]})'
        for c in columns
    )
    # Hashed as texts: a hash depends on the type.
    hashed = f"select hash(cast(row({written}) as varchar)) as hashed"
    missing, more = database.sql(
        f"""
        select
            coalesce(sum(surplus) filter (where surplus > 0), 0),
            -coalesce(sum(surplus) filter (where surplus < 0), 0)
        from (
            select sum(here) as surplus
            from (
                {hashed}, 1 as here from {table} union all {hashed}, -1 as here from '{files}'
            )
            group by hashed
        )
        """
    ).fetchall()[0]
    return Difference(table, missing, more, len(here), "") if missing or more else len(here)


def connect(address: str) -> Any:
    """Connect to an engine: Postgres by its address, Spark by the folder of its tables."""
    if address.startswith("spark:"):
        return SparkTables(spark_session(address.removeprefix("spark:")))
    import psycopg2
    import psycopg2.extensions

    connection = psycopg2.connect(address)
    # Days are texts, as Python's know no infinity.
    as_text = psycopg2.extensions.new_type((1082,), "DAY", lambda text, cursor: text)
    psycopg2.extensions.register_type(as_text, connection)
    return connection


def spark_session(folder: str, master: str = "local[*]") -> Any:
    """Open the tables in a folder."""
    from customer_segmentation.engines.spark_session import MEANING, session_of

    catalog = f"jdbc:derby:;databaseName={folder}/catalog;create=true"
    settings = {
        "spark.sql.warehouse.dir": folder, "spark.driver.memory": "4g", "spark.ui.enabled": "false",
        "spark.driver.maxResultSize": "0",
        "spark.hadoop.javax.jdo.option.ConnectionURL": catalog,
        "spark.driver.extraJavaOptions": f"-Dderby.stream.error.file={folder}/derby.log",
    }  # fmt: skip
    return session_of(master, settings | MEANING)


class SparkTables:
    """The tables of a session, asked as a cursor is."""

    def __init__(self, session: Any) -> None:
        self.session = session
        self.rows: Any = None

    def cursor(self) -> SparkTables:
        """Give this."""
        return self

    def execute(self, sql: str) -> None:
        """Ask for all rows."""
        self.rows = duckdb.from_arrow(self.session.sql(sql.replace('"', "`")).toArrow())
        self.description = [(name,) for name in self.rows.columns]

    @contextmanager
    def written(self, sql: str) -> Iterator[str]:
        """Write the rows of a query as Parquet files, and say where."""
        with tempfile.TemporaryDirectory() as folder:
            frame = self.session.sql(sql.replace('"', "`"))
            frame.write.parquet(f"{folder}/rows")
            yield f"{folder}/rows/*.parquet"

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Give them."""
        rows: list[tuple[Any, ...]] = self.rows.fetchall()
        return rows

    def close(self) -> None:
        """Leave the session to the process."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("database")
    parser.add_argument("address")
    options = parser.parse_args()
    connection = connect(options.address)
    num_tables = num_alike = num_rows = 0
    with duckdb.connect(options.database, read_only=True) as database:
        database.execute("set memory_limit = '4GB'")
        for found in differences(database, connection.cursor()):
            num_tables += 1
            if isinstance(found, int):
                num_alike, num_rows = num_alike + 1, num_rows + found
            else:
                missing, more = found.num_missing, found.num_more
                print(
                    f"{found.table}: of {found.num_rows:,} rows {missing:,} are missing,"
                    f" {more:,} more. {found.example}"
                )
    print(f"{num_alike} of {num_tables} tables are alike, with {num_rows:,} rows.")


if __name__ == "__main__":
    main()
