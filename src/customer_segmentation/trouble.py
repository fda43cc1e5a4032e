"""Everyday trouble in one sentence: what is wrong, where, and what to do.

A file that is open elsewhere, a full disk, too little memory: DuckDB, dbt and the operating system
say it in words of their own, over several lines or below a stack trace. Only what people can mend
is known here; all else keeps its own words.
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import click
import duckdb

TAKEN_NAMES = {
    *("staging", "metrics", "clustering", "segments", "marketing"),
    *("main", "system", "temp"),
}
"""Schemas of the project and names that DuckDB keeps: no database can be called so beside them."""

UNUSABLE = re.compile(r"""[?#]|[;'"\\\x00-\x1f](?=[^/]*$)""")
"""Signs in a path, or in its last part, that dbt does not quote, or takes for an address's."""

EDITED = ("actions.csv", "claims.csv", "segment_archetypes.csv", "targeting_rules.csv")
"""Seeds that marketers edit, in a spreadsheet perhaps."""

FOLDERS = {"DBT_TARGET_PATH": "target", "DBT_LOG_PATH": "logs"}
"""Where dbt writes: variables of the environment and their defaults."""

OF_SYSTEM = r"\[Errno \d+\] "

KNOWN = {
    # ---- open elsewhere
    r'Could not set lock on file "(?P<file>.+?)"(?P<lock>.*)': "'{file}' {in_use}",
    # ---- memory
    r"Memory must have a number|Unknown unit for memory|Unable to parse valid percentage": (
        "DUCKDB_MEMORY_LIMIT: '{memory}' is no amount of memory. Give one like 4GB, or a share like"
        " 80%."
    ),
    r"Out of Memory Error: failed to offload": (
        "DuckDB is at its memory limit ({memory}), and the disk of '{database}' has no room for its"
        " temporary files. Free some there, or raise DUCKDB_MEMORY_LIMIT."
    ),
    r"bad allocation|MemoryError|Unable to allocate|annot allocate memory|can't start new thread"
    r"|failed to map segment": (
        "This machine has too little free memory. End other programs, or let DuckDB take less:"
        " DUCKDB_MEMORY_LIMIT is {memory}."
    ),
    r"Out of Memory Error": (
        "DuckDB needs more memory than it may take: DUCKDB_MEMORY_LIMIT is {memory}. Raise it, or"
        " build one model at a time (--threads 1, as is the default)."
    ),
    # ---- the disk
    r'(?:write|open|create|truncate|sync)\w* (?:file|directory) "(?P<file>.+?)".*?(?:No space left'
    r"|[Qq]uota exceeded|File too large)": (
        "The disk is full: '{file}' can't be written. Free some of it{or_elsewhere}."
    ),
    rf"{OF_SYSTEM}(?:No space left.*?|.*?[Qq]uota exceeded|File too large): '(?P<file>.+?)'": (
        "The disk is full: '{file}' can't be written. Free some of it{or_elsewhere}."
    ),
    rf"{OF_SYSTEM}(?:No space left|.*?[Qq]uota exceeded|File too large)": (
        "The disk is full. Free some of it where '{database}' is and where dbt writes:"
        " '{target}' (DBT_TARGET_PATH) and '{logs}' (DBT_LOG_PATH)."
    ),
    # ---- permissions and folders
    r'IO Error: [^"\n]*"(?P<file>[^"]+)"[^"\n]*: (?:Permission denied|Read-only file system)': (
        "'{file}' can't be opened: this user may not. Ask for the permission{or_elsewhere}."
    ),
    rf"{OF_SYSTEM}(?:Permission denied|Read-only file system|Operation not permitted): "
    r"'(?P<file>.+?)'": (
        "'{file}' can't be opened: this user may not. Ask for the permission{or_elsewhere}."
    ),
    r'IO Error: [^"\n]*"(?P<file>[^"]+)"[^"\n]*: (?:No such file or directory|Not a directory)': (
        "'{file}' can't be opened: its folder is missing. Make it{or_elsewhere}."
    ),
    rf"{OF_SYSTEM}(?:File exists|Not a directory): '(?P<file>.+?)'": (
        "'{file}' can't be written: a file is where a folder should be. Move it{or_elsewhere}."
    ),
    r"Symlink loop from '(?P<file>.+?)'": (
        "'{file}' is a link that leads to itself. Take it away{or_elsewhere}."
    ),
    # ---- what is no database, or none that can be read
    r"created with a newer version of DuckDB": (
        "The database '{database}', or one that is attached to it, was written by a newer DuckDB"
        f" than this one ({duckdb.__version__}). Update DuckDB, or name another in DUCKDB_PATH."
    ),
    r"database file with storage version": (
        "The database '{database}', or one that is attached to it, was written by a DuckDB that is"
        f" too old for this one ({duckdb.__version__}). Name another in DUCKDB_PATH."
    ),
    r'"(?P<file>.+?)" exists, but it is not a valid DuckDB database': (
        "'{file}' is no DuckDB database. Move it away{or_elsewhere}."
    ),
    r'IO Error: Cannot open file "(?P<file>.+?)": (?:Is a directory|File exists)': (
        "'{file}' can't be written: it is a folder. Name a file in it."
    ),
    r'from file "(?P<file>.+?)": Is a directory': (
        "'{file}' is no DuckDB database, but a folder. Move it away{or_elsewhere}."
    ),
    r"extension \"sqlite_scanner\"": (
        "'{database}' is no DuckDB database, but an SQLite file. Move it away{or_elsewhere}."
    ),
    # ---- what DuckDB has to learn first
    r"(?P<extension>\w+)\.duckdb_extension\" not found": (
        "This needs DuckDB's extension {extension}, which is not installed. Install it once, which"
        " downloads it: python -c \"import duckdb; duckdb.sql('install {extension}')\"."
    ),
    r'Failure while replaying WAL file "(?P<file>.+?)"': (
        "'{file}', what an earlier run left to be written, is damaged or of another database."
        " Move it away, and build again."
    ),
    r"Corrupt database file|Could not read enough bytes from file"
    r"|database has been invalidated|Unsupported Storage Version": (
        "The database '{database}', or one that is attached to it, is damaged. Move it away; then"
        " serve the edition before it, if one is kept (customer-segmentation rollback), or build"
        " again."
    ),
}
"""What is said, as a pattern, and the sentence in its place; the first that is found holds."""


class Trouble(click.ClickException):
    """Nothing can be done with this database; the message says why, and what to do."""

    exit_code = 2


def in_use(said: duckdb.Error | str) -> str:
    """Say who has a file open, as far as the system tells."""
    who = re.search(r"held in (?P<program>.*) \(PID (?P<process>\d+)\)", str(said))
    by = f" by process {who['process']} ({Path(who['program']).name})" if who else ""
    return f"is open{by}. Try again when it is closed."


def texts_of(problem: BaseException | str) -> Iterator[str]:
    """Give what was said, the cause before what came of it."""
    if isinstance(problem, str):
        yield problem
        return
    if (cause := problem.__cause__ or problem.__context__) is not None:
        yield from texts_of(cause)
    yield f"{type(problem).__name__}: {problem}"


def trouble_of(
    problem: BaseException | str, database: Path, settings: Mapping[str, str]
) -> str | None:
    """Turn an exception or a message into a sentence; None if it is no everyday trouble.

    ``database`` is the file that was worked in, ``settings`` are variables of the environment.
    """
    for text in texts_of(problem):
        for pattern, says in KNOWN.items():
            if found := re.search(pattern, text):
                groups = found.groupdict()
                file = groups.get("file") or str(database)
                return says.format(
                    file=file,
                    extension=groups.get("extension"),
                    database=database,
                    in_use=in_use(groups.get("lock") or ""),
                    memory=settings.get("DUCKDB_MEMORY_LIMIT", "80%"),
                    or_elsewhere=or_elsewhere(Path(file), database, settings),
                    target=settings.get("DBT_TARGET_PATH", FOLDERS["DBT_TARGET_PATH"]),
                    logs=settings.get("DBT_LOG_PATH", FOLDERS["DBT_LOG_PATH"]),
                )
    return None


def or_elsewhere(file: Path, database: Path, settings: Mapping[str, str]) -> str:
    """Say which setting names another place for a file."""
    places = {name: Path(settings.get(name, default)) for name, default in FOLDERS.items()}
    for name, place in places.items():
        if file.absolute().is_relative_to(place.absolute()):
            return f", or name another folder in {name}"
    if database.name in file.name:
        return ", or name another one in DUCKDB_PATH"
    return ", or name another one"


def check_database_path(path: Path) -> None:
    """Raise ``Trouble`` if no database can be built at ``path``, as far as that shows before."""
    another = "Name another file in DUCKDB_PATH, as in shop.duckdb."
    if str(path) == ":memory:" or re.match(r"\w\w+:", str(path)):
        raise Trouble(f"The database '{path}' is no file, which a build needs. {another}")
    name = path.name.lstrip(".").split(".")[0]
    if name.lower() in TAKEN_NAMES:
        raise Trouble(
            f"The database '{path}' can't be called '{name}': a layer or a part of DuckDB is"
            f" called so. {another}"
        )
    if sign := UNUSABLE.search(str(path)) or re.search(r"^\s|\s$", name):
        raise Trouble(
            f"The database '{path}' can't be called so: dbt does not know {sign[0]!r} there."
            f" {another}"
        )
    folder = path.absolute().parent
    try:
        if not folder.is_dir():
            raise Trouble(
                f"The folder of the database '{path}' is missing. Make it, or name another in"
                " DUCKDB_PATH."
            )
        if path.exists():
            check_is_database(path)
    except OSError as problem:
        raise Trouble(
            f"The database '{path}' can't be read: {problem.strerror}. Ask for the permission, or"
            " name another in DUCKDB_PATH."
        ) from problem
    if not os.access(folder, os.W_OK | os.X_OK):
        raise Trouble(
            f"The folder of the database '{path}' can't be written by this user, and builds write"
            " beside it, too. Ask for the permission, or name another in DUCKDB_PATH."
        )


def check_is_database(path: Path) -> None:
    """Raise ``Trouble`` if what is at ``path`` is something else than a DuckDB database."""
    if not path.is_file():
        kind = "a folder" if path.is_dir() else "a device"
    else:
        with path.open("rb") as file:
            head = file.read(16)
        if head[8:12] == b"DUCK":
            return
        is_sqlite = head.startswith(b"SQLite format")
        kind = "empty" if not head else "an SQLite file" if is_sqlite else "something else"
    raise Trouble(
        f"'{path}' is no DuckDB database, but {kind}. Move it away, or name another in DUCKDB_PATH."
    )


def check_seeds(folder: Path) -> None:
    """Raise ``Trouble`` if a file of ``EDITED`` was not saved as dbt reads it.

    dbt would not say which one it is.
    """
    advice = "Save it as a CSV with commas, in UTF-8."
    for path in (folder / name for name in EDITED if (folder / name).is_file()):
        try:
            with path.open(encoding="utf-8", newline="") as file:
                rows = csv.reader(file)
                header = next(rows, [])
                if len(header) < 2:
                    what = "has semicolons for commas" if ";" in "".join(header) else "is empty"
                    raise Trouble(f"'{path}' {what}. {advice}")
                for row in rows:
                    if row and len(row) != len(header):
                        raise Trouble(
                            f"'{path}' has {len(row)} columns in line {rows.line_num} where its"
                            f" header has {len(header)}. Put text with commas in quotes."
                        )
        except UnicodeDecodeError:
            raise Trouble(f"'{path}' is not in UTF-8. {advice}") from None
