"""The project as a package of another dbt project, which has models and vars of its own."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from conftest import PROJECT, QUICK

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the example, with this checkout as its package."""
    host = tmp_path_factory.mktemp("host") / "project"
    shutil.copytree(PROJECT / "examples" / "host_project", host)
    packages = host / "packages.yml"
    packages.write_text(packages.read_text().replace("../..", str(PROJECT)))
    run(host, "dbt", "deps")
    return host


def run(host: Path, program: str, *arguments: str, fails: bool = False) -> str:
    """Run a program of this environment in the host's folder; give what it says."""
    outside = {"DUCKDB_PATH", "DBT_TARGET_PATH", "DBT_LOG_PATH"}
    made = subprocess.run(
        [Path(sys.executable).with_name(program), *arguments],
        cwd=host,
        env={name: value for name, value in os.environ.items() if name not in outside}
        | {"DUCKDB_PATH": "my_shop.duckdb"},
        capture_output=True,
        text=True,
    )
    said = made.stdout + made.stderr
    assert (made.returncode != 0) == fails, said
    return said


def test_a_host_builds_its_own_orders_though_models_have_the_same_names(host: Path) -> None:
    said = run(host, "customer-segmentation", "build", "--vars", json.dumps(QUICK))
    assert "steps in" in said
    with duckdb.connect(str(host / "my_shop.duckdb"), read_only=True) as connection:
        figures = connection.sql(
            """
            select count(*), cast(sum(amount) as decimal(18, 2)), count(distinct customer_id)
            from staging.orders
            """
        ).fetchall()
        theirs = connection.sql(
            """
            select count(*), cast(sum(total) as decimal(18, 2)), count(distinct buyer)
            from main_my_shop.orders
            """
        ).fetchall()
        assert figures == theirs
        assert figures[0][0] > 500
        consent = "select distinct consent_status from marketing.marketing_targets order by all"
        assert connection.sql(consent).fetchall() == [("given",), ("refused",)]


def test_the_lineage_has_the_hosts_models(host: Path) -> None:
    listed = run(host, "dbt", "ls", "--quiet", "--select", "+segment_profiles")
    assert {"my_shop.orders", "my_shop.stg_customers", "my_shop.raw_orders"} <= set(listed.split())


def test_a_var_of_the_hosts_is_its_own_and_nearly_ours_is_a_mistake(host: Path) -> None:
    seed = ("dbt", "seed", "--select", "rfm_groups", "--vars")
    run(host, *seed, "{campaign: spring}")
    said = run(host, *seed, "{order_colums: {}}", fails=True)
    assert "There is no var 'order_colums'. Did you mean 'order_columns'?" in said


def test_a_name_that_dbt_would_mix_up_is_told(host: Path, tmp_path: Path) -> None:
    other = tmp_path / "project"
    shutil.copytree(
        host, other, symlinks=True, ignore=shutil.ignore_patterns("*.duckdb*", "target")
    )
    project = other / "dbt_project.yml"
    project.write_text(
        project.read_text().replace("package_before_root: true", "package_before_root: false")
    )
    said = run(other, "dbt", "build", fails=True)
    assert "' is called like one of customer_segmentation, and dbt would test yours" in said
