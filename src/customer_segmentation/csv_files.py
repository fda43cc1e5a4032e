"""CSV files as they are: encoding, line ends, delimiter and header found, every line counted.

DuckDB's own detection skips what it doesn't like: half of a file whose header changes in the
middle, for instance. So nothing is left to it. What a file is gets found here, from its bytes and
its beginning; DuckDB then reads with detection off; and the rows that it gives are compared with
the file's own line ends, outside quotes. Where the two differ, Python's ``csv`` decides.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, BinaryIO

csv.field_size_limit(2**31 - 1)

CHUNK = 1 << 24
BEGINNING = 1 << 18
"""Bytes that delimiter and header are found in."""

HEADER_IS_AMONG_THE_FIRST = 60
"""Records; what stands above the header is some lines about the export."""

DELIMITERS = (",", ";", "\t", "|")
BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""In this order, since the mark of UTF-32 begins with that of UTF-16."""

EXPORT_AGAIN = "Export it again"


class NotReadable(Exception):
    """A file can't be read as it is; the message is one sentence without the file's name."""


@dataclass(frozen=True)
class Options:
    """What the var ``csv_options`` says; what is None is found."""

    skip: int | None = None
    header: bool | None = None
    names: tuple[str, ...] | None = None
    encoding: str | None = None
    delimiter: str | None = None
    quote: str = '"'
    escape: str | None = None

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Options:
        """Check what the var says. Raises ``ValueError`` with what an option may be."""
        kinds = {
            "skip": (int, "a whole number of lines"),
            "header": (bool, "true or false"),
            "names": (list, "a list of column names"),
            "encoding": (str, "a name like utf-8, windows-1252 or utf-16"),
            "delimiter": (str, "one character"),
            "quote": (str, "one character"),
            "escape": (str, "one character"),
        }
        for name, value in given.items():
            if name not in kinds:
                raise ValueError(f"there is no option '{name}'. The options are {', '.join(kinds)}")
            kind, allowed = kinds[name]
            fits = isinstance(value, kind) and not (kind is int and isinstance(value, bool))
            if kind is str and allowed == "one character":
                fits = fits and len(value) == 1 and value.isascii() and value not in "\r\n"
            if name == "names":
                fits = fits and bool(value) and all(isinstance(n, str) and n for n in value)
                fits = fits and len({n.casefold() for n in value}) == len(value)
            if name == "skip":
                fits = fits and value >= 0
            if name == "encoding" and fits:
                try:
                    fits = codecs.lookup(value)._is_text_encoding
                except LookupError:
                    fits = False
            if not fits:
                raise ValueError(f"'{value}' won't do for '{name}'. Give {allowed}")
        names = given.get("names")
        return cls(**(dict(given) | ({"names": tuple(names)} if names else {})))

    @property
    def has_header(self) -> bool:
        """Whether the file has a header: so unless said otherwise, or names are given."""
        return self.names is None if self.header is None else self.header


@dataclass(frozen=True)
class Layout:
    """How a file in UTF-8 with one kind of line end is cut into columns."""

    delimiter: str
    names: tuple[str, ...]
    num_records_before: int
    """Records, empty lines among them, before the first row; the header is one."""
    repeated_names: frozenset[str] = frozenset()
    """What several columns of the header are called, without regard to case."""


@dataclass(frozen=True)
class Scan:
    """What the bytes of a file in UTF-8 say."""

    line_end: str | None
    """None if there are several kinds, or a carriage return alone."""
    num_records: int
    """Line ends outside quotes, and a last line without one."""
    has_line_ends_in_quotes: bool
    is_quote_open: bool


def open_bytes(path: Path) -> BinaryIO:
    """Open a file, unpacked if it is gzip, which also checks its sum at the end."""
    with path.open("rb") as file:
        is_packed = file.read(2) == b"\x1f\x8b"
    return gzip.open(path) if is_packed else path.open("rb")  # type: ignore[return-value]


def chunks(path: Path) -> Iterator[bytes]:
    """Read all bytes of a file. Raises ``NotReadable`` if it was cut off or damaged on its way."""
    try:
        with open_bytes(path) as file:
            while chunk := file.read(CHUNK):
                yield chunk
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise NotReadable(
            f"is a damaged or incomplete gzip file ({str(error).rstrip('.')}). {EXPORT_AGAIN}."
        ) from error


def lines_of(path: Path, positions: Iterable[int]) -> list[int]:
    """Give the numbers, from 1, of the lines that the bytes at ascending ``positions`` stand in."""
    waiting = list(positions)[::-1]
    found = []
    seen = num = 0
    for chunk in chunks(path):
        while waiting and waiting[-1] < seen + len(chunk):
            found.append(num + chunk[: waiting.pop() - seen].count(b"\n") + 1)
        num += chunk.count(b"\n")
        seen += len(chunk)
    return found + [num + 1] * len(waiting)


def first_undecodable(path: Path, encoding: str) -> int | None:
    """Give the position of the first byte that isn't text in ``encoding``; None if all are."""
    decoder = codecs.getincrementaldecoder(encoding)()
    seen = 0
    for chunk in chain(chunks(path), [b""]):
        if encoding == "utf-8" and chunk.isascii() and chunk and not decoder.getstate()[0]:
            seen += len(chunk)
            continue
        waiting = len(decoder.getstate()[0])
        try:
            decoder.decode(chunk, final=not chunk)
        except UnicodeError as error:
            # That UTF-16 lacks its byte order mark has no place.
            return seen - waiting + getattr(error, "start", 0)
        seen += len(chunk)
    return None


def find_encoding(path: Path, given: str | None) -> str:
    """Find a file's encoding: its byte order mark's, the given one, UTF-8, or a Western one.

    Raises ``NotReadable`` if it doesn't fit, or for UTF-8 with a few damaged bytes, which
    would be garbled all over if it were taken for something else.
    """
    with open_bytes(path) as file:
        try:
            beginning = file.read(4096)
        except (gzip.BadGzipFile, EOFError, zlib.error):
            beginning = b""
    encoding = next(
        (name for mark, name in BYTE_ORDER_MARKS.items() if beginning.startswith(mark)), given
    )
    if encoding is None and b"\0" in beginning:
        even, odd = beginning[::2].count(0), beginning[1::2].count(0)
        if max(even, odd) > len(beginning) / 4:
            encoding = "utf-16-le" if odd > even else "utf-16-be"
    encoding = encoding or "utf-8"
    position = first_undecodable(path, encoding)
    if position is None:
        return encoding
    (line,) = lines_of(path, [position])
    if given is not None or encoding != "utf-8":
        raise NotReadable(
            f"is not {encoding}: line {line} has a byte that {encoding} doesn't know."
            " Name its encoding in csv_options, as in {encoding: windows-1252}."
        )
    right, wrong = 0, 0
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    for chunk in chunks(path):
        text = decoder.decode(chunk)
        wrong += text.count("�")
        right += len(text) - len(text.encode("ascii", "ignore")) - text.count("�")
    if right > 3 * wrong:
        raise NotReadable(
            f"is UTF-8, but damaged in line {line}. {EXPORT_AGAIN}, or name its encoding"
            " in csv_options, as in {encoding: windows-1252}."
        )
    return "windows-1252" if first_undecodable(path, "windows-1252") is None else "latin-1"


def transcode(path: Path, encoding: str, copy: Path) -> None:
    """Write ``path`` as UTF-8 with line feeds to ``copy``."""
    copy.parent.mkdir(parents=True, exist_ok=True)
    with (
        open_bytes(path) as file,
        io.TextIOWrapper(file, encoding=encoding) as source,
        copy.open("w", encoding="utf-8", newline="\n") as target,
    ):
        while text := source.read(CHUNK):
            target.write(text)


def scan(path: Path, quote: str) -> Scan:
    """Read all bytes of a file in UTF-8 once: its line ends, outside quotes and within.

    Raises ``NotReadable`` for a file with a NUL byte.
    """
    mark = quote.encode()
    others = bytes(sorted(set(range(256)) - {*b"\r\n", *mark}))
    raw: Counter[bytes] = Counter()
    outside = inside = seen = 0
    last = b"\n"
    waiting = b""
    for chunk in chunks(path):
        if b"\0" in chunk:
            (line,) = lines_of(path, [seen + chunk.index(b"\0")])
            raise NotReadable(f"has a NUL byte in line {line}, which is no text. {EXPORT_AGAIN}.")
        raw[b"\r\n"] += chunk.count(b"\r\n") + (last == b"\r" and chunk[:1] == b"\n")
        raw[b"\n"] += chunk.count(b"\n")
        raw[b"\r"] += chunk.count(b"\r")
        last = chunk[-1:]
        seen += len(chunk)
        # Two quotes side by side neither open nor close anything for the line ends around.
        marks = (waiting + chunk.translate(None, others)).replace(mark * 2, b"")
        parts = marks.split(mark)
        outside += sum(part.count(b"\n") for part in parts[::2])
        inside += sum(part.count(b"\n") for part in parts[1::2])
        waiting = b"" if len(parts) % 2 else mark
    if not raw[b"\r"]:
        line_end = "\n"
    elif raw[b"\r"] == raw[b"\r\n"] == raw[b"\n"]:
        line_end = "\r\n"
    else:
        line_end = None
    return Scan(
        line_end=line_end,
        num_records=outside + (last not in b"\r\n"),
        has_line_ends_in_quotes=inside > 0,
        is_quote_open=waiting != b"",
    )


def unique(names: Iterable[str]) -> tuple[str, ...]:
    """Name columns as DuckDB does: no two alike but for case, and none without a name."""
    found: list[str] = []
    taken: set[str] = set()
    for position, name in enumerate(names):
        name = base = name.strip().lstrip("\ufeff").strip() or f"column{position}"
        suffix = 0
        while name.casefold() in taken:
            suffix += 1
            name = f"{base}_{suffix}"
        taken.add(name.casefold())
        found.append(name)
    return tuple(found)


def records_of(text: Iterable[str], layout_delimiter: str, options: Options) -> Any:
    """Cut text into records as Python's csv does."""
    return csv.reader(
        text,
        delimiter=layout_delimiter,
        quotechar=options.quote,
        escapechar=options.escape if options.escape != options.quote else None,
        doublequote=options.escape in (None, options.quote),
    )


def find_layout(path: Path, needed: Iterable[str], options: Options) -> Layout:
    """Find delimiter and header of a file in UTF-8, from its beginning.

    The header is the first record that has most of the ``needed`` columns; the delimiter is the one
    that finds most of them there. Where none is found, the most regular delimiter is taken and the
    first record of the usual width, so that a message can show what is there.
    """
    with open_bytes(path) as file:
        data = file.read(BEGINNING)
    text = data.decode("utf-8-sig", "ignore")
    if len(data) == BEGINNING:
        text = text[: max(text.rfind("\n"), text.rfind("\r")) + 1]
    wanted = {name.strip().casefold() for name in needed}

    best: tuple[tuple[int, int], Layout] | None = None
    for delimiter in (options.delimiter,) if options.delimiter else DELIMITERS:
        records = list(
            islice(
                records_of(io.StringIO(text, newline=""), delimiter, options),
                HEADER_IS_AMONG_THE_FIRST + (options.skip or 0),
            )
        )
        widths = Counter(len(record) for record in records if record)
        width = max(widths, key=lambda n: (widths[n] if n > 1 else 0, n)) if widths else 0
        matches = 0
        repeated: frozenset[str] = frozenset()
        if not options.has_header:
            position = options.skip or 0
            names = options.names or tuple(f"column{i}" for i in range(width))
            matches = -abs(len(names) - width)
        else:
            places = [
                (len(wanted & {cell.strip().casefold() for cell in record}), -place)
                for place, record in enumerate(records)
                if record and place >= (options.skip or 0)
            ]
            if options.skip is not None:
                place = next((-place for _, place in places), options.skip)
                matches = next((found for found, _ in places), 0)
            elif places and max(places)[0]:
                matches, place = max(places)[0], -max(places)[1]
            else:
                place = next((i for i, record in enumerate(records) if len(record) == width), 0)
            record = records[place] if place < len(records) else []
            names = options.names or unique(record)
            position = place + 1
            if options.names is None:
                cells = Counter(cell.strip().casefold() for cell in record)
                repeated = frozenset(cell for cell, num in cells.items() if num > 1)
        layout = Layout(delimiter, names, position, repeated)
        score = (matches, widths[width] if width > 1 else 0)
        if best is None or score > best[0]:
            best = score, layout
    assert best is not None
    return best[1]


def count_rows(path: Path, layout: Layout, options: Options) -> int:
    """Count the rows of a file in UTF-8 with Python's csv; empty lines are none.

    Raises ``NotReadable`` where a quote is never closed, or where one that is closed much later
    seems to have swallowed the rows between: a field over several lines whose ends, cut at the
    delimiters, would be the end of one row and the beginning of another.
    """
    end = "\x1eend\x1e"
    width = len(layout.names)
    num = 0
    with io.TextIOWrapper(open_bytes(path), encoding="utf-8-sig", newline="") as file:
        reader = records_of(chain(file, [end]), layout.delimiter, options)
        before = 0
        is_closed = False
        for position, record in enumerate(reader):
            line, before = before + 1, reader.line_num
            is_closed = record == [end]
            if is_closed or not record:
                continue
            if position >= layout.num_records_before:
                num += 1
            for place, field in enumerate(record):
                if "\n" not in field and "\r" not in field:
                    continue
                lines = field.split("\n" if "\n" in field else "\r")
                if width > 2 and (
                    columns_in(lines[0], layout.delimiter) == width - 1 - place
                    and columns_in(lines[-1], layout.delimiter) == place
                    and len(record) == width
                ):
                    raise NotReadable(
                        f"has a quoted field from line {line} to line {reader.line_num} that looks"
                        " like several rows. Was a quote left open? Close it, or double it if it"
                        " belongs to the text."
                    )
        if not is_closed:
            raise NotReadable(
                f"has a quote in line {line} that is never closed, so all lines after it would be"
                " one field. Close it, or double it if it belongs to the text."
            )
    return num


def columns_in(text: str, delimiter: str) -> int:
    """Count delimiters that no space follows, as it does in sentences."""
    return text.count(delimiter) - text.count(f"{delimiter} ")


def width_of(line: str, layout: Layout, options: Options) -> int:
    """Count the columns of one record."""
    records = records_of(io.StringIO(line, newline=""), layout.delimiter, options)
    return max((len(record) for record in records), default=0)
