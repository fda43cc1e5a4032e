"""Exports as hostile as real ones, made from a seed, and their rows as Python's csv counts them.

The faults are those of real exports: encodings, line ends, lines above the header, no header, rows
of another width, widths that change, quotes left open, damaged archives, several files that aren't
alike, and values that no column should have. ``make hostile-files`` builds 500 of them.
"""

from __future__ import annotations

import csv
import gzip
import io
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

COLUMNS = ["customer", "order_no", "day", "amount", "note"]
NOTES = [
    "",
    "",
    "gift",
    "Zoë",
    "Größe 42",
    "caffè",
    "a, b",
    'the "best"',
    "two\nlines",
    "5€",
    "naïve",
]


@dataclass
class Case:
    """Files of one location, the vars that go with them, and how many rows they have."""

    faults: list[str]
    location: str
    variables: dict[str, Any]
    num_rows: int
    paths: list[Path] = field(default_factory=list)


def orders(rng: random.Random, num: int) -> list[list[str]]:
    """Orders of a small shop."""
    rows = []
    for i in range(num):
        day = f"2024-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}"
        amount = f"{rng.randint(100, 9999) / 100:.2f}"
        rows.append([f"C{rng.randint(1, 14):03d}", f"O{i:05d}", day, amount, rng.choice(NOTES)])
    return rows


def written(rows: list[list[str]], delimiter: str, line_end: str, quoting: int) -> str:
    """Write rows as a CSV."""
    target = io.StringIO()
    writer = csv.writer(target, delimiter=delimiter, lineterminator=line_end, quoting=quoting)  # type: ignore[arg-type]
    writer.writerows(rows)
    return target.getvalue()


def rows_in(text: str, delimiter: str, num_before: int) -> int:
    """Count the rows of a text with Python's csv: records that have something, after the first."""
    records = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    return sum(1 for place, record in enumerate(records) if record and place >= num_before)


VALUES = {
    "a date of another form": (2, "31.12.2024"),
    "a date that isn't": (2, "2024-02-31"),
    "a date of long ago": (2, "0001-01-01"),
    "a date far ahead": (2, "2099-01-01"),
    "a date with an offset": (2, "2024-05-01 10:00:00 +0200"),
    "no date": (2, ""),
    "a decimal comma": (3, "12,50"),
    "thousands": (3, "1,234.56"),
    "a currency sign": (3, "$12.50"),
    "parentheses": (3, "(12.50)"),
    "not a number": (3, "NaN"),
    "a huge amount": (3, "1e300"),
    "a large amount": (3, "99999999999999"),
    "no amount": (3, ""),
    "a literal null": (0, "NULL"),
    "no id": (0, "  "),
    "an id with a point": (0, "13085.0"),
    "an id that is long": (0, "x" * 5000),
    "a formula": (0, "=cmd()"),
    "an emoji": (4, "\U0001f600"),
    "a control character": (4, "a\x07b"),
    "an empty quoted field": (4, '""'),
}


def spoil_values(rng: random.Random, rows: list[list[str]]) -> list[str]:
    """Put values into some rows that no column should have."""
    faults = rng.sample(sorted(VALUES), rng.randint(1, 4))
    for fault in faults:
        place, value = VALUES[fault]
        for _ in range(rng.randint(1, 3)):
            rng.choice(rows)[place] = value
    return faults


def spoil_text(
    rng: random.Random, text: str, delimiter: str, line_end: str, above: int
) -> tuple[str, str]:
    """Break the text of a file as a whole in one way, below its header."""
    lines = text.split(line_end)
    place = rng.randint(above + 1, max(len(lines) - 2, above + 1))
    cell = f"{delimiter}x"
    match rng.randrange(14):
        case 0:
            lines[-1:] = [f"Total{delimiter}1234.50", ""]
            return "a short line of totals", line_end.join(lines)
        case 1:
            lines[-1:] = ["# end of export", ""]
            return "a comment at the end", line_end.join(lines)
        case 2:
            lines[place] += cell
            return "a row that is too long", line_end.join(lines)
        case 3:
            lines[place:] = [line + cell if line else line for line in lines[place:]]
            return "a width that changes", line_end.join(lines)
        case 4:
            lines[place] = lines[place].replace(delimiter, f'{delimiter}"', 1)
            return "a quote left open", line_end.join(lines)
        case 5:
            other = min(place + 3, len(lines) - 1)
            lines[place] = lines[place].replace(delimiter, f'{delimiter}"', 1)
            lines[other] = lines[other].replace(delimiter, f'"{delimiter}', 1)
            return "a quote closed rows later", line_end.join(lines)
        case 6:
            lines.insert(place, lines[above])
            return "the header again in the middle", line_end.join(lines)
        case 7:
            lines.insert(place, "")
            lines.insert(place, "")
            return "empty lines", line_end.join(lines)
        case 8:
            return "no line end at the end", text.rstrip("\r\n")
        case 9:
            lines[place] = lines[place].replace(delimiter, f'5" x{delimiter}', 1)
            return "a quote within a value", line_end.join(lines)
        case 10:
            lines[place] = lines[place].replace(delimiter, f'{delimiter}"a" b{delimiter}', 1)
            return "text beside a quoted value", line_end.join(lines)
        case 11:
            return "a NUL byte", text[: len(text) // 2] + "\0" + text[len(text) // 2 :]
        case 12:
            half = len(lines) // 2
            return "mixed line ends", "\r\n".join(lines[:half]) + "\r\n" + "\n".join(lines[half:])
        case _:
            lines[place] = "   "
            return "a line of spaces", line_end.join(lines)


def make_file(
    rng: random.Random, path: Path, rows: list[list[str]], like: dict[str, Any]
) -> list[str]:
    """Write one file, and give its faults; ``like`` holds what the files of a location share."""
    faults = []
    header = list(like["columns"])
    delimiter = like["delimiter"]
    line_end = rng.choice(["\n", "\n", "\n", "\r\n", "\r\n", "\r"])
    quoting = rng.choice([csv.QUOTE_MINIMAL, csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
    if line_end == "\r":
        faults.append("carriage returns")
    if rng.random() < 0.6:
        faults += spoil_values(rng, rows)
    above = 0
    table = rows if like["is_headless"] else [header, *rows]
    text = written(table, delimiter, line_end, quoting)
    if not like["is_headless"] and rng.random() < 0.15:
        faults.append("lines above the header")
        above = rng.randint(1, 4)
        text = "".join(f"Export of the shop, part {i}{line_end}" for i in range(above)) + text
    if rng.random() < 0.6:
        fault, text = spoil_text(rng, text, delimiter, line_end, above)
        faults.append(fault)
    like["num_rows"] += rows_in(text, delimiter, above + (not like["is_headless"]))
    encoding = rng.choice(
        ["utf-8"] * 5 + ["utf-8-sig", "utf-16", "utf-16-le", "windows-1252", "latin-1"]
    )
    data = text.encode(encoding, "replace")
    if encoding != "utf-8":
        faults.append(encoding)
    elif rng.random() < 0.06 and "ë".encode() in data:
        data = data.replace("ë".encode(), b"\xc3", 1)
        faults.append("damaged UTF-8")
    if path.suffix == ".gz":
        data = gzip.compress(data, mtime=0)
        match rng.randrange(4):
            case 0:
                data = data[:-9]
                faults.append("an archive cut off")
            case 1:
                data = data[:-8] + bytes([data[-8] ^ 1]) + data[-7:]
                faults.append("an archive with a wrong sum")
    path.write_bytes(data)
    return faults


def make_case(seed: int, folder: Path) -> Case:
    """Make the files of one location in ``folder``."""
    rng = random.Random(seed)
    folder.mkdir(parents=True)
    num_files = rng.choice([1, 1, 1, 2, 3])
    suffix = rng.choice([".csv"] * 6 + [".csv.gz"])
    like: dict[str, Any] = {
        "columns": COLUMNS,
        "delimiter": rng.choice([",", ",", ",", ";", "\t", "|"]),
        "is_headless": num_files == 1 and rng.random() < 0.08,
        "num_rows": 0,
    }
    faults: list[str] = []
    paths = []
    for number in range(num_files):
        rows = orders(rng, rng.randint(20, 60))
        this = dict(like)
        if number and rng.random() < 0.5:
            match rng.randrange(5):
                case 0:
                    faults.append("a file without a header")
                    this["is_headless"] = True
                case 1:
                    faults.append("a column of another name in one file")
                    this["columns"] = ["Customer ID", *COLUMNS[1:]]
                case 2:
                    faults.append("columns in another order in one file")
                    this["columns"] = COLUMNS[::-1]
                    rows = [row[::-1] for row in rows]
                case 3:
                    faults.append("another delimiter in one file")
                    this["delimiter"] = ";" if like["delimiter"] != ";" else ","
                case _:
                    faults.append("a column more in one file")
                    this["columns"] = [*COLUMNS, "colour"]
                    rows = [[*row, "red"] for row in rows]
        path = folder / f"orders {number}{suffix}"
        this["num_rows"] = 0
        faults += make_file(rng, path, rows, this)
        like["num_rows"] += this["num_rows"]
        paths.append(path)
    options = {"names": COLUMNS} if like["is_headless"] and rng.random() < 0.7 else {}
    if like["is_headless"]:
        faults.append("no header, but names" if options else "no header")
    columns = {"customer_id": "customer", "order_id": "order_no", "ordered_at": "day"}
    return Case(
        faults,
        str(folder / f"orders *{suffix}") if num_files > 1 else str(paths[0]),
        {"order_columns": columns | {"amount": "amount"}, "csv_options": options},
        like["num_rows"],
        paths,
    )
