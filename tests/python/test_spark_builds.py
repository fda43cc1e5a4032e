"""Builds on Spark behind views: which is served, and what a killed process leaves.

Needs Java and ``make spark``; ``make spark-test`` runs it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import pytest

from customer_segmentation.engines.spark_builds import MOST_SIGNS, TO_SERVE, Builds, Described

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (find_spec("pyspark") and shutil.which("java")), reason="needs Java and make spark"
    ),
]

SAID = {"orders": Described("The shop's orders.", {"day": "When. " * MOST_SIGNS})}
FIRST, SECOND, THIRD = ("__b20260101000000", "__b20260102000000", "__b20260103000000")


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from pyspark.sql import SparkSession

    folder = tmp_path_factory.mktemp("warehouse")
    builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
    session = builder.config("spark.sql.warehouse.dir", str(folder)).getOrCreate()
    yield session
    session.stop()


@pytest.fixture
def builds(session: Any) -> Builds:
    for database in session.catalog.listDatabases():
        if database.name != "default":
            session.sql(f"drop schema {database.name} cascade")
    return Builds(session, "main")


def make(builds: Builds, suffix: str, *tables: str) -> None:
    """Begin a build and make its tables, whose only row says of which build they are."""
    builds.begin({f"staging{suffix}": "staging"}, SAID)
    for table in tables:
        builds.session.sql(
            f"create table staging{suffix}.{table} using parquet as select '{suffix}' as day"
        )


def read(builds: Builds) -> dict[str, str]:
    return {
        name: builds.session.table(f"staging.{name}").collect()[0][0]
        for name in builds.relations("staging")
    }


def schemas(builds: Builds) -> set[str]:
    names = {database.name for database in builds.session.catalog.listDatabases()}
    return names - {"default", "main", "staging"}


def test_what_is_read_is_the_last_published_build(builds: Builds) -> None:
    make(builds, FIRST, "orders", "older")
    builds.publish(FIRST, {f"staging{FIRST}": "staging"}, SAID)
    assert read(builds) == {"orders": FIRST, "older": FIRST}
    make(builds, SECOND, "orders", "newer")
    assert read(builds) == {"orders": FIRST, "older": FIRST}
    builds.publish(SECOND, {f"staging{SECOND}": "staging"}, SAID)
    assert read(builds) == {"orders": SECOND, "newer": SECOND}
    # The build of before stays until the next one begins, for who is reading it.
    assert schemas(builds) == {f"staging{FIRST}", f"staging{SECOND}"}
    make(builds, THIRD)
    assert schemas(builds) == {f"staging{SECOND}", f"staging{THIRD}"}
    assert read(builds) == {"orders": SECOND, "newer": SECOND}


def test_the_next_build_puts_right_what_was_killed_while_it_was_published(builds: Builds) -> None:
    make(builds, FIRST, "orders", "lines")
    builds.publish(FIRST, {f"staging{FIRST}": "staging"}, SAID)
    make(builds, SECOND, "orders", "lines")
    builds._name(TO_SERVE, SECOND)
    builds._show_one(f"staging{SECOND}", "staging", SAID, "orders")
    assert read(builds) == {"orders": SECOND, "lines": FIRST}
    make(builds, THIRD)
    assert read(builds) == {"orders": SECOND, "lines": SECOND}
    assert schemas(builds) == {f"staging{SECOND}", f"staging{THIRD}"}


def test_schemas_of_others_stay(builds: Builds) -> None:
    for name in ("staging__backup", "staging__b1_of_mine", "other_staging__b20260101000000"):
        builds.session.sql(f"create schema {name}")
    make(builds, FIRST)
    others = {"staging__backup", "staging__b1_of_mine", "other_staging__b20260101000000"}
    assert schemas(builds) == others | {f"staging{FIRST}"}


def test_views_have_the_descriptions(builds: Builds) -> None:
    make(builds, FIRST, "orders")
    builds.publish(FIRST, {f"staging{FIRST}": "staging"}, SAID)
    ((name, _, comment), *_) = builds.session.sql("describe staging.orders").collect()
    assert name == "day"
    assert comment.startswith("When. When.")
    assert len(comment) <= MOST_SIGNS
    (table,) = builds.session.catalog.listTables("staging")
    assert table.description == "The shop's orders."
