"""The project on other engines: what its SQL means there, and the tables of whole shops.

``ENGINE=spark`` tries Spark instead of Postgres.
"""

from __future__ import annotations

import importlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlglot
import yaml
from conftest import NO_UNIT_TESTS, PROJECT, Build, Builder, build_models
from engine_cases import CASES
from engines import ENGINES, Engine, Rows, engine_of_the_tests

import corrections
from compare_engines import plain
from customer_segmentation.building import engine_elsewhere

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine of the tests' own, which ends with them."""
    with engine_of_the_tests(tmp_path_factory.mktemp("engine")) as engine:
        yield engine


def in_order(rows: Rows) -> Rows:
    return sorted((tuple(map(plain, row)) for row in rows), key=str)


def no_columns(schema: str, name: str) -> None:
    """Know none."""


@pytest.mark.parametrize(
    ("correction", "sql"), CASES, ids=[name or f"query {i}" for i, (name, _) in enumerate(CASES)]
)
def test_the_engine_gives_what_duckdb_gives(
    correction: str | None, sql: str, engine: Engine
) -> None:
    translated, translator = engine.translator.translated, engine.translator.TRANSLATOR
    meant = in_order(duckdb.sql(sql).fetchall())
    assert in_order(engine.rows(translated(sql, no_columns))) == meant
    if correction in translator.corrections:
        try:
            found = in_order(engine.rows(translated(sql, no_columns, without=correction)))
        except Exception:
            assert correction not in translator.silent
        else:
            assert found != meant, "the correction changes nothing"


@pytest.mark.parametrize("name", ENGINES)
def test_each_correction_has_a_case_and_each_case_is_translated(name: str) -> None:
    module = importlib.import_module(f"customer_segmentation.engines.{name}")
    assert set(module.TRANSLATOR.corrections) <= {case for case, _ in CASES if case}
    for _, sql in CASES:
        sqlglot.parse_one(module.translated(sql, no_columns), read=name)


def test_the_page_lists_the_corrections() -> None:
    page = corrections.PAGE.read_text(encoding="utf-8")
    assert corrections.written(page) == page, "python tools/corrections.py writes the tables"
    for name in ENGINES:
        assert f"<!-- corrections of {name} -->" in page


@pytest.fixture(scope="module")
def sample_there(
    engine: Engine, sample_build: Build, tmp_path_factory: pytest.TempPathFactory
) -> Any:
    """The sample, built there with all its tests."""
    folder = tmp_path_factory.mktemp("dbt")
    # As the command builds, which leaves unit tests out.
    run = on_the_engine(engine, folder, "build", beside=engine.beside)
    assert run.returncode == 0, run.stdout
    return run


@pytest.fixture(scope="module")
def before(sample_there: Any, engine: Engine) -> dict[str, int]:
    """What is read, before anybody tries to break it."""
    engine.asked(
        "create schema if not exists shop",
        "create table shop.few as select * from (values ('c1', date '2024-01-02'),"
        " ('c2', date '2024-01-03')) as t (customer, day)",
    )
    return engine.hashes()


def on_the_engine(
    engine: Engine, folder: Path, *arguments: str, beside: str = "", **variables: Any
) -> subprocess.CompletedProcess[str]:
    """Run dbt with the target in a process of its own."""
    command = ["dbt", *arguments, "--target", engine.name, "--vars", yaml.safe_dump(variables)]
    return subprocess.run(
        command, cwd=PROJECT, env=engine.environment(folder) | {"BUILDS_BESIDE": beside},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def begun(engine: Engine, folder: Path, **variables: Any) -> subprocess.Popen[str]:
    """Begin a whole build with the command, which makes it beside what is read."""
    command = ["customer-segmentation", "build", "--target", engine.name]
    command += ["--vars", yaml.safe_dump(variables)] if variables else []
    return subprocess.Popen(
        command, cwd=PROJECT, env=engine.environment(folder), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip


def check_that_all_tables_are_alike(here: Path, engine: Engine) -> None:
    compared = subprocess.run(
        [sys.executable, "benchmarks/compare_engines.py", str(here), engine.address()],
        cwd=PROJECT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    found = re.fullmatch(r"(\d+) of (\d+) tables are alike, with [\d,]+ rows.\n", compared.stdout)
    assert found is not None, compared.stdout + compared.stderr
    assert found[1] == found[2]
    assert int(found[1]) > 90


def test_the_sample_has_the_same_tables_there(
    sample_there: Any, engine: Engine, sample_build: Build, tmp_path: Path
) -> None:
    check_that_all_tables_are_alike(sample_build.copy(tmp_path), engine)


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"orders_location": "shop.nowhere"}, "no table 'shop.nowhere' is known"),
        ({"orders_location": "exports/orders.csv"}, "is no table"),
        (
            {
                "orders_location": "shop.few",
                "order_columns": {
                    "customer_id": "who",
                    "order_id": "day",
                    "ordered_at": "day",
                    "amount": "1",
                },
            },
            "names a column 'who' that doesn't exist in 'shop.few'",
        ),
        (
            {
                "orders_location": "shop.few",
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
def test_faults_are_refused(
    variables: dict[str, Any], said: str, before: dict[str, int], engine: Engine, tmp_path: Path
) -> None:
    run = begun(engine, tmp_path, **variables)
    output, _ = run.communicate()
    assert run.returncode == 1
    assert said in output, output


def test_after_them_the_tables_are_those_of_before(before: dict[str, int], engine: Engine) -> None:
    assert engine.hashes() == before


def test_ids_are_merged_as_on_duckdb(engine: Engine, tmp_path: Path, build: Builder) -> None:
    """The one query that has a second form."""
    orders = """
        select * from (
            values ('Ann', 1), ('ann', 2), ('ANN', 3), ('Bob', 4), ('bob', 5), ('cy', 6), ('Dé', 7)
        ) as t (customer, number)
    """
    engine.asked("create schema if not exists shop", f"create table shop.spelt as {orders}")
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
    run = on_the_engine(
        engine, tmp_path, "build", *selection, *NO_UNIT_TESTS, beside=engine.beside, **shop,
        orders_location="shop.spelt",
    )  # fmt: skip
    assert run.returncode == 0, run.stdout
    asked = "select identifier, linked_to, rule, customer_id from spelt_staging.identity_merges"
    (merges,) = engine.asked(asked)
    found = here.query(asked).itertuples(index=False, name=None)
    assert in_order(merges) == in_order(list(found))
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
    found = engine_elsewhere(arguments, tmp_path)
    assert found == (None if target is None else (target, "postgres_from_duckdb"))
    (tmp_path / "profiles.yml").write_text("{{ no: yaml")
    assert engine_elsewhere(arguments, tmp_path) is None


def test_what_can_not_be_fetched_is_one_sentence(engine: Engine, tmp_path: Path) -> None:
    for options, changes, said in (
        ([], engine.nowhere, f"Error: {engine.not_reached}"),
        (["--schema-prefix", "no_"], {}, "Error: There is no table 'as_of'. Build first"),
        (["--target", "dev"], {}, "Error: 'dev' is no target of profiles.yml on another engine"),
    ):
        run = subprocess.run(
            ["customer-segmentation", "fetch", str(tmp_path / "fetched.duckdb"),
             "--target", engine.name, *options],
            cwd=PROJECT, env=engine.environment(tmp_path / "dbt") | changes,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert run.returncode == 1
        assert said in run.stderr, run.stderr
        assert list(tmp_path.glob("*.duckdb")) == []


def test_report_and_lists_are_those_of_duckdb(
    sample_there: Any, engine: Engine, sample_build: Build, tmp_path: Path
) -> None:
    fetched, here = tmp_path / "fetched.duckdb", sample_build.copy(tmp_path / "here")
    for command in (
        ["fetch", str(fetched), "--target", engine.name],
        *(
            [what, "--database", str(database), where, str(tmp_path / name / what)]
            for name, database in (("there", fetched), ("here", here))
            for what, where in (("report", "--site"), ("export", "--folder"))
        ),
    ):
        run = subprocess.run(
            ["customer-segmentation", *command], cwd=PROJECT, env=engine.environment(tmp_path),
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
    before: dict[str, int], engine: Engine, sample_build: Build, tmp_path: Path
) -> None:
    for layer in ("metrics", "segments"):
        killed = begun(engine, tmp_path, as_of_date="2025-12-01")
        assert killed.stdout is not None
        for line in killed.stdout:
            if f" {layer}" in line:
                break
        os.killpg(killed.pid, signal.SIGKILL)
        killed.wait()
        assert engine.hashes() == before
    # One that is refused on its way.
    failed = begun(engine, tmp_path, as_of_date="2025-12-01", candidate_features=["no_metric"])
    said, _ = failed.communicate()
    assert failed.returncode == 1, said
    assert engine.hashes() == before
    # The next one takes the place of what is read, whole.
    made = begun(engine, tmp_path, as_of_date="2025-12-01")
    said, _ = made.communicate()
    assert made.returncode == 0, said
    after = engine.hashes()
    assert set(after) == set(before)
    assert after["segments.customer_segments"] != before["segments.customer_segments"]
    # It stands on the fits and names of the one before, as on DuckDB.
    here = build_models(sample_build.copy(tmp_path), {"as_of_date": "2025-12-01"})
    assert here.success, here.log
    (tmp_path / "closed").mkdir()
    check_that_all_tables_are_alike(here.copy(tmp_path / "closed"), engine)
    assert engine.schemas_left() == set()
    engine.asked("create table segments.of_somebody_else (a integer)")
    refused = begun(engine, tmp_path)
    said, _ = refused.communicate()
    assert "has a relation that is not of this project: of_somebody_else" in said
    engine.asked("drop table segments.of_somebody_else")
    assert not (PROJECT / engine.name).exists(), "DuckDB made a file"
