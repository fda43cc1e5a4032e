"""dbt for people: short progress, and a failure that ends with its one sentence.

``dbt build`` does the work, in this process; what it prints is replaced. Nothing passes through a
shell, so that a path may have any character.
"""

from __future__ import annotations

import atexit
import logging
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import duckdb
import yaml

from customer_segmentation.database import NotReadable, home_of
from customer_segmentation.editions import Editions, NotPossible, let_read
from customer_segmentation.trouble import FOLDERS, check_database_path, check_seeds, trouble_of

SHOWN_ROWS = 3

BESIDE = re.compile(r"__(being_built|b\d{14})$")
"""At the end of the schemas of a build that is made beside those that are read."""

TOLD_AT_THE_END = ("input_alarms_are_silent", "no_setting_waits_for_a_refit")
"""Data tests of which the project's last hook says more than their rows would."""


class WrongUse(click.ClickException):
    """The command can't do what it is asked to; the message says why."""

    exit_code = 2


def vars_of(
    file: Path | None, orders: str | None, customers: str | None, further: str | None
) -> dict[str, Any]:
    """Read the vars of a file, of locations and of a YAML text; the later ones win.

    Raises ``WrongUse`` for a file that is missing or no mapping, and for an empty location.
    """
    found: dict[str, Any] = {}
    if file is not None:
        try:
            found |= mapping(file.read_text(encoding="utf-8"), f"'{file}'")
        except FileNotFoundError as error:
            raise WrongUse(f"There is no vars file '{file}'. Check its path.") from error
        except UnicodeDecodeError as error:
            raise WrongUse(f"The vars file '{file}' is not in UTF-8. Save it so.") from error
        except OSError as error:
            raise WrongUse(f"The vars file '{file}' can't be read: {error.strerror}.") from error
    for name, location in (("orders", orders), ("customers", customers)):
        if location is not None:
            if not location.strip():
                raise WrongUse(f"--{name} is empty. Give a path or a table, or leave it out.")
            found[f"{name}_location"] = location
    if further:
        found |= mapping(further, "--vars")
    return found


def mapping(text: str, where: str) -> dict[str, Any]:
    """Read a mapping from YAML. Raises ``WrongUse`` if it is none."""
    try:
        value = yaml.safe_load(text)
        repeated = first_repeated_key(yaml.compose(text, yaml.SafeLoader))
    except ValueError as error:
        # YAML takes 2024-02-31 without quotes for a day.
        raise WrongUse(f"{where}: a value can't be read: {error}. Put quotes around it.") from error
    except yaml.YAMLError as error:
        line = getattr(getattr(error, "problem_mark", None), "line", None)
        place = "" if line is None else f" (line {line + 1})"
        raise WrongUse(
            f"{where} is no YAML{place}. Write one var a line, as name: value."
        ) from error
    if repeated is not None:
        raise WrongUse(
            f"{where}: '{repeated.value}' stands there again in line"
            f" {repeated.start_mark.line + 1}. Keep one of them."
        )
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise WrongUse(f"{where} is no mapping. Write one var a line, as name: value.")
    return value


def first_repeated_key(node: yaml.Node | None) -> yaml.ScalarNode | None:
    """Find a key that its mapping has already: YAML would let the last one win, without a word."""
    if isinstance(node, yaml.MappingNode):
        keys: set[str] = set()
        for key, value in node.value:
            if key.value in keys:
                repeated: yaml.ScalarNode = key
                return repeated
            keys.add(str(key.value))
            if (inner := first_repeated_key(value)) is not None:
                return inner
    return None


def sentence(message: str) -> str:
    """Give what a message of dbt says: without where it was said, and what was compiled."""
    message = re.sub(r"\x1b\[\d*m", "", message)
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    if any(line.endswith("Traceback (most recent call last):") for line in lines):
        return f"{lines[-1]}. This is a fault of the project: the log has where it happened."
    if any("compiled code at" in line for line in lines):
        lines = lines[: next(i for i, line in enumerate(lines) if "compiled code at" in line)]
    kind = re.compile(r"^(Runtime|Compilation|Database|Parsing) Error( in .*)?$")
    lines = [
        line
        for line in lines
        if not kind.match(line) and not line.startswith(("> in ", "> called"))
    ]
    text = " ".join(lines) or message.strip()
    return re.sub(r"^(\[\w+\]: |Invalid Input Error: |Encountered an error: ?)*", "", text).strip()


@dataclass
class Told:
    """What a run has said so far, and how it shows that it goes on."""

    write: Callable[[str], None]
    is_terminal: bool
    database: Path
    started: float = field(default_factory=time.perf_counter)
    layers: set[str] = field(default_factory=set)
    warnings: dict[str, None] = field(default_factory=dict)
    notes: dict[str, None] = field(default_factory=dict)
    errors: dict[str, None] = field(default_factory=dict)
    selects_nothing: str = ""
    first_of_duckdb: str = ""
    trouble: str = ""

    def say(self, message: str) -> str:
        """Give a message of dbt in a sentence, in one of ours if it is everyday trouble."""
        if "'Exposure' object has no attribute" in message:
            # dbt stumbles over exposures when a hook has failed, and forgets why it did.
            message = self.first_of_duckdb
        trouble = trouble_of(message, self.database, os.environ)
        self.trouble = self.trouble or trouble or ""
        return trouble or sentence(message)

    def progress(self, text: str, layer: str) -> None:
        """Show a step: each on one line of a terminal, the first of each layer in a log."""
        line = f"{time.perf_counter() - self.started:6.1f} s  {text}"
        if self.is_terminal:
            self.write(f"\r{line[:78]:<78}")
        elif layer not in self.layers:
            self.write(f"{line}\n")
        self.layers.add(layer)

    def hear(self, event: Any) -> None:
        """Take what concerns people from an event of dbt."""
        name, message = event.info.name, event.info.msg
        if name == "LogStartLine":
            node = event.data.node_info
            layer = BESIDE.sub("", node.node_relation.schema or node.resource_type)
            if node.resource_type == "model":
                self.progress(f"{layer}: {node.node_name}", layer)
        elif name == "JinjaLogWarning":
            self.warnings.setdefault(sentence(message))
        elif name == "NoNodesForSelectionCriteria":
            self.selects_nothing = sentence(message)
        elif name == "JinjaLogInfo":
            self.notes.setdefault(message)
        elif event.info.level == "error" and name in ("MainEncounteredError", "RunOperationError"):
            self.errors.setdefault(self.say(message))
        elif "duckdb error: " in message and not self.first_of_duckdb:
            self.first_of_duckdb = message.split("duckdb error: ", 1)[1]


def reason_of(node: Any) -> str:
    """Say what a data test checks: the comment at its head, or its name."""
    comments = re.findall(r"^-- (?!noqa)(.*)$", node.raw_code or "", re.MULTILINE)
    return " ".join(comments) or node.name.replace("_", " ")


def first_rows(node: Any, database: str) -> list[str]:
    """Give the first rows of a singular test: figures, never raw rows."""
    if "/singular/" not in f"/{node.original_file_path}" or not node.compiled_code:
        return []
    if not Path(database).is_file():
        # On another engine; DuckDB would make a file of that name.
        return []
    try:
        with duckdb.connect(database) as connection:
            found = connection.execute(
                f"select * from ({node.compiled_code}\n) as failures limit {SHOWN_ROWS}"
            )
            names = [column[0] for column in found.description or ()]
            return [
                ", ".join(f"{name}: {value}" for name, value in zip(names, row, strict=True))
                for row in found.fetchall()
            ]
    except duckdb.Error:
        return []


def outcomes(results: Iterable[Any], told: Told, database: str) -> None:
    """Sort the results of a run into errors and warnings, each a sentence said once."""
    for result in results:
        status = str(result.status)
        # The result of an operation has no node.
        node = getattr(result, "node", None)
        if status == "error":
            told.errors.setdefault(told.say(result.message or ""))
        elif node is None:
            continue
        elif status in ("fail", "warn"):
            if node.name in TOLD_AT_THE_END:
                continue
            rows = first_rows(node, database) if node.resource_type == "test" else []
            text = f"{reason_of(node)} ({node.name})" if node.resource_type == "test" else node.name
            if node.resource_type == "unit_test":
                text = f"The unit test {node.name} fails: {sentence(result.message or '')}"
            target = told.errors if status == "fail" else told.warnings
            target.setdefault("\n    ".join([text, *rows]))


@contextmanager
def environment(given: Mapping[str, str]) -> Iterator[None]:
    """Set variables of the environment, for what profiles.yml and the macros read of it."""
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def log_that_may_fail(told: Told) -> Iterator[None]:
    """Say once that dbt's log can't be written; Python would print a stack trace for each line."""

    def warn(handler: logging.Handler, record: logging.LogRecord) -> None:
        problem = sys.exc_info()[1] or "it can't be written"
        why = trouble_of(problem, told.database, os.environ) or problem
        told.warnings.setdefault(f"dbt's log is not whole. {why}")

    before = logging.Handler.handleError
    logging.Handler.handleError = warn  # type: ignore[assignment, method-assign]
    try:
        yield
    finally:
        logging.Handler.handleError = before  # type: ignore[method-assign]


@contextmanager
def ended_at_a_standstill(
    seconds: float = 300, end: Callable[[int], Any] = os._exit
) -> Iterator[None]:
    """End the process if it computes nothing for so long, as dbt waits for what never comes.

    A thread that finds no memory may die unheard. Nothing is lost: what a killed build leaves is
    taken away by the next one, which would be kept out by one that waits.
    """
    is_over = threading.Event()

    def watch() -> None:
        num_quiet, spent = 0, time.process_time()
        # Looks are counted, not seconds: a process that was stopped did not stand still.
        while not is_over.wait(seconds / 30):
            if time.process_time() - spent < 0.1:
                num_quiet += 1
            else:
                num_quiet, spent = 0, time.process_time()
            if num_quiet == 30:
                click.echo(
                    f"Error: The build stands still: for {seconds:.0f} seconds nothing was"
                    " computed. This machine may have too little free memory. End other programs,"
                    " and build again.",
                    err=True,
                )
                end(1)

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        is_over.set()


def end_quietly() -> None:
    """Let libraries end without a word, as dbt leaves threads behind after an error of its own."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


@contextmanager
def private_files() -> Iterator[None]:
    """Whatever is written is its owner's alone."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


@dataclass
class Run:
    """What a run of dbt came to."""

    success: bool
    told: Told
    num_steps: int

    def tell(self, database: Path) -> int:
        """Say what people should know: 0 if all is well, 1 if something failed."""
        told = self.told
        for note in told.notes:
            click.echo(note)
        for warning in told.warnings:
            click.echo(f"Warning: {warning}")
        if self.success:
            seconds = time.perf_counter() - told.started
            click.echo(
                f"{database}: {self.num_steps} steps in {seconds:.1f} s"
                + (f"; {len(told.warnings)} to look at, above." if told.warnings else ".")
            )
            return 0
        errors = list(told.errors) or ["dbt failed without saying why."]
        # The first failure comes last, where it is seen. On a full disk all else follows from it.
        for error in [told.trouble] if told.trouble else reversed(errors):
            click.echo(f"Error: {error}", err=True)
        return 1


def run(
    arguments: Sequence[str],
    variables: Mapping[str, Any],
    project: Path,
    database: Path,
    reads_only: bool = False,
    computes_here: bool = True,
) -> Run:
    """Run dbt on a database, which nobody is kept out of if the run only reads.

    Where a server or a cluster computes, this process may wait for it as long as it takes.
    Raises ``WrongUse`` for arguments that dbt does not know.
    """
    if not (project / "dbt_project.yml").is_file():
        raise WrongUse(
            f"There is no dbt_project.yml in '{project}'. Go to its folder, or name it with"
            " --project-dir."
        )
    told = Told(lambda text: click.echo(text, nl=False), sys.stdout.isatty(), home_of(database))
    told.progress("starting dbt", "")
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    options = [*arguments, "--project-dir", str(project), "--log-level", "none"]
    asks_for_them = any("unit_test" in text or "test_type:unit" in text for text in arguments)
    if arguments[0] == "build" and not asks_for_them:
        # They try the project's SQL on rows of their own: no orders can change what they say.
        options += ["--exclude-resource-type", "unit_test"]
    if "--log-level-file" not in arguments:
        # Else the file is as silent as the screen.
        options += ["--log-level-file", os.environ.get("DBT_LOG_LEVEL_FILE", "debug")]
    if "--profiles-dir" not in arguments and (project / "profiles.yml").is_file():
        options += ["--profiles-dir", str(project)]
    if variables:
        options += ["--vars", yaml.safe_dump(dict(variables), allow_unicode=True)]
    given = {
        "DUCKDB_PATH": str(database),
        "DUCKDB_READ_ONLY": "1" if reads_only else "",
        "BUILDS_AN_EDITION": "1" if home_of(database) != database else "",
    }
    watched = ended_at_a_standstill() if computes_here else nullcontext()
    with environment(given), log_that_may_fail(told), watched:
        result = dbtRunner(callbacks=[told.hear]).invoke(options)
    # dbt keeps the database open, for its next run in this process.
    DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
    if told.is_terminal and told.layers:
        told.write("\r" + " " * 78 + "\r")
    if type(result.exception).__name__ == "DbtUsageException":
        raise WrongUse(f"{result.exception} The arguments are those of dbt build.")
    if told.selects_nothing and not getattr(result.result, "results", None):
        raise WrongUse(f"{told.selects_nothing} Look for a typing error in the selection.")
    if result.exception:
        atexit.register(end_quietly)
    if result.exception and not told.errors:
        told.errors.setdefault(told.say(str(result.exception)))
    results = list(getattr(result.result, "results", None) or [])
    outcomes(results, told, str(database))
    num_steps = sum(str(r.status) in ("success", "pass", "warn") for r in results)
    return Run(bool(result.success), told, num_steps)


def folders_of_dbt(project: Path) -> list[Path]:
    """Name the folders that dbt writes beside the database: compiled SQL, and the log."""
    return [Path(os.environ.get(name) or project / default) for name, default in FOLDERS.items()]


def engine_elsewhere(arguments: Sequence[str], project: Path) -> tuple[str, str] | None:
    """Name the target of a run, given or the profile's own, and its engine, if it is not DuckDB."""
    given = {"--target": "", "-t": "", "--profiles-dir": "", "--profile": ""}
    for position, option in enumerate(arguments):
        name, _, value = option.partition("=")
        if name in given:
            given[name] = value or "".join(arguments[position + 1 : position + 2])
    homes = [str(project), os.environ.get("DBT_PROFILES_DIR", ""), str(Path.home() / ".dbt")]
    files = [
        Path(home) / "profiles.yml"
        for home in ([given["--profiles-dir"]] if given["--profiles-dir"] else homes)
        if home
    ]
    file = next((file for file in files if file.is_file()), None)
    settings = project / "dbt_project.yml"
    if file is None or not settings.is_file():
        return None
    try:
        own = yaml.safe_load(settings.read_text(encoding="utf-8"))["profile"]
        profile = yaml.safe_load(file.read_text(encoding="utf-8"))[given["--profile"] or own]
    except (yaml.YAMLError, KeyError, TypeError):
        # dbt says what is wrong with them.
        return None
    target = given["--target"] or given["-t"] or profile.get("target", "default")
    engine = profile.get("outputs", {}).get(target, {}).get("type", "duckdb")
    return (target, engine) if engine != "duckdb" else None


SELECTIONS = ("-s", "--select", "--exclude", "--selector", "-m", "--models", "--resource-type")


def build_beside(
    arguments: Sequence[str],
    variables: Mapping[str, Any],
    project: Path,
    target: str,
    engine: str,
) -> int:
    """Build on an engine without files, in schemas beside those that are read.

    They take their place if everything succeeded: renamed in one transaction, or, on Spark, which
    renames none, behind views. A part of the project is built in place, which Spark refuses.
    Returns 0 if all is well, 1 if something failed.
    """
    is_whole = not any(option.split("=")[0] in SELECTIONS for option in arguments)
    own = f"__b{datetime.now(UTC):%Y%m%d%H%M%S}" if engine.startswith("spark") else "__being_built"
    with environment({"BUILDS_BESIDE": own if is_whole else ""}):
        made = run(["build", *arguments], variables, project, Path(target), computes_here=False)
    if is_whole and not made.success and made.num_steps:
        click.echo("Nothing was published: what is read is as it was.")
    return made.tell(Path(target))


def build_edition(
    arguments: Sequence[str],
    variables: Mapping[str, Any],
    project: Path,
    database: Path,
    wait: bool = False,
) -> int:
    """Build in a copy of the database, and publish it if every test passed.

    Returns 0 if all is well, 1 if something failed. Raises ``NotPossible`` if another process
    builds or writes the database.
    """
    if elsewhere := engine_elsewhere(arguments, project):
        return build_beside(arguments, variables, project, *elsewhere)
    editions = Editions.of(database)
    check_database_path(editions.published)
    check_seeds(project / "seeds")
    with private_files(), editions.locked(wait, click.echo):
        before = editions.begin()
        made = run(["build", *arguments], variables, project, editions.file("building"))
        if made.success:
            try:
                edition = editions.publish(before)
                # Of another owner's folders that owner decides.
                with suppress(PermissionError):
                    let_read(edition.settings["readable_by"], *folders_of_dbt(project))
            except (NotPossible, NotReadable, duckdb.Error, OSError) as problem:
                made.success = False
                made.told.errors.setdefault(made.told.say(str(problem)))
        if not made.success and made.num_steps and editions.file("building").exists():
            failed = editions.set_aside()
            click.echo(
                f"Nothing was published: '{database}' is as it was. What failed is in '{failed}'"
                " until the next build."
            )
        return made.tell(database)
