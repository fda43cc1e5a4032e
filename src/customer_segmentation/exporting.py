"""Lists that leave the database as files: CSV for importers, XLSX for people, and a manifest."""

from __future__ import annotations

import datetime
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

from customer_segmentation.database import Database

MOST_ROWS_OF_A_SHEET = 1_048_575
"""Below its header, in XLSX."""

FORMULA = r"^[=@\t\r\n]|^[+-].*[^0-9 ()./-]"
"""Text that a spreadsheet would run: a sign before more than a number, as phone numbers are."""

WITH_CONSENT = """
    select
        {table}.*,
        targets.consent_status,
        targets.is_eligible,
        targets.suppressed_reason
    from {table}
    left join marketing_targets as targets using (customer_id)
"""

FURTHER = {
    "customer_segments": WITH_CONSENT.format(table="customer_segments") + " order by customer_id",
    "segment_changes_since_last_month": """
        with changes as (
            select * from customer_segment_changes
            where changed_on > (
                select date_trunc('month', as_of_date) - interval 1 month from as_of
            )
        )
        """
    + WITH_CONSENT.format(table="changes")
    + " order by changed_on, customer_id, cause",
}
"""What leaves beside the lists, as SQL by the name of the file."""


def lists_of(database: Database) -> dict[str, str]:
    """Name every file and the query of its rows: the list of each action, and ``FURTHER``."""
    views = database.read(
        f"""
        select table_name from information_schema.tables
        where
            table_schema = '{database.schema_prefix}marketing'
            and starts_with(table_name, 'targets_')
        order by table_name
        """
    )
    return {name: f"select * from {name}" for name in views["table_name"]} | FURTHER


def export(
    database: Database, folder: Path, key: str, progress: Callable[[str], None]
) -> dict[str, Any]:
    """Write all files and ``manifest.json`` into ``folder``, whole or not at all.

    They are readable by their owner only. ``key`` is the header of the customers' ids. What
    was in the folder from an earlier export is replaced. Returns the manifest. Raises
    ``OSError`` if the folder can't be written, ``FileExistsError`` if it is no export,
    ``ValueError`` if a list has a column called like the key.
    """
    if folder.exists() and not (folder / "manifest.json").exists() and any(folder.iterdir()):
        raise FileExistsError(f"'{folder}' has other files. Name another folder.")
    half, old = (folder.with_name(f".{folder.name}.{word}") for word in ("half", "old"))
    shutil.rmtree(half, ignore_errors=True)
    before = os.umask(0o077)
    try:
        half.mkdir(parents=True)
        facts = database.read("select dataset, as_of_date from as_of").iloc[0]
        files = []
        for name, query in lists_of(database).items():
            for file in write_list(database, half, name, query, key):
                progress(f"{file['file']}: {file['rows']:,} rows")
                files.append(file)
        manifest = {
            "dataset": facts["dataset"],
            "as_of_date": f"{facts['as_of_date']:%Y-%m-%d}",
            "edition": database.served_edition.edition_id,
            "model_version": database.active_version,
            "key": key,
            "files": files,
        }
        text = json.dumps(manifest, indent=2, ensure_ascii=False)
        (half / "manifest.json").write_text(text + "\n", encoding="utf-8")
        shutil.rmtree(old, ignore_errors=True)
        if folder.exists():
            folder.rename(old)
        half.rename(folder)
    except BaseException:
        if old.exists() and not folder.exists():
            old.rename(folder)
        raise
    finally:
        os.umask(before)
        shutil.rmtree(half, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
    return manifest


def write_list(
    database: Database, folder: Path, name: str, query: str, key: str
) -> Iterator[dict[str, Any]]:
    """Write a list as CSV and, if a sheet has so many rows, as XLSX: a row of the manifest each."""
    rows = database.relation(query)
    if key != "customer_id" and key in rows.columns:
        raise ValueError(f"--key: '{name}' has a column '{key}' already. Give another name.")
    headers = [key if column == "customer_id" else column for column in rows.columns]
    csv = folder / f"{name}.csv"
    safe, is_formula = [], []
    for column, kind, header in zip(rows.columns, rows.types, headers, strict=True):
        value = f'"{column}"'
        if str(kind) == "VARCHAR":
            runs = f"coalesce(regexp_matches({value}, '{FORMULA}'), false)"
            is_formula.append(f"cast({runs} as integer)")
            value = f"case when {runs} then '''' || {value} else {value} end"
        quoted = header.replace('"', '""')
        safe.append(f'{value} as "{quoted}"')
    ((num_rows, num_neutralised),) = rows.aggregate(
        f"count(*), coalesce(sum({' + '.join(is_formula) or '0'}), 0)"
    ).fetchall()
    rows.project(", ".join(safe)).write_csv(str(csv), header=True, encoding="utf-8")
    about = {"rows": int(num_rows), "columns": headers}
    yield {"file": csv.name, **about, "neutralised_cells": int(num_neutralised), **hash_of(csv)}
    if num_rows <= MOST_ROWS_OF_A_SHEET:
        sheet = folder / f"{name}.xlsx"
        write_sheet(database.rows(query), sheet, headers)
        yield {"file": sheet.name, **about, **hash_of(sheet)}


def hash_of(path: Path) -> dict[str, str]:
    """Hash the bytes of a file."""
    with path.open("rb") as file:
        digest = sha256()
        while block := file.read(1 << 20):
            digest.update(block)
    return {"sha256": digest.hexdigest()}


def write_sheet(rows: Iterable[tuple[Any, ...]], path: Path, headers: list[str]) -> None:
    """Write rows as a sheet in which text stays text, whatever it looks like."""
    import xlsxwriter  # type: ignore[import-untyped]

    with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as book:
        book.set_properties({"created": datetime.datetime(2000, 1, 1)})
        sheet = book.add_worksheet("list")
        bold, day = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd"})
        text = book.add_format({"num_format": "@"})
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, len(headers) - 1, 18)
        for column, header in enumerate(headers):
            sheet.write_string(0, column, header, bold)
        number = 0
        for number, row in enumerate(rows, 1):
            for column, value in enumerate(row):
                if value is None:
                    continue
                if isinstance(value, str):
                    sheet.write_string(number, column, value, text)
                elif isinstance(value, bool):
                    sheet.write_boolean(number, column, value)
                elif isinstance(value, (datetime.date, datetime.datetime)):
                    sheet.write_datetime(number, column, value, day)
                else:
                    is_money = isinstance(value, Decimal)
                    sheet.write_number(number, column, float(value) if is_money else value)
        sheet.autofilter(0, 0, max(number, 1), len(headers) - 1)
