"""A shop's life through ``customer-segmentation build``: published, refused, rolled back, mixed."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
import yaml
from click.testing import CliRunner, Result
from conftest import NO_DATA_TESTS, NO_UNIT_TESTS, PROJECT, RunnerOfTheParsed, run_dbt
from dbt.adapters.duckdb.connections import DuckDBConnectionManager

from customer_segmentation.cli import main
from customer_segmentation.database import Database
from orders import write_orders
from reading import tables_of

SHOP = {
    "dataset": "mine",
    "rows_are": "orders",
    "as_of_date": "2025-06-01",
    "history_months": 1,
    "evidence_sample_size": 200,
    "num_bootstraps": 2,
    "num_resamples": 0,
    "segment_count_by": "evidence",
    "order_columns": {
        "customer_id": "customer_id", "order_id": "order_id", "ordered_at": "ordered_at",
        "amount": "amount",
    },
}  # fmt: skip


class Life:
    """A shop with a database, and the commands that it is given."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.database = folder / "shop.duckdb"
        self.vars = SHOP | {"orders_location": str(folder / "orders.parquet")}
        write_orders(folder / "orders.parquet", 400)
        with duckdb.connect() as connection:
            few = f"from '{folder / 'orders.parquet'}' where customer_id <= 'C00000001'"
            connection.execute(f"copy ({few}) to '{folder / 'few.parquet'}'")
        self.few = {"orders_location": str(folder / "few.parquet")}
        for name, value in (
            ("DUCKDB_PATH", self.database),
            ("DBT_TARGET_PATH", folder / "target"),
            ("DBT_LOG_PATH", folder / "logs"),
        ):
            patch.setenv(name, str(value))
        patch.setattr("dbt.cli.main.dbtRunner", RunnerOfTheParsed)

    def run(self, *arguments: str) -> Result:
        """Run the command line."""
        return CliRunner().invoke(main, [*arguments])

    def build(self, *arguments: str, **changes: object) -> Result:
        """Build an edition, with data tests."""
        variables = yaml.safe_dump(self.vars | changes)
        return self.run("build", "--project-dir", str(PROJECT), "--vars", variables, *arguments)

    def in_place(self, **changes: object) -> str:
        """Build in place, without tests; give what dbt says."""
        arguments = ["build", *NO_UNIT_TESTS, *NO_DATA_TESTS]
        said = run_dbt(self.database, arguments, self.vars | changes).log
        # dbt would keep it open.
        DuckDBConnectionManager.close_all_connections()
        return said

    def tables(self) -> dict[str, str]:
        """All tables of the layers, hashed; views show what the tables hold."""
        with duckdb.connect(str(self.database), read_only=True) as connection:
            named = connection.sql("select schema_name || '.' || view_name from duckdb_views()")
            views = {name for (name,) in named.fetchall()}
            found = tables_of(connection)
        return {name: rows for name, rows in found.items() if name not in views}

    def edition(self) -> int:
        """The edition that is served."""
        with Database(self.database) as database:
            return database.served_edition.edition_id

    def versions(self) -> list[int]:
        """Versions that were fitted to serve, and the one that scores, at the end."""
        with Database(self.database) as database:
            fitted = database.read(
                "from clustering.model_versions where purpose = 'serves' order by model_version"
            )
            return [*map(int, fitted["model_version"]), database.active_version]


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    """A shop whose first edition is published."""
    with pytest.MonkeyPatch.context() as patch:
        life = Life(tmp_path_factory.mktemp("life"), patch)
        built = life.build()
        assert built.exit_code == 0, built.output
        yield life


@pytest.mark.slow
def test_a_rollback_pins_its_version_and_forgets_nothing(life: Life) -> None:
    first = life.tables()
    refitted = life.build(refit=True, segment_count=5)
    assert refitted.exit_code == 0, refitted.output
    assert life.versions() == [1, 2, 2]
    second = life.tables()

    assert "edition 1 is served again. Later builds score with its version 1" in (
        life.run("rollback").output
    )
    assert life.versions() == [1, 2, 1]
    differing = {name for name, rows in life.tables().items() if rows != first[name]}
    appended = {name for name, rows in second.items() if rows == life.tables()[name]}
    assert "clustering.model_versions" in differing
    assert differing <= appended

    assert "edition 2 is served again.\n" in life.run("rollback", "2").output
    assert life.tables() == second
    life.run("rollback", "1")

    assert "a rollback went back to version 1" in life.build(refit=True).output
    # A fit would be due, but for the pin.
    again = life.build(segment_count=4)
    assert again.exit_code == 0, again.output
    assert life.versions() == [1, 2, 1]
    assert life.edition() == 3
    assert "version 1 is released" in life.run("rollback", "--release").output
    assert life.edition() == 3


@pytest.mark.slow
def test_what_is_refused_leaves_everything_as_it_was(life: Life) -> None:
    before, edition = life.tables(), life.edition()
    refused = life.build(**life.few)
    assert refused.exit_code == 1
    assert "Error: Too few customers: 2 can be clustered" in refused.output
    failed = Path(f"{life.database}.editions", "failed", "shop.duckdb")
    assert f"What failed is in '{failed}' until the next build." in refused.output
    with Database(failed) as database, pytest.raises(Exception, match="failed: its tables may"):
        database.expect_one_edition()
    assert (life.tables(), life.edition()) == (before, edition)
    refused = life.build(dataset="another")
    assert "not on 'another'. Give each dataset a database of its own" in refused.output
    # Nothing was built, so that there is nothing to look at.
    assert not failed.exists()
    assert (life.tables(), life.edition()) == (before, edition)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"dataset": "another"}, "not on 'another'. Give each dataset a database of its own"),
        ({"model_version": 9}, "there is no version 9"),
        ({"candidate_features": ["num_orders", "num_oders"]}, "there is no metric 'num_oders'"),
        ({"scaler": "minimax"}, "scaler: 'minimax' won't do"),
    ],
)
def test_in_place_what_can_be_known_is_said_before_anything_is_replaced(
    life: Life, changes: dict[str, object], said: str
) -> None:
    before, edition = life.tables(), life.edition()
    assert said in life.in_place(as_of_date="2025-05-01", **changes)
    assert (life.tables(), life.edition()) == (before, edition)
    assert life.run("report", "--site", str(life.database.parent / "site")).exit_code == 0


@pytest.mark.slow
def test_in_place_the_report_refuses_what_was_refused_late(life: Life) -> None:
    life.in_place()
    with Database(life.database) as database:
        assert database.served_edition.outcome == "untested"
    assert "without its tests" in life.run("editions").output.splitlines()[0]
    assert "Too few customers: 2 can be clustered" in life.in_place(**life.few)
    refused = life.run("report", "--site", str(life.database.parent / "site"))
    assert refused.exit_code == 1
    assert "failed: its tables may be of different days. Build it again, whole" in refused.output
    refused = life.run("export-registry", str(life.database.parent / "registry.csv"))
    assert "failed: its tables may be of different days" in refused.output
    built = life.build()
    assert built.exit_code == 0, built.output
    assert life.run("report", "--site", str(life.database.parent / "site")).exit_code == 0


@pytest.mark.slow
def test_an_edition_says_what_it_holds_and_leaves_nothing_else(life: Life) -> None:
    with Database(life.database) as database:
        edition = database.read("from main.editions order by served_since").iloc[-1]
        counted = database.read("select count(*) as num from metrics.customer_metrics")
        names = database.read("select table_name from duckdb_tables()")["table_name"]
    assert (edition["dataset"], str(edition["as_of_date"])[:10]) == ("mine", "2025-06-01")
    assert edition["outcome"] == "whole"
    assert edition["num_rows"]["metrics.customer_metrics"] == counted["num"].iloc[0]
    assert '"num_bootstraps": 2' in edition["settings"]
    assert not names[names.str.contains("__dbt_")].size
    assert life.database.stat().st_mode & 0o077 == 0
    assert Path(f"{life.database}.editions").stat().st_mode & 0o077 == 0
