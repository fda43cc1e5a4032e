"""The project on other engines: what its SQL means there, and the tables of whole shops."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import psycopg2
import pytest
import yaml
from conftest import NO_UNIT_TESTS, PROJECT, Build
from engine_cases import CASES

from compare_engines import connect, differences, plain
from customer_segmentation.engines import postgres

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Postgres of its own, which ends with the tests: the address of its database."""
    import pgserver

    started = pgserver.get_server(tmp_path_factory.mktemp("postgres"), cleanup_mode="delete")
    yield started.get_uri()
    started.cleanup()


@pytest.fixture
def cursor(server: str) -> Iterator[Any]:
    connection = psycopg2.connect(server)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(postgres.FUNCTIONS)
        yield cursor
    connection.close()


def rows_of(cursor: Any, sql: str) -> list[tuple[Any, ...]]:
    cursor.execute(sql)
    return sorted((tuple(map(plain, row)) for row in cursor.fetchall()), key=str)


def meant(sql: str) -> list[tuple[Any, ...]]:
    return sorted((tuple(map(plain, row)) for row in duckdb.sql(sql).fetchall()), key=str)


@pytest.mark.parametrize(
    ("correction", "sql"), CASES, ids=[name or f"query {i}" for i, (name, _) in enumerate(CASES)]
)
def test_postgres_gives_what_duckdb_gives(correction: str | None, sql: str, cursor: Any) -> None:
    assert rows_of(cursor, postgres.translated(sql, lambda schema, name: None)) == meant(sql)
    if correction:
        try:
            without = postgres.translated(sql, lambda schema, name: None, without=correction)
            found = rows_of(cursor, without)
        except (psycopg2.Error, ValueError):
            assert correction not in postgres.SILENT
        else:
            assert found != meant(sql), "the correction changes nothing"


def test_each_correction_has_a_case() -> None:
    assert set(postgres.CORRECTIONS) == {name for name, _ in CASES if name}


@pytest.fixture(scope="module")
def sample_there(server: str, sample_build: Build, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The sample, built on Postgres with all its tests."""
    run = on_postgres(server, tmp_path_factory.mktemp("dbt"), "build")
    assert run.returncode == 0, run.stdout
    return run


def on_postgres(
    server: str, folder: Path, *arguments: str, **variables: Any
) -> subprocess.CompletedProcess[str]:
    """Run dbt with the target in a process of its own."""
    host = re.search(r"host=([^&]+)", server)
    assert host is not None
    environment = os.environ | {
        "PGHOST": host[1], "PGUSER": "postgres", "PGDATABASE": "postgres",
        "DBT_TARGET_PATH": str(folder / "target"), "DBT_LOG_PATH": str(folder / "logs"),
    }  # fmt: skip
    command = ["dbt", *arguments, "--target", "postgres", "--vars", yaml.safe_dump(variables)]
    return subprocess.run(
        command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False
    )


def test_the_sample_has_the_same_tables_there(
    sample_there: Any, server: str, sample_build: Build, tmp_path: Path
) -> None:
    connection = connect(server)
    with duckdb.connect(str(sample_build.copy(tmp_path)), read_only=True) as database:
        found = list(differences(database, connection.cursor()))
    connection.close()
    assert len(found) > 90
    assert [each for each in found if not isinstance(each, int)] == []


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"orders_location": "public.nowhere"}, "no table 'public.nowhere' is known"),
        ({"orders_location": "exports/orders.csv"}, "is no table"),
        ({"orders_location": "public.few", "order_columns": {"customer_id": "who"}}, "who"),
        ({"dataset": "another"}, "this registry's segments were fitted on 'sample'"),
        ({"timezone": "Moon"}, "timezone: 'Moon' is unknown"),
        ({"as_of_date": "2024-02-30"}, "there is no day '2024-02-30'"),
        ({"attached_databases": {"shop": "shop.duckdb"}}, "works on DuckDB only"),
    ],
)
def test_faults_are_refused_and_the_tables_of_before_stay(
    variables: dict[str, Any], said: str, sample_there: Any, server: str, tmp_path: Path
) -> None:
    connection = connect(server)
    with connection, connection.cursor() as cursor:
        cursor.execute("create table if not exists public.few (customer text, day date)")
        cursor.execute("select count(*), max(model_version) from segments.customer_segments")
        before = cursor.fetchall()
    run = on_postgres(server, tmp_path, "build", *NO_UNIT_TESTS, **variables)
    assert run.returncode != 0
    assert said in run.stdout, run.stdout
    with connection, connection.cursor() as cursor:
        cursor.execute("select count(*), max(model_version) from segments.customer_segments")
        assert cursor.fetchall() == before
    connection.close()
