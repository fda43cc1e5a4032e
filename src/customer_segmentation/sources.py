"""Where orders and customers come from: each file looked at, each field tried, before any build.

What can't work is a sentence in ``problem``, which a guard of the models raises before anything is
replaced. The rest says how DuckDB reads each file, and what of it is no row.
"""

from __future__ import annotations

import csv
import difflib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from customer_segmentation.csv_files import (
    EXPORT_AGAIN,
    Layout,
    NotReadable,
    Options,
    Scan,
    count_rows,
    find_encoding,
    find_layout,
    lines_of,
    scan,
    transcode,
    width_of,
)
from customer_segmentation.schemas import SOURCE_FILES
from customer_segmentation.trouble import trouble_of

MAX_TOLD = 200_000
"""Rows that are no rows of which line and reason are kept, in one file."""

FEW = 10
"""So many rows that are no rows are always a matter for the ledger, not for a refusal."""

CSV = re.compile(r"[.](csv|tsv|txt)([.]gz)?$", re.IGNORECASE)
PARQUET = re.compile(r"[.](parquet|parq)$", re.IGNORECASE)
IDENTIFIER = r'(?:"(?:[^"]|"")+"|[^\W\d]\w*)'
ICEBERG = re.compile(r"[.]metadata[.]json$")
ON_THE_NETWORK = re.compile(r"^\w+://")
PARTITION = re.compile(r"[/\\]([^/\\=]+)=[^/\\]*(?=[/\\])")
TABLE = re.compile(rf"^{IDENTIFIER}(?:[.]{IDENTIFIER}){{0,2}}$")

REQUIRED = {
    "orders": ("customer_id", "order_id", "ordered_at", "amount"),
    "customers": ("customer_id",),
    "currency_rates": ("currency", "month", "rate"),
    "customer_identities": ("identifier", "customer_id"),
}
OPTIONAL = {
    "orders": ("line_id", "status", "currency", "refunded_amount", "email"),
    "customers": ("has_consent", "is_unsubscribed", "last_contacted_on"),
    "currency_rates": (),
    "customer_identities": (),
}


@dataclass
class Source:
    """A location and its mapping, as the vars give them."""

    name: str
    """orders, customers, currency_rates or customer_identities."""
    location: str
    columns: Mapping[str, Any]
    model: str | None = None
    """The model of a host that the location is the table of."""
    custom_columns: Mapping[str, Any] = field(default_factory=dict)
    rows_are: str = "order_lines"
    order_rows: str | None = None
    csv_options: Mapping[str, Any] = field(default_factory=dict)
    max_unreadable_share: float = 0.01
    allow_network: bool = False

    @cached_property
    def options(self) -> Options:
        """What ``csv_options`` say. Raises ``Problem`` if they can't."""
        try:
            return Options.of(self.csv_options)
        except ValueError as error:
            raise Problem(f"{self.options_var}: {error}.") from error

    @property
    def var(self) -> str:
        """The var that names it."""
        return f"{self.name}_location" if self.model is None else f"{self.name}_model"

    @property
    def options_var(self) -> str | None:
        """The var that says how its CSVs are written, if there is one."""
        return {"orders": "csv_options", "customers": "customers_csv_options"}.get(self.name)

    @property
    def mapping(self) -> str:
        """The var that maps the columns."""
        if self.name == "currency_rates":
            return "currency_rates_location"
        if self.name == "customer_identities":
            return "customer_identity_columns"
        return f"{self.name[:-1]}_columns"

    @property
    def required(self) -> tuple[str, ...]:
        """Fields that must be mapped: where each row is an order, its id may be missing."""
        names = REQUIRED[self.name]
        return tuple(n for n in names if n != "order_id" or self.rows_are != "orders")

    def expressions(self) -> Iterable[tuple[str, str, str]]:
        """Give each mapped field: the var, the field and its expression."""
        for var, columns in (
            (self.mapping, self.columns),
            ("custom_order_columns", self.custom_columns),
        ):
            for name, expression in columns.items():
                if expression is not None:
                    yield var, name, str(expression)
        if self.order_rows is not None:
            yield "order_rows", "order_rows", self.order_rows


class Problem(Exception):
    """What can't work, in one sentence."""


def not_readable(source: Source, error: Exception, advice: str = "") -> Problem:
    """Say why a source can't be read, and which extension DuckDB lacks if it is that."""
    if "duckdb_extension" in str(error):
        said = trouble_of(error, Path(source.location), {})
        return Problem(f"{source.var}: '{source.location}' can't be read. {said}")
    return Problem(f"{source.var}: '{source.location}' can't be read: {first_line(error)}.{advice}")


def text(value: str) -> str:
    """Write ``value`` as a SQL text."""
    return "'" + value.replace("'", "''") + "'"


def first_line(error: Exception) -> str:
    """Give what DuckDB says without its kind of error, candidates and excerpts."""
    return str(error).split("\n")[0].split(": ", 1)[-1].rstrip(".")


def listed(names: Iterable[str]) -> str:
    """Join names for a sentence."""
    return ", ".join(names)


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """Suggest the nearest of ``names``, if one is near."""
    by_key = {known.casefold(): known for known in names}
    near = difflib.get_close_matches(name.casefold(), by_key, 1, 0.6)
    return f" Did you mean '{by_key[near[0]]}'?" if near else ""


def columns_named(connection: Any, expression: str) -> list[str]:
    """Give the columns that an expression names; the whole expression if it is no SQL.

    For a column whose name has a space and lacks its quotes is no SQL either.
    """
    query = f"select json_serialize_sql({text(f'select try({expression}' + chr(10) + ')')})"
    ((tree,),) = connection.execute(query).fetchall()
    tree = json.loads(tree)
    found: list[str] = []

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if node.get("class") == "COLUMN_REF":
                found.append(node["column_names"][0])
            for child in node.values():
                walk(child)
        elif isinstance(node, list):
            for child in node:
                walk(child)

    walk(tree)
    return [expression.strip()] if tree["error"] else found


# ---- Files


def read_csv(path: str, layout: Layout, line_end: str, options: Options, further: str) -> str:
    """Give the table function that reads a CSV with DuckDB's detection off."""
    columns = ", ".join(f"{text(name)}: 'VARCHAR'" for name in layout.names)
    escape = options.escape or options.quote
    return (
        f"read_csv({text(path)}, auto_detect = false, header = false,"
        f" skip = {layout.num_records_before}, delim = {text(layout.delimiter)},"
        f" quote = {text(options.quote)}, escape = {text(escape)}, comment = '',"
        f" new_line = '{line_end.encode('unicode_escape').decode()}',"
        f" columns = {{{columns}}}{further})"
    )


@dataclass
class File:
    """A row of ``source_files``: one file and how it is read."""

    source: str
    file: str
    kind: str
    encoding: str | None = None
    delimiter: str | None = None
    num_lines_above_header: int | None = None
    columns: list[str] = field(default_factory=list)
    missing_columns: list[str] = field(default_factory=list)
    columns_of_fields: dict[str, list[str]] = field(default_factory=dict)
    num_rows: int | None = None
    unreadable_rows: list[dict[str, Any]] = field(default_factory=list)
    read_with: str | None = None
    note: str | None = None
    problem: str | None = None

    def row(self) -> dict[str, Any]:
        """Give its values as ``SOURCE_FILES`` names them."""
        lists = {
            name: json.dumps(getattr(self, name), ensure_ascii=False)
            for name in ("columns", "missing_columns", "columns_of_fields", "unreadable_rows")
        }
        return vars(self) | lists | {"num_unreadable_rows": len(self.unreadable_rows)}


def rejected_rows(connection: Any, path: Path, read: str) -> tuple[int, list[tuple[int, str, str]]]:
    """Count the rows that DuckDB reads, and give line, error and text of the others.

    On a cursor of its own, whose temporary tables end with it.
    """
    connection = connection.cursor()
    tables = "rejects_table = 'csv_rejects', rejects_scan = 'csv_reject_scans'"
    further = f", store_rejects = true, rejects_limit = {MAX_TOLD}, {tables})"
    num = connection.execute(f"select count(*) from {read[:-1]}{further}").fetchall()[0][0]
    rejects = connection.execute(
        """
        select line_byte_position, any_value(error_type), any_value(csv_line) from csv_rejects
        group by 1 order by 1
        """
    ).fetchall()
    # DuckDB counts a row as one line, also where it has line ends in quotes.
    lines = lines_of(path, [position - 1 for position, _, _ in rejects]) if rejects else []
    return num, [(line, *reject[1:]) for line, reject in zip(lines, rejects, strict=True)]


def look_at_csv(
    connection: Any, source: Source, path: str, needed: list[str], copies: Path
) -> File:
    """Find out how one CSV is read and which of its rows are none. Raises ``NotReadable``."""
    options = source.options
    file = File(source.name, path, "csv")
    encoding = find_encoding(Path(path), options.encoding)
    notes = []
    read_from = path

    def copy_to_read() -> str:
        copy = copies / f"{sha256(str(Path(path).absolute()).encode()).hexdigest()[:16]}.csv"
        transcode(Path(path), encoding, copy.with_suffix(".half"))
        # In one step, since the edition that is served may read it.
        copy.with_suffix(".half").replace(copy)
        return str(copy)

    if encoding not in ("utf-8", "utf-8-sig", "ascii") or re.search(r"[*?\[]", path):
        read_from = copy_to_read()
    found: Scan = scan(Path(read_from), options.quote)
    if found.line_end is None:
        notes.append("has carriage returns as line ends, alone or among others")
        read_from = copy_to_read()
        found = scan(Path(read_from), options.quote)
    if encoding not in ("utf-8", "utf-8-sig", "ascii"):
        notes.append(f"was read as {encoding}")
    line_end = found.line_end or "\n"
    layout = find_layout(Path(read_from), needed, options)
    if twice := next((name for name in needed if name.casefold() in layout.repeated_names), None):
        raise NotReadable(
            f"has several columns called '{twice}'. Rename all but the one that is meant, or name"
            " all columns in csv_options, as in {skip: 1, names: [...]}."
        )
    file.encoding, file.delimiter, file.columns = encoding, layout.delimiter, list(layout.names)
    file.num_lines_above_header = max(layout.num_records_before - options.has_header, 0)
    if file.num_lines_above_header and options.skip is None and options.has_header:
        notes.append(f"has {file.num_lines_above_header} lines above its header")
    file.note = f"'{path}' {' and '.join(notes)}." if notes else None

    read = read_csv(read_from, layout, line_end, options, "")
    try:
        num_rows, rejects = rejected_rows(connection, Path(read_from), read)
    except duckdb.Error as error:
        raise NotReadable(f"can't be read: {first_line(error)}. {EXPORT_AGAIN}.") from error
    expected = found.num_records - layout.num_records_before
    if num_rows + len(rejects) != expected or found.has_line_ends_in_quotes or found.is_quote_open:
        expected = count_rows(Path(read_from), layout, options)
    width = len(layout.names)
    if len(rejects) > FEW and len(rejects) > source.max_unreadable_share * expected:
        line, kind, content = rejects[0]
        header = "the header has" if options.has_header else "names gives"
        raise NotReadable(
            f"line {line} {what_is_wrong(kind, content, layout, options, header)}, and"
            f" {len(rejects) - 1} more of its {expected} rows are like that. Make them alike:"
            " exports of different columns can be files of their own, and csv_options says what the"
            " file is (delimiter, quote, skip, names)."
        )
    if width > 1 and num_rows + len(rejects) != expected:
        first = f", the first in line {rejects[0][0]}" if rejects else ""
        raise NotReadable(
            f"has {expected} rows, but {num_rows} can be read and {len(rejects)} are known to be"
            f" unreadable{first}. {EXPORT_AGAIN} as a plain CSV, with quotes doubled within quotes."
        )
    file.num_rows = num_rows
    file.unreadable_rows = [
        {
            "line": line,
            "problem": what_is_wrong(kind, content, layout, options, "the header has"),
        }
        for line, kind, content in rejects
    ]
    # Without the rows that are none DuckDB must give the very rows that were counted; where a quote
    # is astray, several threads may lose some.
    ways = (", ignore_errors = true", ", ignore_errors = true, parallel = false")
    for further in ways if rejects else ("",):
        file.read_with = read_csv(read_from, layout, line_end, options, further)
        query = f"select count(*) from {file.read_with}"
        if not rejects or connection.execute(query).fetchall() == [(num_rows,)]:
            break
    else:
        raise NotReadable(
            f"line {rejects[0][0]} {file.unreadable_rows[0]['problem']}, and the rows after it"
            f" can't be told apart. {EXPORT_AGAIN}, with quotes doubled within quotes."
        )
    return file


def what_is_wrong(error: str, content: str, layout: Layout, options: Options, header: str) -> str:
    """Say why a line is no row, without what stands in it."""
    if error in ("MISSING COLUMNS", "TOO MANY COLUMNS"):
        width = width_of(content, layout, options)
        return f"has {width} columns where {header} {len(layout.names)}"
    if error == "UNQUOTED VALUE":
        return "has text beside a quoted value, or a quote within it that is not doubled"
    return f"can't be read ({error.lower()})"


def look_at_csv_files(connection: Any, source: Source, copies: Path) -> list[File]:
    """Look at each CSV of a location."""
    needed = [name for _, _, e in source.expressions() for name in columns_named(connection, e)]
    names = copied_here(connection, source, copies) if ON_THE_NETWORK.match(source.location) else {}
    paths = list(names) or files_at(connection, source)
    filled = [path for path in paths if Path(path).stat().st_size]
    if not filled:
        raise Problem(
            f"{source.var}: '{source.location}' is empty. {EXPORT_AGAIN} with its header and rows."
        )
    files = []
    for path in filled:
        try:
            file = look_at_csv(connection, source, path, needed, copies)
        except NotReadable as problem:
            raise Problem(f"{source.var}: '{names.get(path, path)}' {problem}") from problem
        except (LookupError, OSError, csv.Error) as error:
            raise Problem(
                f"{source.var}: '{names.get(path, path)}' can't be read: {first_line(error)}."
            ) from error
        file.file = names.get(path, path)
        files.append(file)
    return files


def copied_here(connection: Any, source: Source, copies: Path) -> dict[str, str]:
    """Copy CSVs from the network, since they are looked at byte by byte: their names by copy."""
    copies.mkdir(parents=True, exist_ok=True)
    names = {}
    cursor = connection.cursor()
    found = cursor.execute("select filename, content from read_blob($1)", [source.location])
    while row := found.fetchone():
        name, content = row
        ending = CSV.search(name)
        copy = copies / (
            sha256(name.encode()).hexdigest()[:16] + (ending[0] if ending else ".csv").lower()
        )
        half = copy.with_name(f"{copy.name}.half")
        half.write_bytes(content)
        # In one step, since the edition that is served may read it.
        half.replace(copy)
        names[str(copy)] = name
    return names


def look_at_parquet_files(connection: Any, source: Source, location: str) -> list[File]:
    """Look at each Parquet file of a location, also of one that is partitioned by its folders."""
    if not ON_THE_NETWORK.match(location):
        files_at(connection, source, location)
    try:
        rows = connection.execute(
            f"select file_name, num_rows from parquet_file_metadata({text(location)})"
            " order by file_name"
        ).fetchall()
        columns: dict[str, list[str]] = {}
        for name, column in connection.execute(
            f"select file_name, name from parquet_schema({text(location)})"
        ).fetchall():
            columns.setdefault(name, []).append(column)
    except duckdb.Error as error:
        raise not_readable(source, error) from error
    partitions = {name: PARTITION.findall(name) for name, _ in rows}
    # Their values stay text, like a CSV's, so that no leading zero is lost.
    how = "hive_partitioning = true, hive_types_autocast = false"
    if not all(partitions.values()):
        how, partitions = "hive_partitioning = false", {}
    read = f"read_parquet({text(location)}, union_by_name = true, {how})"
    return [
        File(
            source.name,
            name,
            "parquet",
            # The first name is that of the whole.
            columns=columns[name][1:] + partitions.get(name, []),
            num_rows=num,
            read_with=read,
        )
        for name, num in rows
    ]


def files_at(connection: Any, source: Source, location: str | None = None) -> list[str]:
    """Give the files that a location stands for, in their order."""
    location = location or source.location
    if Path(location).is_file():
        return [location]
    found = connection.execute(f"select file from glob({text(location)}) order by file")
    paths = [path for (path,) in found.fetchall() if Path(path).is_file()]
    if not paths:
        raise Problem(
            f"{source.var}: no file matches '{source.location}'. Check the path; a"
            " relative one starts at the folder where dbt runs."
        )
    return paths


def look_at_table(connection: Any, source: Source) -> list[File]:
    """Look at a table of an attached database."""
    location = source.location
    parts = [part.strip('"').replace('""', '"') for part in re.findall(IDENTIFIER, location)]
    names = connection.execute("select database_name from duckdb_databases()").fetchall()
    attached = {name.casefold() for (name,) in names}
    if len(parts) == 3 and parts[0].casefold() not in attached:
        raise Problem(
            f"{source.var}: no database '{parts[0]}' is attached. Name its file in"
            f" attached_databases, as in {{{parts[0]}: path/to/file.duckdb}}."
        )
    try:
        described = connection.execute(f"describe select * from {location}").fetchall()
    except duckdb.CatalogException as error:
        raise Problem(
            f"{source.var}: no table '{location}' is known. Give database.schema.table"
            " with the database in attached_databases, or a path that ends in .csv or .parquet."
        ) from error
    except duckdb.Error as error:
        raise not_readable(source, error) from error
    columns = [row[0] for row in described]
    return [File(source.name, location, "table", columns=columns, read_with=location)]


def look_at_table_of_files(connection: Any, source: Source, kind: str) -> list[File]:
    """Look at a table of Delta or Iceberg, as DuckDB's extension of that name reads it."""
    location = source.location.rstrip("/\\")
    read = f"{kind}_scan({text(location)})"
    try:
        described = connection.execute(f"describe select * from {read}").fetchall()
    except duckdb.Error as error:
        if "version-hint" in str(error):
            raise Problem(
                f"{source.var}: '{source.location}' does not say which version of the table holds;"
                f" its catalog does. Name that file, as in '{location}/metadata/....metadata.json'."
            ) from error
        raise not_readable(source, error) from error
    columns = [row[0] for row in described]
    return [File(source.name, source.location, kind, columns=columns, read_with=read)]


def look_at_folder(connection: Any, source: Source) -> list[File]:
    """Look at a folder that is a table: of Delta, of Iceberg, or of Parquet partitions."""
    folder = source.location.rstrip("/\\")
    for kind, sign in (("delta", "_delta_log/*.json"), ("iceberg", "metadata/*.metadata.json")):
        if next(Path(folder).glob(sign), None):
            return look_at_table_of_files(connection, source, kind)
    if next(Path(folder).glob("*=*/"), None):
        return look_at_parquet_files(connection, source, f"{folder}/**/*.parquet")
    raise Problem(
        f"{source.var}: '{source.location}' is a folder. Name its files, as in '{folder}/*.csv'."
    )


def look_at_location(connection: Any, source: Source, copies: Path) -> list[File]:
    """Look at what a location stands for, whatever its kind."""
    location = source.location
    if ON_THE_NETWORK.match(location):
        if not source.allow_network:
            raise Problem(
                f"{source.var}: '{location}' is on the network, which is read only if you say so:"
                " allow_network: true. Or copy it to this machine."
            )
    elif Path(location).is_dir():
        return look_at_folder(connection, source)
    if CSV.search(location):
        return look_at_csv_files(connection, source, copies)
    if ICEBERG.search(location):
        return look_at_table_of_files(connection, source, "iceberg")
    if PARQUET.search(location):
        return look_at_parquet_files(connection, source, location)
    if TABLE.match(location):
        return look_at_table(connection, source)
    raise Problem(
        f"{source.var}: can't tell what '{location}' is. Give a path that ends in .csv,"
        " .csv.gz or .parquet (globs like orders/*.parquet work), or a table like shop.main.orders;"
        ' a name with a hyphen or a space needs double quotes, as in shop.main."order-lines".'
    )


# ---- Mapping


def check_fields(source: Source) -> None:
    """Raise ``Problem`` for a required field that is not mapped, or a field that there isn't."""
    required, optional = source.required, OPTIONAL[source.name]
    for name in required:
        if source.columns.get(name) in (None, ""):
            raise Problem(
                f"{source.mapping}: the field '{name}' is not mapped. Give the SQL expression that"
                " yields it."
            )
    known = dict.fromkeys((*REQUIRED[source.name], *optional))
    for name in source.columns:
        if name not in known:
            own = (
                "; columns of your own go into custom_order_columns."
                if source.name == "orders"
                else "."
            )
            raise Problem(
                f"{source.mapping}: there is no field '{name}'. The fields are {listed(known)}{own}"
            )


def check_columns_of_each_file(connection: Any, source: Source, files: list[File]) -> None:
    """Raise ``Problem`` for a file that has none of the columns of a required field."""
    everywhere = {name.casefold() for file in files for name in file.columns}
    for var, name, expression in source.expressions():
        named = [n for n in columns_named(connection, expression) if n.casefold() in everywhere]
        for file in files:
            there = {column.casefold() for column in file.columns}
            missing = [column for column in named if column.casefold() not in there]
            if name in source.required and named and len(missing) == len(named):
                raise Problem(
                    f"{source.var}: '{file.file}' has no column '{missing[0]}', which"
                    f" other files have and {var} names for '{name}'."
                    + shown(file, source, " Rename it there, or name both: coalesce(one, other).")
                )
            file.missing_columns += missing


def shown(file: File, source: Source, advice: str = "") -> str:
    """Show a file's columns, unless what was taken for a header looks like a row."""
    plain = [name for name in file.columns if re.match(r"[^\W\d]", name)]
    if file.kind == "csv" and len(plain) < len(file.columns):
        advice = (
            f"if it has none, give {source.options_var}: {{names: [...]}}."
            if source.options_var
            else f"give it one, with {listed(REQUIRED[source.name])}."
        )
        return f" Its first line looks like a row, not like a header: {advice}"
    return f" Its columns are {listed(file.columns)}.{advice}"


def check_expressions(connection: Any, source: Source, files: list[File]) -> None:
    """Raise ``Problem`` for the first expression that can't be computed from the columns."""
    relation = relation_of(files)
    columns = list(dict.fromkeys(name for file in files for name in file.columns))
    for var, name, expression in source.expressions():
        what = "condition" if var == name else f"expression for '{name}'"
        said = f"{var}: the {what}"
        try:
            connection.execute(
                f"select try({expression}\n) from ({relation}) as source_rows limit 0"
            )
        except duckdb.ParserException as error:
            names = [c for c in columns if not re.fullmatch(r"[^\W\d]\w*", c) and c in expression]
            if expression.strip() in columns:
                names = [expression.strip()]
            hint = (
                " A column's name with a space or a sign, or one that is a word of SQL, needs"
                f" double quotes, and YAML single ones around them: {name}: '\"{names[0]}\"'."
                if names
                else shown(files[0], source)
            )
            raise Problem(
                f"{said} is no valid SQL: {expression} ({first_line(error)}).{hint}"
            ) from error
        except duckdb.Error as error:
            raise Problem(said + cannot_be_bound(error, columns, source, files)) from error


def cannot_be_bound(
    error: duckdb.Error, columns: list[str], source: Source, files: list[File]
) -> str:
    """Say why DuckDB can't bind an expression, and the way out."""
    message = str(error)
    several = " Give orders_location a view that has it as a column."
    if named := re.search(r'(?:column|table) "(.+?)" not found', message):
        return (
            f" names a column '{named[1]}' that doesn't exist in '{source.location}'."
            + did_you_mean(named[1], columns)
            + shown(files[0], source)
        )
    if "window function" in message:
        return f" has a window function, which looks at other rows.{several}"
    if "aggregate" in message or "subquer" in message or "UNNEST" in message:
        return f" looks at several rows ({first_line(error)}).{several}"
    if isinstance(error, duckdb.CatalogException):
        return f" can't be computed: {first_line(error)}."
    if files[0].kind == "csv" and "explicit type casts" in message:
        return (
            " can't be computed, since CSV columns are text: cast them, as in"
            f" cast({columns[-1] if columns[-1].isidentifier() else 'price'} as double) * 2"
            f" ({first_line(error)})."
        )
    return f" can't be computed: {first_line(error)}."


def relation_of(files: list[File]) -> str:
    """Give the query of all rows of a source."""
    reads = dict.fromkeys(file.read_with for file in files)
    return " union all by name ".join(f"select * from {read}" for read in reads)


def look_at(connection: Any, source: Source, copies: Path) -> list[File]:
    """Look at a source: a row per file, or one row that says what can't work."""
    try:
        check_fields(source)
        files = look_at_location(connection, source, copies)
        check_columns_of_each_file(connection, source, files)
        check_expressions(connection, source, files)
        # An expression also names what is no column, as the x of x -> x + 1.
        columns = {column.casefold(): column for file in files for column in file.columns}
        named = {
            name: [
                columns[c.casefold()]
                for c in columns_named(connection, expression)
                if c.casefold() in columns
            ]
            for _, name, expression in source.expressions()
        }
        for file in files:
            file.columns_of_fields = named
        if source.name == "orders" and not any(file.num_rows != 0 for file in files):
            raise Problem(
                f"{source.var}: '{source.location}' has a header but no row. {EXPORT_AGAIN} with"
                " its orders."
            )
    except Problem as error:
        problem = str(error)
    except (duckdb.Error, OSError) as error:
        advice = " Copy it to this machine, or check that it may be read."
        problem = str(not_readable(source, error, advice))
    else:
        return files
    return [File(source.name, source.location, "unknown", problem=problem)]


def look_at_sources(
    connection: Any, sources: Iterable[Source], copies: Path, others_use_copies: bool = False
) -> pd.DataFrame:
    """Look at each source that has a location: rows of ``SOURCE_FILES``.

    Of the folder ``copies``, what is not read any more is deleted, unless other editions of the
    database read there, too.
    """
    rows = [file.row() for source in sources for file in look_at(connection, source, copies)]
    frame = pd.DataFrame(rows, columns=list(SOURCE_FILES))
    if not others_use_copies:
        delete_unused(copies, frame["read_with"])
    return frame.astype(SOURCE_FILES)


def delete_unused(copies: Path, read_with: Iterable[str]) -> None:
    """Delete the copies of files that are named in none of the calls that read them."""
    used = " ".join(map(str, read_with))
    for old in copies.glob("*.*") if copies.is_dir() else ():
        if old.name not in used:
            old.unlink()
