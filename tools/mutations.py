"""Would a test notice? Breaks the project in many places, one at a time, and runs the tests.

`make mutations` runs this file. A mutation changes one operator, limit, join, sort term or default
of the code (DeMillo, Lipton and Sayward, Hints on Test Data Selection, 1978); one that every test
passes has survived: a test is missing, or the change means the same as what it replaced. Each is
tried in a copy of the project, the cheapest tests first, and none after the first that fails.
"""

from __future__ import annotations

import argparse
import ast
import io
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tokenize
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

PROJECT = Path(__file__).parents[1]
PACKAGE = "src/customer_segmentation"

NUM_MUTATIONS, RANDOM_SEED = 60, 42
NUM_AT_A_TIME = 2

MAX_SECONDS = 300
"""A step that takes longer has hung, which somebody would notice."""


@dataclass(frozen=True)
class Subject:
    """A part of the project, and the test files that are about it (`tests/python/test_*.py`)."""

    files: tuple[str, ...]
    unit: tuple[str, ...]
    """They need no build; for mutations of Python."""
    slow: tuple[str, ...]
    """They look at a build of the sample, or make builds of their own."""


SUBJECTS = {
    "choice": Subject(
        (f"{PACKAGE}/choice.py", f"{PACKAGE}/resampling.py"),
        ("choice",),
        ("sample_build",),
    ),
    "stability": Subject(
        (f"{PACKAGE}/stability.py", f"{PACKAGE}/agreement.py", f"{PACKAGE}/boundaries.py"),
        ("boundaries", "candidates", "choice", "identity"),
        ("sample_build",),
    ),
    "scoring": Subject(
        (
            "models/clustering/served_versions.sql",
            *(
                f"{PACKAGE}/{name}.py"
                for name in ("segmentation", "features", "fitting", "identity")
            ),
        ),
        ("features", "fitting", "identity", "boundaries", "segmentation"),
        ("segmentation", "sample_build"),
    ),
    "targeting": Subject(
        ("models/marketing/marketing_targets.sql", "macros/marketing.sql"),
        (),
        ("sample_build", "actions", "report"),
    ),
    "exclusions": Subject(
        (
            *(
                f"models/staging/{name}.sql"
                for name in (
                    "typed_order_lines",
                    "order_days",
                    "judged_order_days",
                    "order_exclusions",
                    "as_of",
                    "orders",
                )
            ),
            "macros/cleaning.sql",
        ),
        (),
        ("sample_build", "own_orders"),
    ),
    "naming": Subject(
        (
            "models/segments/segment_definitions.sql",
            "models/segments/archetype_fits.sql",
            "models/segments/cluster_claims.sql",
            "models/segments/segment_claims.sql",
            f"{PACKAGE}/naming.py",
        ),
        ("naming",),
        ("sample_build", "names", "report"),
    ),
    "history": Subject(
        (
            *(
                f"models/metrics/{name}.sql"
                for name in (
                    "metric_days",
                    "order_changes",
                    "customer_days",
                    "customer_metrics_history",
                    "repurchase_windows",
                    "repurchase_curve",
                )
            ),
            "macros/repurchase.sql",
        ),
        (),
        ("repurchase", "point_in_time", "input_alarms"),
    ),
}


@dataclass(frozen=True)
class Mutation:
    """One change of one place: ``before``, at a position in characters, becomes ``after``."""

    path: str
    kind: str
    position: int
    before: str
    after: str

    def applied(self, text: str) -> str:
        """Change the text of the file; raises ``ValueError`` if it is not the text drawn from."""
        end = self.position + len(self.before)
        if text[self.position : end] != self.before:
            raise ValueError(f"{self.path} is not what it was when the mutations were drawn")
        return text[: self.position] + self.after + text[end:]


# ---- What may be changed ----------------------------------------------------------------------

COMPARISONS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "=": "<>"}
ARITHMETIC = {"+": "-", "-": "+", "*": "/", "/": "*"}
LOGIC = {"and": "or", "or": "and"}
EXTREMES = {
    "min": "max", "max": "min", "minimum": "maximum", "maximum": "minimum",
    "greatest": "least", "least": "greatest", "list_min": "list_max", "list_max": "list_min",
}  # fmt: skip


def other_numbers(written: str) -> list[str]:
    """Limits beside a limit: one more and one less, or half as much again."""
    if "." in written:
        return [f"{float(written) * 1.5:g}"]
    return [str(int(written) + 1), str(int(written) - 1)]


def python_mutations(path: str, text: str) -> Iterator[Mutation]:
    """Every mutation of a Python file: none in imports, annotations or any text."""
    lines = text.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))

    def position(row: int, column_in_bytes: int) -> int:
        before = lines[row - 1].encode()[:column_in_bytes].decode()
        return starts[row - 1] + len(before)

    def begin(node: ast.expr) -> int:
        return position(node.lineno, node.col_offset)

    def end(node: ast.expr) -> int:
        return position(node.end_lineno or 0, node.end_col_offset or 0)

    tokens = [
        (starts[token.start[0] - 1] + token.start[1], token.string)
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type in (tokenize.OP, tokenize.NAME) and token.string not in "()"
    ]

    def operators(first: ast.expr, second: ast.expr) -> list[tuple[int, str]]:
        return [token for token in tokens if end(first) <= token[0] < begin(second)]

    def swapped(
        kind: str, swaps: dict[str, str], found: list[tuple[int, str]]
    ) -> Iterator[Mutation]:
        for place, written in found:
            if written in swaps:
                yield Mutation(path, kind, place, written, swaps[written])

    def visit(node: ast.AST) -> Iterator[Mutation]:
        match node:
            case ast.JoinedStr() | ast.Import() | ast.ImportFrom():
                return
            case ast.Compare():
                for first, second in zip(
                    [node.left, *node.comparators], node.comparators, strict=False
                ):
                    between = operators(first, second)
                    yield from swapped("comparison", COMPARISONS, between)
                    if between[0][1] == "is":
                        place = between[0][0]
                        written = text[place : begin(second)].rstrip("( \n")
                        other = "is" if "not" in written else "is not"
                        yield Mutation(path, "null", place, written, other)
            case ast.BoolOp():
                for first, second in zip(node.values, node.values[1:], strict=False):
                    yield from swapped("logic", LOGIC, operators(first, second))
            case ast.BinOp():
                yield from swapped("arithmetic", ARITHMETIC, operators(node.left, node.right))
            case ast.UnaryOp(op=ast.Not()):
                yield Mutation(path, "not", begin(node), "not ", "")
            case ast.Constant(value=bool()):
                yield Mutation(path, "truth", begin(node), str(node.value), str(not node.value))
            case ast.Constant(value=int() | float()):
                written = text[begin(node) : end(node)]
                if re.fullmatch(r"\d+(\.\d+)?", written):
                    for other in other_numbers(written):
                        yield Mutation(path, "number", begin(node), written, other)
            case ast.Name() | ast.Attribute():
                name = node.id if isinstance(node, ast.Name) else node.attr
                if name in EXTREMES:
                    yield Mutation(path, "extreme", end(node) - len(name), name, EXTREMES[name])
        for field, child in ast.iter_fields(node):
            if field in ("annotation", "returns"):
                continue
            for item in child if isinstance(child, list) else [child]:
                if isinstance(item, ast.AST):
                    yield from visit(item)

    yield from visit(ast.parse(text))


NOT_SQL = re.compile(
    r"""--[^\n]*            # comments
    | \{\#.*?\#\}
    | '(?:[^'\n]|'')*'      # texts
    | \{%-?\s*(?:set|macro)\b[^\n]*
    | \{\{\s*config\(.*?\}\}
    | if\ not\ loop\.last
    | decimal\(\d+,\s*\d+\) # types
    | group\ by\ [\d, ]+    # columns by number
    | between\ \S+\ and
    """,
    re.VERBOSE | re.DOTALL,
)

SQL_SWAPS: dict[str, tuple[str, dict[str, str]]] = {
    "comparison": (r"(?<= )(?:<=|>=|!=|<>|[<>=])(?=\s)", COMPARISONS | {"!=": "=", "<>": "="}),
    "logic": (r"\b(?:and|or)\b", LOGIC),
    "arithmetic": (r"(?<!select )(?<=\s)[-+*/](?=\s)", ARITHMETIC),
    "sign": (r"(?<=[ (])-(?=[a-z])", {"-": ""}),
    "extreme": (rf"\b(?:{'|'.join(EXTREMES)})(?=\()", EXTREMES),
    "join": (
        r"\b(?:left|inner|full) join\b",
        {"left join": "inner join", "inner join": "left join", "full join": "left join"},
    ),
    "truth": (r"\b(?:true|false)\b", {"true": "false", "false": "true"}),
    "null": (r"\bis (?:not )?null\b", {"is null": "is not null", "is not null": "is null"}),
    "not": (r"(?<!is )\bnot ", {"not ": ""}),
    "order": (
        r"\bdesc\b|\basc\b|\bnulls (?:first|last)\b",
        {
            "desc": "asc", "asc": "desc",
            "nulls first": "nulls last", "nulls last": "nulls first",
        },
    ),
}  # fmt: skip


def arguments(text: str, position: int, ends: str) -> list[tuple[int, int]]:
    """Where comma-separated expressions from ``position`` on begin and end.

    They go on to a bracket that they did not open, or to the pattern ``ends`` outside brackets.
    """
    spans, begin, depth, place = [], position, 0, position
    stop = re.compile(ends)
    while place < len(text):
        if text[place] in "([{":
            depth += 1
        elif text[place] in ")]}":
            depth -= 1
        if depth < 0 or (depth == 0 and stop.match(text, place)):
            break
        if depth == 0 and text[place] == ",":
            spans.append((begin, place))
            begin = place + 1
        place += 1
    return [*spans, (begin, place)]


def sql_mutations(path: str, text: str) -> Iterator[Mutation]:
    """Every mutation of a model or a file of macros: none in comments, texts or settings."""
    code = NOT_SQL.sub(lambda found: re.sub(r"\S", "·", found[0]), text)
    for kind, (pattern, swaps) in SQL_SWAPS.items():
        for found in re.finditer(pattern, code):
            yield Mutation(path, kind, found.start(), found[0], swaps[found[0]])
    for found in re.finditer(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.])", code):
        for other in other_numbers(found[0]):
            yield Mutation(path, "number", found.start(), found[0], other)
    for found in re.finditer(r"\bcoalesce\(", code):
        begin, end = arguments(code, found.end(), r"$")[-1]
        begin += len(code[begin:end]) - len(code[begin:end].lstrip())
        written = text[begin:end].rstrip()
        if written != "null":
            yield Mutation(path, "default", begin, written, "null")
    for found in re.finditer(r"\border by ", code):
        terms = arguments(code, found.end(), r"\n *(?:limit|\{)|\n\n")
        if len(terms) > 1:
            (begin, end), (last, last_end) = terms[0], terms[-1]
            yield Mutation(path, "order", begin, text[begin : end + 1], "")
            yield Mutation(path, "order", last - 1, text[last - 1 : last_end], "")


def mutations_of(path: str) -> list[Mutation]:
    """Every mutation of a file of the project, in the order of their places."""
    text = (PROJECT / path).read_text()
    every = (python_mutations if path.endswith(".py") else sql_mutations)(path, text)
    return sorted(every, key=lambda found: (found.position, found.kind, found.after))


def draw(num_mutations: int, random_seed: int) -> dict[Mutation, str]:
    """Draw mutations, spread evenly over the subjects; returns the subject of each.

    Within a subject kinds take turns in a random order, so that numbers, the most frequent, don't
    crowd out joins; a place is changed once.
    """
    rng = random.Random(random_seed)
    names = list(SUBJECTS)
    drawn: dict[Mutation, str] = {}
    for number, subject in enumerate(names):
        wanted = num_mutations // len(names) + (number < num_mutations % len(names))
        by_kind: dict[str, list[Mutation]] = {}
        for path in SUBJECTS[subject].files:
            for mutation in mutations_of(path):
                by_kind.setdefault(mutation.kind, []).append(mutation)
        places: set[tuple[str, int]] = set()
        while by_kind and len(places) < wanted:
            for kind in rng.sample(sorted(by_kind), len(by_kind)):
                left = [
                    mutation
                    for mutation in by_kind[kind]
                    if (mutation.path, mutation.position) not in places
                ]
                if not left:
                    del by_kind[kind]
                elif len(places) < wanted:
                    chosen = rng.choice(left)
                    places.add((chosen.path, chosen.position))
                    drawn[chosen] = subject
    return drawn


# ---- Does a test notice? ----------------------------------------------------------------------


def failure(command: Sequence[str], tree: Path, scratch: Path) -> str | None:
    """Run a step of the tests in a copy of the project; returns what failed, or None."""
    environment = os.environ | {
        "PYTHONPATH": str(tree / "src"),
        # Bytecode is told apart by seconds and sizes, which a mutation may leave as they are.
        "PYTHONDONTWRITEBYTECODE": "1",
        "SAMPLE_BUILD": str(scratch),
        "DUCKDB_PATH": str(scratch / "sample.duckdb"),
        "DBT_TARGET_PATH": str(scratch / "target"),
        "DBT_LOG_PATH": str(scratch / "logs"),
    }
    try:
        done = subprocess.run(
            [Path(sys.executable).with_name(command[0]), *command[1:]],
            cwd=tree, env=environment, capture_output=True, text=True, timeout=MAX_SECONDS,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"{command[0]}, not ready after {MAX_SECONDS} seconds"
    if done.returncode == 0:
        return None
    told = re.sub(r"\x1b\[\d*m", "", done.stdout + done.stderr)
    named = re.search(
        r"^(?:FAILED|ERROR) (?:tests/python/)?(.+?)(?: - |$)"
        r"|\bin (?:unit_test|test|model|sql_operation|seed) (\S+) \(",
        told,
        re.MULTILINE,
    )
    if named:
        return str(next(filter(None, named.groups())))
    if done.returncode < 0:
        # A crash without a failed test says nothing of the mutation.
        raise RuntimeError(f"{' '.join(command)} was ended by signal {-done.returncode}")
    return told.strip()[-100:]


def steps(subject: Subject, path: str | None = None) -> Iterator[list[str]]:
    """Commands from the cheapest to the dearest, for a mutation of ``path`` or of any file."""
    pytest = ["pytest", "-q", "-x", "-p", "no:cacheprovider"]
    python = [name for name in ([path] if path else subject.files) if name.endswith(".py")]
    if python:
        files = [f"tests/python/test_{name}.py" for name in subject.unit]
        yield [*pytest, "-m", "not slow", *python, *files]
    yield ["dbt", "build", "--quiet", "--fail-fast"]
    yield [*pytest, "-m", "slow", *(f"tests/python/test_{name}.py" for name in subject.slow)]


def first_failure(subject: Subject, tree: Path, path: str | None = None) -> str | None:
    """Run the steps for a file, on one build of the sample; returns what fails first, or None."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        for command in steps(subject, path):
            if failed := failure(command, tree, Path(folder)):
                return failed
    return None


def copy_of_the_project(folder: Path) -> Path:
    """Copy what git knows of the project, as it is now."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=PROJECT, check=True, capture_output=True, text=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (PROJECT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(PROJECT / name, folder / name)
    return folder


def line_of(mutation: Mutation) -> str:
    """Where a mutation is and what it does, on one line."""
    row = (PROJECT / mutation.path).read_text().count("\n", 0, mutation.position) + 1
    before, after = (" ".join(text.split()) for text in (mutation.before, mutation.after))
    return f"{mutation.path}:{row}: `{before}` → `{after}`"


def tried(mutation: Mutation, subject: str, trees: SimpleQueue[Path]) -> str | None:
    """Try a mutation in a free copy of the project, and tell; returns what killed it, or None."""
    tree, start = trees.get(), time.perf_counter()
    file = tree / mutation.path
    original = file.read_text()
    try:
        file.write_text(mutation.applied(original))
        killed_by = first_failure(SUBJECTS[subject], tree, mutation.path)
    finally:
        file.write_text(original)
        trees.put(tree)
    outcome = f"killed by {killed_by}" if killed_by else "SURVIVED"
    seconds = time.perf_counter() - start
    print(f"{subject}: {line_of(mutation)}: {outcome} ({seconds:.0f} s)", flush=True)
    return killed_by


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw and try mutations; returns 1 if the unbroken project fails, as nothing is told then."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mutations", type=int, default=NUM_MUTATIONS)
    parser.add_argument("--seed", type=int, default=RANDOM_SEED)
    parser.add_argument("--only", default="", help="those whose line has this text in it")
    parser.add_argument("--list", action="store_true", help="tell what is drawn and try nothing")
    given = parser.parse_args(arguments)
    drawn = {
        mutation: subject
        for mutation, subject in draw(given.mutations, given.seed).items()
        if given.only in f"{subject}: {line_of(mutation)}"
    }
    if given.list:
        print(*(f"{subject}: {line_of(found)}" for found, subject in drawn.items()), sep="\n")
        return 0
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        ThreadPoolExecutor(NUM_AT_A_TIME) as pool,
    ):
        trees: SimpleQueue[Path] = SimpleQueue()
        for number in range(NUM_AT_A_TIME):
            trees.put(copy_of_the_project(Path(folder, str(number))))
        used = [subject for name, subject in SUBJECTS.items() if name in drawn.values()]
        everything = Subject(
            *(
                tuple(dict.fromkeys(name for subject in used for name in getattr(subject, part)))
                for part in ("files", "unit", "slow")
            )
        )
        if failed := first_failure(everything, Path(folder, "0")):
            print(f"The project fails before anything is changed: {failed}")
            return 1
        outcomes = list(pool.map(tried, drawn, drawn.values(), [trees] * len(drawn)))
    for subject in dict.fromkeys(drawn.values()):
        of_subject = [
            outcome
            for outcome, name in zip(outcomes, drawn.values(), strict=True)
            if name == subject
        ]
        print(f"{subject}: {len(of_subject)} drawn, {of_subject.count(None)} survived")
    print(f"all: {len(outcomes)} drawn, {outcomes.count(None)} survived")
    return 0


if __name__ == "__main__":
    sys.exit(main())
