"""DuckDB's SQL in the words of another engine: sqlglot, and corrections by name."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import sqlglot
from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import ErrorLevel
from sqlglot.parsers.duckdb import DuckDBParser

from customer_segmentation.engines.stars import Columns, write_out_stars

Correction = Callable[[exp.Expr], "exp.Expr | None"]
"""Takes a node whose children are corrected; returns what stands in its place, or None."""


class ListLength(exp.Length):
    """``len``, which the project calls for lists, as it calls ``length`` for texts."""


class Read(DuckDB):
    """DuckDB without a shift of list indices, which can't be known to be lists."""

    INDEX_OFFSET = 0

    class Parser(DuckDBParser):
        """One that tells ``len`` from ``length``."""

        FUNCTIONS = DuckDBParser.FUNCTIONS | {"LEN": ListLength.from_arg_list}


class Translator:
    """The corrections of one engine, and how its queries are written.

    ``corrections`` has them by name, in their order; ``silent`` names those without which a
    query runs and answers something else.
    """

    def __init__(self, dialect: type[Dialect], finish: Callable[[exp.Expr], None]) -> None:
        """Take the dialect that is written, and what is done to a whole query at the end."""
        self.dialect, self.finish = dialect, finish
        self.corrections: dict[str, Correction] = {}
        self.silent: set[str] = set()

    def correction(self, function: Correction) -> Correction:
        """Register a correction under its name."""
        self.corrections[function.__name__] = function
        return function

    def silent_correction(self, function: Correction) -> Correction:
        """Register one without which a query runs and answers something else."""
        self.silent.add(function.__name__)
        return self.correction(function)

    def written(self, template: str, **parts: exp.Expr) -> exp.Expr:
        """Parse the engine's SQL, with expressions in place of the columns of their names."""
        tree = _parsed(template, self.dialect).copy()
        for column in list(tree.find_all(exp.Column)):
            if column.name in parts and not column.table:
                part = parts[column.name].copy()
                if column is tree:
                    return part
                column.replace(part)
        return tree

    def translated(self, sql: str, columns: Columns, without: str | None = None) -> str:
        """Translate one query; ``without`` names a correction that is left out.

        ``columns`` gives those of a table, for stars that the engine lacks.
        """
        tree = sqlglot.parse_one(sql, read=Read)
        for table in tree.find_all(exp.Table):
            table.set("catalog", None)
        tree = write_out_stars(tree, columns)
        for flat in list(tree.find_all(exp.Flatten)):
            if isinstance(flat.this, exp.Transform):
                flat.this.meta["flat"] = True
                flat.replace(flat.this)
        corrections = [function for name, function in self.corrections.items() if name != without]
        for node in reversed(list(tree.bfs())):
            current = node
            for function in corrections:
                new = function(current)
                if new is not None and new is not current:
                    if current is tree:
                        tree = new
                    else:
                        current.replace(new)
                    current = new
        self.finish(tree)
        return tree.sql(
            dialect=self.dialect, unsupported_level=ErrorLevel.IGNORE, comments=False, pretty=True
        )


@cache
def _parsed(template: str, dialect: type[Dialect]) -> exp.Expr:
    return sqlglot.parse_one(template, read=dialect)


def is_list_in_text(node: exp.Expr) -> bool:
    """Tell a cast of a column of texts such as ``[1, 2]`` into a list."""
    return (
        isinstance(node, exp.Cast)
        and node.to.this == exp.DataType.Type.ARRAY
        and isinstance(node.this, exp.Column)
    )


def json_path(node: exp.JSONExtract | exp.JSONExtractScalar) -> exp.Expr:
    """Give the path into a JSON text, as a text."""
    path: exp.Expr = node.expression
    if isinstance(path, exp.JSONPath):
        return exp.Literal.string(path.sql(dialect="duckdb").strip("'"))
    return path
