"""The same orders give the same tables and report: shuffled, split, on any threads, twice."""

import hashlib
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from conftest import PROJECT, Build, build_models

from customer_segmentation.report.page import make_sections, render
from customer_segmentation.report.shop import Shop

# The days of a first fit are there in the run that makes it.
HISTORY = """
    metrics.customer_metrics_history
    where as_of_date in (
        from metrics.metric_days select as_of_date where not is_for_choosing and not is_for_grading
    )
"""
IS_TODAY = "as_of_date in (from staging.as_of select as_of_date)"
TABLES = (
    HISTORY,
    f"metrics.rfm_thresholds where {IS_TODAY}",
    "metrics.repurchase_windows",
    f"metrics.repurchase_curve where {IS_TODAY}",
    "clustering.customer_clusters",
    "clustering.cluster_centroids",
    "clustering.claim_limits",
    "clustering.stages",
    "clustering.curve_calibration",
    "segments.segment_names",
    "segments.segment_claims",
    "segments.segment_profiles",
    "segments.segment_rules",
    "segments.segment_outcomes",
    "segments.segmentation_quality",
)
COLUMNS = ("line_id", "order_id", "customer_id", "ordered_at", "amount", "status")
VARIABLES: dict[str, Any] = {
    "dataset": "sample",
    "order_columns": {column: column for column in COLUMNS} | {"customer_id": "upper(customer_id)"},
    # K-means on everybody is evidence all the same.
    "segmentation": "stages",
    "evidence_sample_size": 500,
    "num_bootstraps": 5,
    "num_resamples": 0,
}


def hashes(build: Build) -> dict[str, Any]:
    """Every table as the number of its rows and the sum of their hashes; and the report."""
    copy = build.copy(build.database.parent / "copy")
    shop = Shop(copy)
    page = render(shop, make_sections(shop, lambda message: None))
    page = page.replace(f", edition {shop.served_edition.edition_id}", "")
    report = {"report": hashlib.sha256(page.encode()).hexdigest()}
    return report | {
        table: build.query(
            f"select count(*) as n, sum(hash(t)::hugeint)::varchar as h from (from {table}) as t"
        ).values.tolist()
        for table in TABLES
    }


def build_in(folder: Path, threads: int, location: str) -> Build:
    """Build from ``location`` with as many threads in DuckDB and in dbt."""
    profile = yaml.safe_load((PROJECT / "profiles.yml").read_text())
    target = profile["customer_segmentation"]["outputs"]["dev"]
    target["threads"] = threads
    target["settings"]["threads"] = threads
    (folder / "profiles.yml").write_text(yaml.safe_dump(profile))
    variables = VARIABLES | {"orders_location": location}
    build = build_models(folder / "shop.duckdb", variables, profiles=folder)
    assert build.success, build.log
    return build


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("expected")
    build = build_in(folder, 2, str(PROJECT / "seeds" / "raw_orders.csv"))
    tables = hashes(build)
    again = build_in(folder, 2, str(PROJECT / "seeds" / "raw_orders.csv"))
    assert hashes(again) == tables
    return tables


@pytest.mark.parametrize("threads", [1, 4])
def test_rows_shuffled_and_split_over_files(
    expected: dict[str, Any], tmp_path: Path, threads: int
) -> None:
    source = f"read_csv('{PROJECT / 'seeds' / 'raw_orders.csv'}', all_varchar = true)"
    for part in range(3):
        duckdb.connect().sql(
            f"""
            copy (
                select * from {source}
                where hash(line_id, amount, {threads}) % 3 = {part}
                order by hash(line_id, amount, 'shuffled', {threads})
            ) to '{tmp_path}/part_{part}.csv'
            """
        )
    build = build_in(tmp_path, threads, f"{tmp_path}/part_*.csv")
    assert hashes(build) == expected
