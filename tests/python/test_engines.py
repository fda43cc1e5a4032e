"""The project on other engines: what its SQL means there, and the tables of whole shops."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import psycopg2
import pytest
import yaml
from conftest import NO_UNIT_TESTS, PROJECT, Build, Builder
from engine_cases import CASES

from compare_engines import connect, differences, plain
from customer_segmentation.building import engine_elsewhere
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
            assert correction not in postgres.TRANSLATOR.silent
        else:
            assert found != meant(sql), "the correction changes nothing"


def test_each_correction_has_a_case_and_a_line_on_the_page() -> None:
    assert set(postgres.TRANSLATOR.corrections) == {name for name, _ in CASES if name}
    page = (PROJECT / "docs" / "engines.md").read_text(encoding="utf-8")
    for name, function in postgres.TRANSLATOR.corrections.items():
        said = str(function.__doc__).splitlines()[0]
        silent = "something else" if name in postgres.TRANSLATOR.silent else "fails"
        assert f"| `{name}` | {said} | {silent} |" in page


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
    command = ["dbt", *arguments, "--target", "postgres", "--vars", yaml.safe_dump(variables)]
    return subprocess.run(
        command, cwd=PROJECT, env=environment_of(server, folder), capture_output=True, text=True,
        check=False,
    )  # fmt: skip


def environment_of(server: str, folder: Path) -> dict[str, str]:
    """Say where the server is, and where dbt writes."""
    host = re.search(r"host=([^&]+)", server)
    assert host is not None
    return os.environ | {
        "PGHOST": host[1], "PGUSER": "postgres", "PGDATABASE": "postgres",
        "DBT_TARGET_PATH": str(folder / "target"), "DBT_LOG_PATH": str(folder / "logs"),
    }  # fmt: skip


def hashes(server: str) -> dict[str, int]:
    """A number for the rows of each table that is read."""
    connection = connect(server)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            select table_schema || '.' || table_name from information_schema.tables
            where table_schema in ('staging', 'metrics', 'clustering', 'segments', 'marketing')
            """
        )
        names = [name for (name,) in cursor.fetchall()]
        found = {}
        for name in names:
            cursor.execute(f"select coalesce(sum(hashtext(t::text)::bigint), 0) from {name} as t")
            found[name] = int(cursor.fetchall()[0][0])
    connection.close()
    return found


def begun(server: str, folder: Path, **variables: Any) -> subprocess.Popen[str]:
    """Begin a whole build with the command, which makes it beside what is read."""
    command = ["customer-segmentation", "build", "--target", "postgres"]
    command += ["--vars", yaml.safe_dump(variables)] if variables else []
    return subprocess.Popen(
        command, cwd=PROJECT, env=environment_of(server, folder), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip


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
        (
            {
                "orders_location": "public.few",
                "order_columns": {
                    "customer_id": "who",
                    "order_id": "day",
                    "ordered_at": "day",
                    "amount": "1",
                },
            },
            "names a column 'who' that doesn't exist in 'public.few'",
        ),
        (
            {
                "orders_location": "public.few",
                "rows_are": "orders",
                "dataset": "sample",
                "order_columns": {"customer_id": "customer", "ordered_at": "day", "amount": "1"},
            },
            "Too few customers: 2 can be clustered",
        ),
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
        cursor.execute(
            "create table if not exists public.few as select 'c' || i as customer,"
            " date '2024-01-01' + i as day from generate_series(1, 2) as i"
        )
    connection.close()
    before = hashes(server)
    run = begun(server, tmp_path, **variables)
    output, _ = run.communicate()
    assert run.returncode == 1
    assert said in output, output
    assert hashes(server) == before


def test_ids_are_merged_as_on_duckdb(server: str, tmp_path: Path, build: Builder) -> None:
    """The one query that has a second form."""
    orders = """
        select * from (
            values ('Ann', 1), ('ann', 2), ('ANN', 3), ('Bob', 4), ('bob', 5), ('cy', 6), ('Dé', 7)
        ) as t (customer, number)
    """
    connection = connect(server)
    with connection, connection.cursor() as cursor:
        cursor.execute(f"create table public.spelt as {orders}")
    columns = {
        "customer_id": "customer", "order_id": "number", "amount": "10 * number",
        "ordered_at": "cast('2024-01-01' as date)",
    }  # fmt: skip
    shop = {
        "order_columns": columns, "merge_customers_by": ["id_without_case"], "dataset": "spelt",
        "schema_prefix": "spelt_",
    }  # fmt: skip
    duckdb.sql(f"copy ({orders}) to '{tmp_path / 'spelt.parquet'}'")
    selection = ("--select", "+identity_merges")
    here = build(*selection, **shop, orders_location=str(tmp_path / "spelt.parquet"))
    assert here.success, here.log
    run = on_postgres(
        server, tmp_path, "build", *selection, *NO_UNIT_TESTS, **shop,
        orders_location="public.spelt",
    )  # fmt: skip
    assert run.returncode == 0, run.stdout
    asked = "select identifier, linked_to, rule, customer_id from spelt_staging.identity_merges"
    with connection, connection.cursor() as cursor:
        merges = rows_of(cursor, asked)
    connection.close()
    found = here.query(asked).itertuples(index=False, name=None)
    assert merges == sorted((tuple(map(plain, row)) for row in found), key=str)
    assert len({customer for *_, customer in merges}) == 2


@pytest.mark.parametrize(
    ("arguments", "settings", "target"),
    [
        ([], {}, None),
        (["--target", "postgres"], {}, "postgres"),
        (["--select", "staging", "--target=postgres"], {}, "postgres"),
        (["-t", "dev"], {"target": "postgres"}, None),
        (["--full-refresh"], {"target": "postgres"}, "postgres"),
        (["--target", "nowhere"], {}, None),
    ],
)
def test_the_target_of_a_build_is_the_given_one_or_the_profiles(
    arguments: list[str], settings: dict[str, str], target: str | None, tmp_path: Path
) -> None:
    profiles = yaml.safe_load((PROJECT / "profiles.yml").read_text())
    profiles["customer_segmentation"] |= settings
    (tmp_path / "profiles.yml").write_text(yaml.safe_dump(profiles))
    (tmp_path / "dbt_project.yml").write_text("profile: customer_segmentation")
    assert engine_elsewhere(arguments, tmp_path) == target
    (tmp_path / "profiles.yml").write_text("{{ no: yaml")
    assert engine_elsewhere(arguments, tmp_path) is None


def test_what_can_not_be_fetched_is_one_sentence(server: str, tmp_path: Path) -> None:
    for changes, said in (
        ({"PGHOST": "127.0.0.1", "PGPORT": "1"}, "Error: Postgres can't be reached: "),
        ({"PGDATABASE": "template1"}, "Error: There is no table 'as_of' in Postgres. Build first"),
    ):
        run = subprocess.run(
            ["customer-segmentation", "fetch", str(tmp_path / "fetched.duckdb")],
            cwd=PROJECT, env=environment_of(server, tmp_path) | changes,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert run.returncode == 1
        assert run.stderr.startswith(said), run.stderr
        assert list(tmp_path.iterdir()) == []


def test_report_and_lists_are_those_of_duckdb(
    sample_there: Any, server: str, sample_build: Build, tmp_path: Path
) -> None:
    fetched, here = tmp_path / "fetched.duckdb", sample_build.copy(tmp_path / "here")
    environment = environment_of(server, tmp_path)
    for command in (
        ["fetch", str(fetched)],
        *(
            [what, "--database", str(database), where, str(tmp_path / name / what)]
            for name, database in (("there", fetched), ("here", here))
            for what, where in (("report", "--site"), ("export", "--folder"))
        ),
    ):
        run = subprocess.run(
            ["customer-segmentation", *command], cwd=PROJECT, env=environment,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert run.returncode == 0, run.stderr
    page, other = (
        re.sub(
            r"edition \d+", "", (tmp_path / name / "report" / "report" / "index.html").read_text()
        )
        for name in ("there", "here")
    )
    assert page == other
    lists = sorted((tmp_path / "here" / "export").glob("*.csv"))
    assert len(lists) > 5
    for path in lists:
        assert (tmp_path / "there" / "export" / path.name).read_bytes() == path.read_bytes()


def test_a_build_that_is_killed_or_fails_leaves_what_is_read(
    sample_there: Any, server: str, tmp_path: Path
) -> None:
    before = hashes(server)
    for layer in ("metrics", "segments"):
        killed = begun(server, tmp_path, as_of_date="2025-12-01")
        assert killed.stdout is not None
        for line in killed.stdout:
            if f" {layer}" in line:
                break
        os.killpg(killed.pid, signal.SIGKILL)
        killed.wait()
        assert hashes(server) == before
    # One that is refused on its way.
    failed = begun(server, tmp_path, as_of_date="2025-12-01", candidate_features=["no_metric"])
    said, _ = failed.communicate()
    assert failed.returncode == 1, said
    assert hashes(server) == before
    # The next one takes the place of what is read, whole.
    made = begun(server, tmp_path, as_of_date="2025-12-01")
    said, _ = made.communicate()
    assert made.returncode == 0, said
    after = hashes(server)
    assert set(after) == set(before)
    assert after["segments.customer_segments"] != before["segments.customer_segments"]
    connection = connect(server)
    with connection.cursor() as cursor:
        cursor.execute("select nspname from pg_namespace where nspname like '%being_built'")
        assert cursor.fetchall() == []
        cursor.execute("create table segments.of_somebody_else (a integer)")
        connection.commit()
        refused = begun(server, tmp_path)
        said, _ = refused.communicate()
        assert "has a relation that is not of this project: of_somebody_else" in said
        cursor.execute("drop table segments.of_somebody_else")
        connection.commit()
    connection.close()
    assert not (PROJECT / "postgres").exists(), "DuckDB made a file"
