"""A database that an earlier commit built is read on: nothing is fitted, named or counted anew."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner
from conftest import PROJECT, Build, build_with_data_tests

import customer_segmentation
from customer_segmentation.cli import main
from former_database import SHOP, unpack, write_orders

APPEND_ONLY = [
    "clustering.model_versions", "clustering.version_curves", "clustering.claim_limits",
    "clustering.stages", "clustering.clustering_features", "clustering.clustering_candidates",
    "clustering.cluster_boundaries", "clustering.cluster_centroids", "segments.segment_names",
    "segments.segment_outcomes", "segments.segmentation_quality",
]  # fmt: skip

PEOPLE = (
    "select customer_id, model_version, lifecycle_stage, cluster_id, segment_id, segment"
    " from segments.customer_segments order by customer_id"
)


def by_dbt(database: Path, variables: dict[str, Any]) -> None:
    """In place, as people do who have dbt alone."""
    built = build_with_data_tests(database, variables)
    assert built.success, built.log


def by_the_command(database: Path, variables: dict[str, Any]) -> None:
    folder = database.parent
    names = {"DUCKDB_PATH": database.name, "DBT_TARGET_PATH": "target", "DBT_LOG_PATH": "logs"}
    environment = os.environ | {name: str(folder / value) for name, value in names.items()}
    command = ["customer-segmentation", "build", "--project-dir", str(PROJECT)]
    built = subprocess.run(
        [*command, "--vars", json.dumps(variables)], env=environment, text=True, capture_output=True
    )
    assert built.returncode == 0, built.stderr


class Shop:
    """The database as it was, and the one that the project of now builds on."""

    def __init__(self, folder: Path, build: Callable[[Path, dict[str, Any]], None]) -> None:
        for name in ("then", "now"):
            (folder / name).mkdir()
        write_orders(folder)
        self.then = Build(True, unpack(folder / "then"))
        self.now = Build(True, unpack(folder / "now"))
        self.variables = SHOP | {"orders_location": str(folder / "orders.csv")}
        self.build = build


@pytest.fixture(scope="module", params=[by_the_command, by_dbt])
def upgraded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Built once by the project of now; nobody may change it."""
    shop = Shop(tmp_path_factory.mktemp("upgrade"), request.param)
    shop.build(shop.now.database, shop.variables)
    return shop


# The command is the first of the ways, too, so that its build is shared.
built_by_the_command = pytest.mark.parametrize("upgraded", [by_the_command], indirect=True)


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_an_upgrade_keeps_every_row_of_what_is_only_appended_to(upgraded: Shop, table: str) -> None:
    """It may add columns. Of a setting that was not known then it adopts the default."""
    then = upgraded.then.query(f"from {table}")
    assert len(then) > 0
    columns = ", ".join(f'"{column}"' for column in then.columns if column != "settings")
    rows = f"select {columns} from {table} order by all"
    pd.testing.assert_frame_equal(upgraded.now.query(rows), upgraded.then.query(rows))
    if "settings" in then:
        settings = f"select model_version, settings from {table} order by all"
        for before, after in zip(
            upgraded.then.query(settings)["settings"],
            upgraded.now.query(settings)["settings"],
            strict=True,
        ):
            assert json.loads(before).items() <= json.loads(after).items()


def test_an_upgrade_adds_the_columns_that_came_later(
    upgraded: Shop, continuous_build: Build
) -> None:
    """dbt would leave them out of a table that it only appends to, without a word."""
    columns = (
        "select schema_name || '.' || table_name as name, column_name, data_type"
        f" from duckdb_columns() where name in {tuple(APPEND_ONLY)} order by all"
    )
    pd.testing.assert_frame_equal(upgraded.now.query(columns), continuous_build.query(columns))


def test_an_upgrade_leaves_everybody_in_their_segment_and_its_name(upgraded: Shop) -> None:
    then = upgraded.then.query(PEOPLE)
    assert then["segment"].nunique() > 5
    pd.testing.assert_frame_equal(upgraded.now.query(PEOPLE), then)


def test_an_upgrade_takes_away_what_runs_of_then_left_over(upgraded: Shop) -> None:
    leftovers = (
        "select table_name from information_schema.tables"
        " where regexp_matches(table_name, '__dbt_(tmp|backup)')"
    )
    assert len(upgraded.then.query(leftovers)) > 0
    assert upgraded.now.query(leftovers)["table_name"].tolist() == []


@built_by_the_command
def test_the_report_of_an_upgraded_database_counts_its_segments(
    upgraded: Shop, tmp_path: Path
) -> None:
    database = upgraded.now.copy(tmp_path / "copy")
    arguments = ["report", "--database", str(database), "--site", str(tmp_path)]
    reported = CliRunner().invoke(main, arguments)
    assert reported.exit_code == 0, reported.output
    page = (tmp_path / "report" / "index.html").read_text()
    for segment, num_customers in upgraded.then.query(PEOPLE)["segment"].value_counts().items():
        row = f'<td><bdi>{segment}</bdi></td><td class="number"><bdi>{num_customers}</bdi></td>'
        assert row in page


@built_by_the_command
def test_a_refit_after_an_upgrade_goes_on_counting_versions_and_ids(
    upgraded: Shop, tmp_path: Path
) -> None:
    """Of the same customers on the same day: who was alike is so still, and nobody is renamed."""
    refitted = Build(True, upgraded.now.copy(tmp_path / "copy"))
    upgraded.build(refitted.database, upgraded.variables | {"refit": True})
    versions = refitted.query(
        "select model_version, due_because from clustering.model_versions"
        " where purpose = 'serves' order by model_version"
    )
    assert versions["model_version"].tolist() == [1, 2, 3]
    assert versions["due_because"].iloc[2] == "refit"
    people = refitted.query(PEOPLE)
    assert set(people["model_version"].dropna()) == {3}
    same = ["customer_id", "lifecycle_stage", "cluster_id", "segment_id", "segment"]
    pd.testing.assert_frame_equal(people[same], upgraded.then.query(PEOPLE)[same])
    pasts = "select min(model_version) from clustering.model_versions"
    assert refitted.value(pasts) == -6


@built_by_the_command
def test_an_upgrade_can_be_taken_back(upgraded: Shop, tmp_path: Path) -> None:
    shutil.copytree(upgraded.now.database.parent, tmp_path / "now")
    database = tmp_path / "now" / upgraded.now.database.name
    arguments = ["rollback", "--database", str(database)]
    taken_back = CliRunner().invoke(main, arguments)
    assert taken_back.exit_code == 0, taken_back.output
    segmentation = customer_segmentation.load(database)
    assert (segmentation.edition, segmentation.model_version) == (0, 2)
    people = segmentation.segments[upgraded.then.query(PEOPLE).columns]
    pd.testing.assert_frame_equal(people, upgraded.then.query(PEOPLE))
