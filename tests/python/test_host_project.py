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

import customer_segmentation

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


def test_schemas_take_a_prefix(host: Path, tmp_path: Path) -> None:
    """Also where the host has schemas and tables that are called like the package's."""
    other = copy_of(host, tmp_path)
    project = other / "dbt_project.yml"
    project.write_text(project.read_text().replace("    +schema: my_shop", "    +schema: main"))
    name_after_the_schema = other / "macros" / "generate_schema_name.sql"
    name_after_the_schema.parent.mkdir()
    name_after_the_schema.write_text(
        "{% macro generate_schema_name(name, node) %}{{ name or target.schema }}{% endmacro %}"
    )
    (other / "models" / "editions.sql").write_text("select 'first print' as edition")
    project.write_text(project.read_text() + "    orders:\n      +schema: marketing\n")
    build = ("dbt", "build", "--vars")
    said = run(other, *build, json.dumps(QUICK), fails=True)
    assert (
        "Your model 'orders' is called like one of customer_segmentation, and is in a"
        " schema of its: marketing. Set schema_prefix" in said
    )
    prefix = {"schema_prefix": "seg_"}
    run(other, *build, json.dumps(QUICK | prefix))
    said = run(other, *build, json.dumps({"schema_prefix": "other_"}), fails=True)
    assert "has a segmentation in the schemas with the schema_prefix 'seg_'" in said
    database = other / "my_shop.duckdb"
    with duckdb.connect(str(database), read_only=True) as connection:
        found = connection.sql(
            "select distinct schema_name from duckdb_tables() order by all"
        ).fetchall()
        assert [name for (name,) in found] == [
            "main", "seg_clustering", "seg_main", "seg_marketing", "seg_metrics", "seg_segments",
            "seg_staging",
        ]  # fmt: skip
        assert connection.sql("from main.editions").fetchall() == [("first print",)]
        ((theirs,),) = connection.sql("select count(*) from marketing.orders").fetchall()
        ((ours,),) = connection.sql(
            "select sum(num_orders) from seg_segments.customer_segments"
        ).fetchall()
    assert theirs == ours
    shop = customer_segmentation.load(database)
    assert shop.segments["num_orders"].sum() == ours
    run(other, "customer-segmentation", "report", "--database", "my_shop.duckdb", "--site", "site")
    assert "seg_marketing.targets_win_back" in (other / "site/report/index.html").read_text()


def test_a_host_has_metrics_of_its_own(host: Path, tmp_path: Path) -> None:
    other = copy_of(host, tmp_path)
    (other / "models" / "custom_metrics.sql").write_text(
        """
        select customer_id, as_of_date, count(*) filter (where amount > 50) as num_large_orders
        from {{ ref('customer_segmentation', 'known_order_lines') }}
        group by all
        """
    )
    project = other / "dbt_project.yml"
    instead = (
        "  customer_segmentation:\n    metrics:\n      custom_metrics:\n        +enabled: false\n"
    )
    project.write_text(project.read_text() + instead)
    candidate_features = ["total_amount", "days_since_last_order", "num_large_orders"]
    # The package's unit tests run here, too, whatever the vars.
    other_vars = {"returns": "exclude", "segmentation": "plain", "scaler": "minmax"}
    arguments = QUICK | other_vars | {"candidate_features": candidate_features}
    run(other, "dbt", "build", "--vars", json.dumps(arguments))
    with duckdb.connect(str(other / "my_shop.duckdb"), read_only=True) as connection:
        ((counted, in_orders),) = connection.sql(
            """
            select sum(num_large_orders), (select count(*) from staging.orders where amount > 50)
            from segments.customer_segments
            """
        ).fetchall()
        features = connection.sql("select distinct feature from clustering.clustering_features")
        assert {name for (name,) in features.fetchall()} == set(candidate_features)
    assert counted == in_orders > 0


def test_a_mapping_that_does_not_fit_the_hosts_model_is_told(host: Path, tmp_path: Path) -> None:
    other = copy_of(host, tmp_path)
    project = other / "dbt_project.yml"
    project.write_text(project.read_text().replace("amount: total", "amount: totl"))
    said = run(other, "dbt", "build", fails=True)
    assert "names a column 'totl' that doesn't exist in" in said
    assert "Did you mean 'total'? Its columns are number, buyer, placed_at, total." in said


def test_the_lineage_has_the_hosts_models(host: Path) -> None:
    listed = run(host, "dbt", "ls", "--quiet", "--select", "+segment_profiles")
    assert {"my_shop.orders", "my_shop.stg_customers", "my_shop.raw_orders"} <= set(listed.split())


def test_a_var_of_the_hosts_is_its_own_and_nearly_ours_is_a_mistake(host: Path) -> None:
    seed = ("dbt", "seed", "--select", "rfm_groups", "--vars")
    run(host, *seed, "{campaign: spring}")
    said = run(host, *seed, "{order_colums: {}}", fails=True)
    assert "There is no var 'order_colums'. Did you mean 'order_columns'?" in said


def copy_of(host: Path, folder: Path) -> Path:
    """Copy a host with its packages, and nothing that was built."""
    other = folder / "project"
    shutil.copytree(
        host, other, symlinks=True, ignore=shutil.ignore_patterns("*.duckdb*", "target")
    )
    return other


def test_a_name_that_dbt_would_mix_up_is_told(host: Path, tmp_path: Path) -> None:
    other = copy_of(host, tmp_path)
    project = other / "dbt_project.yml"
    project.write_text(
        project.read_text().replace("package_before_root: true", "package_before_root: false")
    )
    said = run(other, "dbt", "build", fails=True)
    assert "' is called like one of customer_segmentation, and dbt would test yours" in said
