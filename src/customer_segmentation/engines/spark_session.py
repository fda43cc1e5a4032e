"""The session of Spark in this process: how it starts, what it is asked, what it says."""

from __future__ import annotations

import os
import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dbt.adapters.exceptions import FailedToConnectError
from dbt_common.exceptions import DbtDatabaseError
from sqlglot.dialects.spark import Spark
from sqlglot.tokenizer_core import TokenType

if TYPE_CHECKING:
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

SMALL = {
    # Nobody looks at the plans of a build that is over; hundreds of them fill the driver.
    "spark.sql.ui.retainedExecutions": "1",
    "spark.ui.retainedJobs": "10",
    "spark.ui.retainedStages": "10",
    "spark.ui.retainedTasks": "100",
    "spark.sql.maxPlanStringLength": "1000",
}
"""Settings that keep the driver small; a profile may have others."""

START = threading.Lock()
"""Threads of dbt begin at one time."""

MEANING = {
    # A cast that can't be made fails, as on DuckDB.
    "spark.sql.ansi.enabled": "true",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
    # Names are compared without case, columns by name.
    "spark.sql.caseSensitive": "false",
}
"""Settings on which it depends what a query answers; nobody changes them."""


class Cursor:
    """The session of this process, as a connection of dbt and its cursor."""

    def __init__(self, session: SparkSession) -> None:
        """Take the session, which all threads share."""
        self.session = session
        self.rows: list[Any] = []
        self.description: list[tuple[Any, ...]] = []

    def cursor(self) -> Cursor:
        """Give this."""
        return self

    def execute(self, sql: str, bindings: Any = None) -> None:
        """Run each statement, and take its rows at once."""
        from pyspark.errors import PySparkException

        for statement in statements(sql):
            try:
                frame = self.session.sql(statement)
                self.description = [
                    (field.name, field.dataType.simpleString(), None, None, None, None, True)
                    for field in frame.schema.fields
                ]
                self.rows = [tuple(row) for row in frame.collect()] if self.description else []
            except PySparkException as problem:
                raise DbtDatabaseError(sentence(problem)) from problem

    def fetchall(self) -> list[Any]:
        """Give the rows of the last statement."""
        return self.rows

    def fetchmany(self, size: int) -> list[Any]:
        """Give the first rows of the last statement."""
        return self.rows[:size]

    def fetchone(self) -> Any:
        """Give the first row of the last statement."""
        return self.rows[0] if self.rows else None

    def close(self) -> None:
        """Leave the session to the other threads."""

    cancel = rollback = close


def session_of(master: str | None, settings: dict[str, str]) -> SparkSession:
    """Start the session of this process, or take it.

    What Spark logs goes into ``spark.log`` beside dbt's log. Raises ``FailedToConnectError`` if it
    does not start.
    """
    with START:
        return _started(master, tuple((SMALL | settings).items()))


@cache
def _started(master: str | None, settings: tuple[tuple[str, str], ...]) -> SparkSession:
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    log = Path(os.environ.get("DBT_LOG_PATH") or "logs") / "spark.log"
    with errors_into(log), warnings.catch_warnings():
        # Of pandas, through which nothing goes here.
        warnings.simplefilter("ignore", FutureWarning)
        builder = SparkSession.builder.appName("customer_segmentation").enableHiveSupport()
        if master:
            builder = builder.master(master)
        for name, value in settings:
            builder = builder.config(name, value)
        try:
            session = builder.getOrCreate()
            session.sparkContext.setLogLevel("OFF")
            # The catalog opens with the first question.
            session.catalog.databaseExists("default")
        except (PySparkException, Py4JError) as problem:
            raise FailedToConnectError(
                f"Spark can't be started on '{master}': {why(problem, log)}"
            ) from problem
        return session


def why(problem: Exception, log: Path) -> str:
    """Say what is known to keep Spark from starting."""
    if "Another instance of Derby" in f"{problem} {getattr(problem, '_stackTrace', '')}":
        return "another build has the catalog open. Wait until it has ended."
    return f"'{log}' has what it says. It needs Java 17 or newer."


@contextmanager
def errors_into(log: Path) -> Iterator[None]:
    """Let processes that are started meanwhile write their errors into a file."""
    log.parent.mkdir(parents=True, exist_ok=True)
    kept = os.dup(2)
    with log.open("wb") as stream:
        os.dup2(stream.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def statements(sql: str) -> Iterator[str]:
    """Split what a hook or a macro wrote at its semicolons; what is only a comment is none.

    >>> list(statements("select ';' /* ; */; drop table a; -- b;"))
    ["select ';' /* ; */", ' drop table a']
    """
    start, has_words = 0, False
    for token in Spark().tokenize(sql):
        if token.token_type != TokenType.SEMICOLON:
            has_words = True
            continue
        if has_words:
            yield sql[start : token.start]
        start, has_words = token.end + 1, False
    if has_words:
        yield sql[start:]


def sentence(problem: PySparkException) -> str:
    """Say what went wrong: the sentence of a guard as it is, Spark's own without its trace."""
    said = str(problem.getMessage() if problem.getMessage() else problem)
    if "USER_RAISED_EXCEPTION" in said:
        return re.sub(r"(?s)^.*?\[USER_RAISED_EXCEPTION] (.*?)( SQLSTATE: P0001.*)?$", r"\1", said)
    return said.split("\n\tat ")[0].split("== SQL")[0].strip()
