"""``customer-segmentation build``: what a person sees of a build, and what no shell may touch."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import NO_UNIT_TESTS, PROJECT, QUICK, Build, run_dbt

from customer_segmentation import building
from customer_segmentation.building import WrongUse, ended_at_a_standstill, sentence, vars_of
from customer_segmentation.cli import main

ORDERS = "customer,order_no,day,amount\n" + "".join(
    f"c{i % 40},o{i},2024-{i % 12 + 1:02d}-11,{i % 17 + 1}.50\n" for i in range(200)
)
COLUMNS = "{customer_id: customer, order_id: order_no, ordered_at: day, amount: amount}"


def make(folder: Path, *arguments: str, **given: str) -> subprocess.CompletedProcess[str]:
    """Run ``make build`` as a person would, with its database and by-products in ``folder``."""
    names = {"DUCKDB_PATH": "shop.duckdb", "DBT_TARGET_PATH": "target", "DBT_LOG_PATH": "logs"}
    environment = os.environ | {name: str(folder / value) for name, value in names.items()}
    command = ["make", "-s", "build", *(f"{name}={value}" for name, value in given.items())]
    return subprocess.run(
        [*command, *arguments], cwd=PROJECT, env=environment, text=True, capture_output=True
    )


@pytest.mark.slow
def test_a_path_may_have_any_character_and_is_run_by_nobody(tmp_path: Path) -> None:
    vars_file = tmp_path / "my shop's.yml"
    little = "evidence_sample_size: 40\nnum_bootstraps: 2\nnum_resamples: 0\n"
    vars_file.write_text(f"dataset: mine\norder_columns: {COLUMNS}\n{little}")
    name = 'o\'brien $HOME $(touch pwned) `touch pwned` "ü" [1].csv'
    (tmp_path / name).write_text(ORDERS)
    built = make(tmp_path, VARS=str(vars_file), ORDERS=str(tmp_path / name))
    assert built.returncode == 0, built.stderr
    assert "staging: " in built.stdout
    assert "Warning: Only 40 customers can be segmented." in built.stdout
    assert len(built.stdout.splitlines()) < 20
    assert not list(PROJECT.glob("pwned"))


@pytest.mark.slow
def test_a_failure_ends_with_its_sentence_once(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(ORDERS + "Total\n" * 30)
    failed = make(tmp_path, ORDERS=str(tmp_path / "orders.csv"))
    assert failed.returncode != 0
    said = [line for line in failed.stderr.splitlines() if line.startswith("Error: ")]
    assert len(said) == 1
    assert "line 202 has 1 columns where the header has 4, and 29 more" in said[0]
    assert "SKIP" not in failed.stdout + failed.stderr
    assert "Traceback" not in failed.stdout + failed.stderr


@pytest.mark.slow
def test_the_registry_is_exported_by_a_command(sample_build: Build, tmp_path: Path) -> None:
    names = {"DBT_TARGET_PATH": "target", "DBT_LOG_PATH": "logs"}
    environment = os.environ | {name: str(tmp_path / value) for name, value in names.items()}
    exported = subprocess.run(
        ["customer-segmentation", "export-registry", "--", str(tmp_path / "registry.csv")],
        cwd=PROJECT,
        env=environment | {"DUCKDB_PATH": str(sample_build.copy(tmp_path))},
        text=True,
        capture_output=True,
    )
    assert exported.returncode == 0, exported.stderr
    assert "registry.csv: 1 version(s), " in exported.stdout
    header = (tmp_path / "registry.csv").read_text().split("\n")[0]
    assert header.startswith("record,model_version,dataset")


@pytest.mark.slow
def test_docs_that_cannot_be_made_say_why_and_nothing_else(
    sample_build: Build, tmp_path: Path
) -> None:
    names = {"DBT_TARGET_PATH": "target", "DBT_LOG_PATH": "logs"}
    environment = os.environ | {name: str(tmp_path / value) for name, value in names.items()}
    failed = subprocess.run(
        ["customer-segmentation", "docs", "--generate", "--vars", "{dataset: ''}"],
        cwd=PROJECT,
        env=environment | {"DUCKDB_PATH": str(sample_build.copy(tmp_path))},
        text=True,
        capture_output=True,
    )
    assert failed.returncode == 1
    assert failed.stderr == "Error: dataset: '' won't do. Give a text.\n"


@pytest.mark.slow
def test_a_build_ends_with_what_came_of_it(tmp_path: Path) -> None:
    """Orders, customers, revenue, segments; and what was left out, where the ledger is built."""
    shop = tmp_path / "shop.duckdb"
    part = run_dbt(shop, ["build", "--select", "+segment_profiles", *NO_UNIT_TESTS], QUICK)
    orders, customers, revenue, segments = part.query(
        """
        select
            (select count(*) from staging.orders where amount > 0),
            (select count(*) from segments.customer_segments),
            (select sum(amount) from staging.orders),
            (select count(*) from segments.segment_profiles)
        """
    ).iloc[0]
    said = (
        f"{orders:,.0f} orders of {customers:,.0f} customers, EUR {revenue:,.2f} net,"
        f" in {segments:.0f} segments."
    )
    assert said.replace("EUR ", "") in part.log
    assert "Rows left out" not in part.log
    whole = run_dbt(shop, ["build", *NO_UNIT_TESTS], QUICK | {"currency": "EUR"})
    reasons = whole.query(
        """
        select num_rows, exclusion_reason from staging.order_exclusions
        where num_rows > 0 and exclusion_reason != 'accepted'
        order by num_rows desc, exclusion_reason
        """
    )
    told = ", ".join(
        f"{num_rows:,} as {reason.replace('_', ' ')}"
        for num_rows, reason in reasons.itertuples(index=False)
    )
    assert f"{said} Rows left out: {told}." in whole.log


@pytest.mark.slow
@pytest.mark.parametrize(
    ("selection", "said"),
    [
        (["build", "--select", "metrics"], "which is neither built nor selected. Build everything"),
        (["test"], "or put a + before what you select, as in --select +"),
        (["build", "--select", "path:seeds", "staging", "metrics", *NO_UNIT_TESTS], None),
        (["build", "--select", "+segment_profiles", *NO_UNIT_TESTS], None),
    ],
    ids=["a layer", "tests alone", "layers in a row", "segments without the ledger"],
)
def test_a_part_of_a_fresh_database_is_built_or_refused_in_a_sentence(
    tmp_path: Path, selection: list[str], said: str | None
) -> None:
    built = run_dbt(tmp_path / "shop.duckdb", selection, {})
    assert built.success == (said is None), built.log
    assert said is None or said in built.log
    assert "Traceback" not in built.log


def test_vars_of_a_file_and_of_the_command_line(tmp_path: Path) -> None:
    file = tmp_path / "shop.yml"
    file.write_text("dataset: mine\nsegment_count: 4\n")
    assert vars_of(file, "a.csv", None, "{segment_count: 5}") == {
        "dataset": "mine", "segment_count": 5, "orders_location": "a.csv",
    }  # fmt: skip
    assert vars_of(None, None, None, None) == {}


@pytest.mark.parametrize(
    ("text", "orders", "said"),
    [
        ("a: [", None, "no YAML \\(line"),
        ("a: 2024-02-31", None, "a value can't be read: .* Put quotes around it."),
        ("- a", None, "is no mapping. Write one var a line"),
        ("a: 1\nb: {c: 1, c: 2}", None, "'c' stands there again in line 2. Keep one of them."),
        (None, None, "There is no vars file"),
        ("a: 1", " ", "--orders is empty. Give a path or a table"),
    ],
)
def test_what_the_command_cannot_use_is_said(
    tmp_path: Path, text: str | None, orders: str | None, said: str
) -> None:
    file = tmp_path / "shop.yml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(WrongUse, match=said):
        vars_of(file, orders, None, None)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ("order_columns: 5", "order_columns: '5' won't do. Give a mapping."),
        ("missing_id_values: null", "missing_id_values: 'None' won't do. Give a list of texts."),
    ],
)
def test_a_var_that_is_read_while_dbt_parses_is_refused_in_the_same_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: str, said: str
) -> None:
    monkeypatch.setenv("DBT_TARGET_PATH", str(tmp_path / "target"))
    monkeypatch.setenv("DBT_LOG_PATH", str(tmp_path / "logs"))
    monkeypatch.setenv("DUCKDB_PATH", str(tmp_path / "shop.duckdb"))
    arguments = ["build", "--project-dir", str(PROJECT), "--vars", variables]
    refused = CliRunner().invoke(main, arguments)
    assert refused.exit_code == 1
    assert refused.stderr.startswith(f"Error: {said}")
    assert len(refused.stderr.splitlines()) == 1


def test_messages_lose_what_is_dbts_own() -> None:
    message = (
        "Compilation Error in model a (models/a.sql)\n  dataset: '' won't do.\n\n"
        "  > in macro b (macros/b.sql)\n  > called by model a (models/a.sql)"
    )
    assert sentence(message) == "dataset: '' won't do."
    message = (
        "Runtime Error in model a (models/a.py)\n  Python model failed:\n"
        '  Traceback (most recent call last):\n    File "a.py", line 1\n  ValueError: no'
    )
    assert sentence(message).startswith("ValueError: no. This is a fault of the project: ")


def test_a_build_that_stands_still_ends(capsys: pytest.CaptureFixture[str]) -> None:
    """As where dbt waits for a thread that found no memory; one that computes goes on."""
    ended: list[int] = []
    with ended_at_a_standstill(0.3, ended.append):
        time.sleep(1)
    assert ended == [1]
    assert capsys.readouterr().err.startswith("Error: The build stands still: for 0 seconds")
    ended.clear()
    with ended_at_a_standstill(3, ended.append):
        until = time.monotonic() + 4
        while time.monotonic() < until:
            pass
    with ended_at_a_standstill(0.3, ended.append):
        pass
    time.sleep(0.5)
    assert ended == []


def test_a_build_that_waits_for_a_server_may_stand_still(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched: list[bool] = []

    @contextmanager
    def watch() -> Iterator[None]:
        watched.append(True)
        yield

    monkeypatch.setattr(building, "ended_at_a_standstill", watch)
    monkeypatch.setenv("PGHOST", "127.0.0.1")
    monkeypatch.setenv("PGPORT", "1")
    nowhere = tmp_path / "shop.duckdb"
    assert building.build_edition(["--target", "postgres"], {}, PROJECT, nowhere) == 1
    assert not watched
