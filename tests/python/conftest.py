"""Builds of the whole project in throw-away databases, all inside one process."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
import yaml
from dbt.cli.main import dbtRunner

PROJECT = Path(__file__).parents[2]


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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what takes a build or a browser; tests that call dbt themselves are marked by hand."""
    for item in items:
        if {"sample_build", "build", "browser"}.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)


def run_dbt(
    database: Path,
    arguments: list[str],
    variables: dict[str, Any] | None,
    profiles: Path = PROJECT,
    project: Path = PROJECT,
) -> Build:
    folder = database.parent
    build = Build(False, database)
    os.environ["DUCKDB_PATH"] = str(database)
    runner = dbtRunner(callbacks=[lambda event: build.messages.append(event.info.msg)])
    result = runner.invoke(
        [
            *arguments,
            "--project-dir", str(project),
            "--profiles-dir", str(profiles),
            "--target-path", str(folder / "target"),
            "--log-path", str(folder / "logs"),
            "--vars", yaml.safe_dump(variables or {}),
        ]
    )  # fmt: skip
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


def build_with_data_tests(database: Path, variables: dict[str, Any]) -> Build:
    """Models, seeds and data tests, not the unit tests, which no var may change."""
    return run_dbt(database, ["build", "--exclude-resource-type", "unit_test"], variables)


@pytest.fixture(scope="session")
def sample_build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """The sample, built once with its tests; nobody may change it."""
    build = run_dbt(tmp_path_factory.mktemp("sample") / "sample.duckdb", ["build"], None)
    assert build.success, build.log
    return build


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Builder:
    """Build with vars into this test's database: models, seeds and data tests."""
    monkeypatch.chdir(tmp_path)

    def run(**variables: Any) -> Build:
        return build_with_data_tests(tmp_path / "shop.duckdb", variables)

    return run
