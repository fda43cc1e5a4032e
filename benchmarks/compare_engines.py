"""Compare the tables of a shop on Postgres with those that DuckDB built, row by row.

    python benchmarks/compare_engines.py shop.duckdb "host=localhost dbname=shop"

Rows are compared as multisets: counts, money, days and assignments exactly, doubles to nine
digits, settings as JSON. Left out are columns that say how and where, not what: seconds, files
and the hash of a raw row.
"""

from __future__ import annotations

import argparse
import json
import math
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

import duckdb
import psycopg2
import psycopg2.extensions

LAYERS = ("staging", "metrics", "clustering", "segments", "marketing")
NOT_COMPARED = {"seconds", "file", "row_hash"}
AS_JSON = {"settings", "settings_now", "settings_then", "value_now", "value_then"}
SIGNIFICANT_DIGITS = 9


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
    if isinstance(value, (int, float, Decimal)):
        number = float(value)
        return "nan" if math.isnan(number) else float(f"{number:.{SIGNIFICANT_DIGITS - 1}e}")
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
        cursor.execute(f'select * from "{schema}"."{name}"')
        names = [column[0] for column in cursor.description]
        rows = cursor.fetchall()
        if sorted(names) != sorted(wanted.columns):
            columns = sorted(set(names) ^ set(wanted.columns))
            yield Difference(f"{schema}.{name}", 0, 0, len(rows), f"columns: {columns}")
            continue
        used = [column for column in wanted.columns if column not in NOT_COMPARED]
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


def connect(address: str) -> Any:
    """Connect to Postgres; days are texts, as Python's know no infinity."""
    connection = psycopg2.connect(address)
    as_text = psycopg2.extensions.new_type((1082,), "DAY", lambda text, cursor: text)
    psycopg2.extensions.register_type(as_text, connection)
    return connection


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
