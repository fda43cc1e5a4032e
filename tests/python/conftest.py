"""Builds of the whole project in throw-away databases, all inside one process.

What a build costs is what it does. Parsing the project takes 1.6 s, so a parsed project is kept for
builds that differ only in vars of the run; evidence takes 2 to 6 s, so ``build`` asks for little of
it; models and data tests take 2 to 3 s, so a test about staging or metrics selects those. What
several test processes need, one of them makes (``made_once``).
"""

from __future__ import annotations

import fcntl
import gc
import json
import os
import pickle
import re
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
import yaml
from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt.contracts.graph.manifest import Manifest

from customer_segmentation.choice import Thresholds
from customer_segmentation.report.page import write_report
from customer_segmentation.report.shop import Shop

PROJECT = Path(__file__).parents[2]

QUICK = {
    "evidence_sample_size": 400,
    "num_bootstraps": 5,
    "num_resamples": 0,
    "segment_count_by": "evidence",
}
"""Little evidence, for tests that are about something else."""

STAGING_AND_METRICS = (
    "--select", "+customer_metrics", "+order_exclusions", "+excluded_order_lines",
    "--indirect-selection", "buildable",
)  # fmt: skip

AFTER_THE_METRICS = frozenset({
    *QUICK, "max_rules", "min_active_probability", "max_lapsed_probability", "min_claim_share",
    "min_claim_contrast", "model_version", "refit", "refit_on_change", "registry_location",
    "segment_count", "segment_count_range", "selected_features", "feature_limits",
})  # fmt: skip
"""Vars that staging and metrics don't read, so that a build may start behind them."""

BEHIND_THE_METRICS = (
    "--exclude", "path:models/staging", "path:models/metrics",
    "raw_orders", "raw_customers", "exclusion_reasons",
)  # fmt: skip

PARSE_TIME = frozenset({
    "check_order_ids", "currency_rates_location", "customer_identities_location",
    "customers_location", "customers_model", "merge_customers_by", "model_version",
    "orders_location", "orders_model", "rows_are", "schema_prefix",
})  # fmt: skip
"""Vars that decide what dbt parses: what is enabled, materialized or referenced."""

ONLY_WHETHER = frozenset({
    "currency_rates_location", "customer_identities_location", "customers_location",
    "model_version", "orders_location",
})  # fmt: skip
"""Those of them of which only whether they are given matters then."""

VARS: dict[str, Any] = yaml.safe_load((PROJECT / "dbt_project.yml").read_text())["vars"]
"""The project's defaults."""

THRESHOLDS = Thresholds(**{name: VARS[name] for name in Thresholds.__annotations__})


@dataclass
class Build:
    """What one run of dbt did, and the database that it left."""

    success: bool
    database: Path
    messages: list[str] = field(default_factory=list)

    @property
    def log(self) -> str:
        return "\n".join(self.messages)

    def query(self, sql: str) -> pd.DataFrame:
        with duckdb.connect(str(self.database)) as connection:
            return connection.sql(sql).df()

    def value(self, sql: str) -> Any:
        with duckdb.connect(str(self.database)) as connection:
            return connection.sql(sql).fetchall()[0][0]

    def copy(self, folder: Path) -> Path:
        """A database that nobody has open: dbt, in this process, keeps its own open."""
        with duckdb.connect(str(self.database)) as connection:
            connection.sql("checkpoint")
        folder.mkdir(parents=True, exist_ok=True)
        return Path(shutil.copy(self.database, folder / self.database.name))


Builder = Callable[..., Build]

NO_UNIT_TESTS = ("--exclude-resource-type", "unit_test")
NO_DATA_TESTS = ("--exclude-resource-type", "test")

SILENT = ("--log-level", "none", "--log-level-file", "none")

no_folder = tempfile.TemporaryDirectory()
SHARED = Path(os.environ.get("SAMPLE_BUILD") or no_folder.name)
"""Where ``make test`` built the sample, which all test processes see; else this process's own."""


def made_once(name: str, make: Callable[[Path], Any]) -> Path:
    """What ``make`` writes to the path that it is given, made by the first process that asks."""
    made = SHARED / name
    with (SHARED / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            half = SHARED / f"{name}.{os.getpid()}"
            make(half)
            half.rename(made)
    return made


def with_vars(value: Any, variables: dict[str, Any]) -> Any:
    """What a model's ``meta`` is with these vars: each text in it is one var, or the project."""
    if isinstance(value, dict):
        return {key: with_vars(item, variables) for key, item in value.items()}
    if named := re.fullmatch(r"{{ var\('(\w+)'\) }}", str(value)):
        return variables.get(named[1], VARS[named[1]])
    return "customer_segmentation" if value == "{{ project_name }}" else value


def parsed(options: list[str]) -> bytes:
    """The parsed project, pickled; without comments in the database, which take a quarter of a run.

    Of descriptions and comments ``sample_build`` has all.
    """
    result = dbtRunner().invoke(["parse", *options])
    assert result.success, result.exception
    for node in result.result.nodes.values():
        if hasattr(node.config, "persist_docs"):
            node.config.persist_docs = {}
    return pickle.dumps(result.result)


def parsed_once(project: Path, database: Path, variables: dict[str, Any]) -> Path:
    """The folder of a project that was parsed once for each set of ``PARSE_TIME`` vars.

    And for each name of a database, which dbt writes into every table's address. Of a copy of this
    project dbt parses only the files that differ, if none of those vars is given.
    """
    deciding = {
        name: value is not None if name in ONLY_WHETHER else value
        for name, value in variables.items()
        if name in PARSE_TIME
    }
    key = [str(project), database.stem, sorted(deciding.items())]
    if project != PROJECT:
        files = [path for path in sorted(project.rglob("*")) if path.is_file()]
        key += [sha256(path.read_bytes()).hexdigest() for path in files]
    options = ["--project-dir", str(project), "--profiles-dir", str(PROJECT), *SILENT]
    # dbt takes what it parsed before only if the database and the vars are the same.
    options += ["--vars", yaml.safe_dump(variables if deciding else {})]

    def parse(folder: Path) -> None:
        if project != PROJECT and not deciding:
            this = parsed_once(PROJECT, database, {})
            folder.mkdir()
            shutil.copy(this / "partial_parse.msgpack", folder)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("DUCKDB_PATH", database.name)
            pickled = parsed([*options, "--target-path", str(folder), "--log-path", str(folder)])
        (folder / "pickled").write_bytes(pickled)

    return made_once(f"parsed-{sha256(json.dumps(key).encode()).hexdigest()}", parse)


def parsed_with(project: Path, database: Path, variables: dict[str, Any]) -> Manifest:
    """What dbt would parse with these vars."""
    pickled = (parsed_once(project, database, variables) / "pickled").read_bytes()
    manifest: Manifest = pickle.loads(pickled)
    for node in manifest.nodes.values():
        node.config.meta = with_vars(node.unrendered_config.get("meta", {}), variables)
    return manifest


class RunnerOfTheParsed(dbtRunner):
    """Runs dbt, for the command line in this process, on a project that was parsed before."""

    def invoke(self, args: list[str], **settings: Any) -> dbtRunnerResult:
        """Take what was parsed, where dbt would parse; the vars are in ``args``."""
        if args[0] == "build":
            variables = yaml.safe_load(args[args.index("--vars") + 1])
            self.manifest = parsed_with(PROJECT, Path(os.environ["DUCKDB_PATH"]), variables)
        return super().invoke(args, **settings)


def pytest_collection_finish() -> None:
    """What was imported stays: looking for garbage in it would be a tenth of every build."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as slow what uses a build or a browser, and every test of a module that calls dbt."""
    for item in items:
        fixtures = {"sample_build", "continuous_build", "generated_docs", "build", "browser"}
        calls = {"run_dbt", "build_with_data_tests", "build_models"}
        if fixtures.intersection(getattr(item, "fixturenames", ())) or calls.intersection(
            vars(getattr(item, "module", item))
        ):
            item.add_marker(pytest.mark.slow)
    # Of files that are given to processes one by one, the longest first.
    longest = (
        "test_browser.py",
        "test_versions.py",
        "test_report.py",
        "test_bad_input.py",
        "test_upgrade.py",
    )
    items.sort(key=lambda item: (item.path.name not in longest, "slow" not in item.keywords))


def run_dbt(
    database: Path,
    arguments: list[str],
    variables: dict[str, Any] | None,
    profiles: Path = PROJECT,
    project: Path = PROJECT,
) -> Build:
    """Run dbt, on one thread, as the tests run in several processes.

    It writes no log: ``messages`` has everything.
    """
    folder = database.parent
    build = Build(False, database)
    options = [
        "--project-dir", str(project),
        "--profiles-dir", str(profiles),
        "--target-path", str(folder / "target"),
        "--log-path", str(folder / "logs"),
        *SILENT,
        "--vars", yaml.safe_dump(variables or {}),
    ]  # fmt: skip
    manifest = None
    if arguments[0] in ("build", "run", "run-operation"):
        manifest = parsed_with(project, database, variables or {})
        if profiles == PROJECT and arguments[0] != "run-operation":
            options += ["--threads", "1", "--no-write-json"]
    os.environ["DUCKDB_PATH"] = str(database)
    runner = dbtRunner(
        manifest=manifest, callbacks=[lambda event: build.messages.append(event.info.msg)]
    )
    result = runner.invoke([*arguments, *options])
    build.success = result.success
    if result.exception:
        build.messages.append(str(result.exception))
    return build


def copy_of_the_project(folder: Path) -> Path:
    """What dbt reads, where a test may change it."""
    folder.mkdir()
    for name in ("models", "macros", "seeds", "tests", "dbt_project.yml"):
        source = PROJECT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    return folder


def build_with_data_tests(
    database: Path, variables: dict[str, Any], *selection: str, project: Path = PROJECT
) -> Build:
    """Seeds, models and data tests, not the unit tests, which no var may change."""
    arguments = ["build", *NO_UNIT_TESTS, *selection]
    return run_dbt(database, arguments, variables, project=project)


def build_models(
    database: Path, variables: dict[str, Any], *selection: str, **options: Path
) -> Build:
    """Seeds and models, for tests that look at the tables themselves.

    The sample's staging and metrics are copied, if no var is given that they could read.
    """
    if not (options or selection or database.exists() or variables.keys() - AFTER_THE_METRICS):
        make = partial(metrics_of_the_sample, database.name)
        shutil.copy(made_once(f"metrics-{database.stem}", make), database)
        selection = BEHIND_THE_METRICS
    arguments = ["build", *NO_UNIT_TESTS, *NO_DATA_TESTS, *selection]
    return run_dbt(database, arguments, variables, **options)


def metrics_of_the_sample(name: str, made: Path) -> None:
    """Build the sample up to its metrics, in a database of the name that it will have."""
    selection = ["--select", "path:seeds", "path:models/staging", "path:models/metrics"]
    with tempfile.TemporaryDirectory() as folder:
        arguments = ["build", *NO_UNIT_TESTS, *NO_DATA_TESTS, *selection]
        build = run_dbt(Path(folder, name), arguments, {})
        assert build.success, build.log
        shutil.move(build.copy(Path(folder, "copy")), made)


@pytest.fixture(scope="session")
def sample_build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """The sample, built once with all its tests; nobody may change it.

    ``make test`` has built it already: SAMPLE_BUILD names the folder, of which this is a copy.
    """
    folder = tmp_path_factory.mktemp("sample")
    if built := os.environ.get("SAMPLE_BUILD"):
        for part in ("sample.duckdb", "target"):
            source = Path(built, part)
            (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / part)
        return Build(True, folder / "sample.duckdb")
    os.environ["DUCKDB_PATH"] = str(folder / "sample.duckdb")
    arguments = ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)]
    arguments += ["--target-path", str(folder / "target"), "--log-path", str(folder / "logs")]
    assert dbtRunner().invoke(["build", *arguments]).success
    return Build(True, folder / "sample.duckdb")


def continuous_shop(**changes: Any) -> dict[str, Any]:
    """Vars of the shop whose customers differ by degrees only, with little evidence."""
    shop = yaml.safe_load((PROJECT / "examples" / "continuous_shop.yml").read_text())
    return shop | QUICK | {"orders_location": str(PROJECT / shop["orders_location"])} | changes


@pytest.fixture(scope="session")
def continuous_build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """The continuous shop, built once with its data tests; nobody may change it."""
    folder = tmp_path_factory.mktemp("continuous")

    def make(made: Path) -> None:
        # The name is that of the copy, as views hold it.
        build = build_with_data_tests(folder / "made" / "shop.duckdb", continuous_shop())
        assert build.success, build.log
        shutil.move(build.copy(folder / "whole"), made)

    (folder / "made").mkdir()
    return Build(True, Path(shutil.copy(made_once("continuous", make), folder / "shop.duckdb")))


@pytest.fixture(scope="session")
def sample_report(sample_build: Build, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the sample, written once; nobody may change it."""
    folder = tmp_path_factory.mktemp("sample_report")

    def write(site: Path) -> None:
        write_report(Shop(sample_build.copy(folder)), site, lambda message: None)

    return made_once("site", write) / "report" / "index.html"


@pytest.fixture(scope="session")
def generated_docs() -> Path:
    """The page that dbt makes of this project, before it is published; nobody may change it."""

    def generate(folder: Path) -> None:
        arguments = ["docs", "generate", "--static"]
        generated = run_dbt(folder / "shop.duckdb", arguments, None)
        assert generated.success, generated.log

    return made_once("docs", generate) / "target" / "static_index.html"


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Builder:
    """Build with vars into this test's database: seeds and models, little evidence."""
    monkeypatch.chdir(tmp_path)

    def run(*selection: str, data_tests: bool = False, **variables: Any) -> Build:
        make = build_with_data_tests if data_tests else build_models
        return make(tmp_path / "shop.duckdb", QUICK | variables, *selection)

    return run
