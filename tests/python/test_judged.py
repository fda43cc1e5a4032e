"""Fits of the past through dbt: they know nothing of what came after, and never serve."""

import csv
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from conftest import Build, build_models, continuous_shop, run_dbt

from customer_segmentation.foresight import log_spend
from customer_segmentation.report.sections.outcomes import outcomes
from customer_segmentation.report.shop import Shop

JUDGED = (
    "--select", "+segment_outcomes", "+segmentation_quality", "+segment_registry",
    "+customer_segments",
)  # fmt: skip

VERSIONS = "from clustering.model_versions order by model_version"


def shop(**changes: Any) -> dict[str, Any]:
    """A shop with little evidence, whose number of segments foresight chooses."""
    judged = {"segment_count_by": "foresight", "repurchase_window_days": 60}
    return continuous_shop(**judged | changes)


def built(database: Path, **changes: Any) -> Build:
    build = build_models(database, shop(**changes), *JUDGED)
    assert build.success, build.log[-3000:]
    return build


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """The continuous shop as of 2025-09-01, nobody may change it."""
    return built(tmp_path_factory.mktemp("judged") / "shop.duckdb", as_of_date="2025-09-01")


def test_three_fits_of_three_days_and_only_one_serves(judged: Build) -> None:
    versions = judged.query(VERSIONS).set_index("purpose")
    assert versions["model_version"].to_dict() == {"serves": 1, "grades": -1, "chooses": -2}
    assert set(versions["served_version"]) == {1}
    assert versions["fitted_on"].dt.strftime("%m-%d").to_dict() == {
        "serves": "09-01", "grades": "07-03", "chooses": "05-04",
    }  # fmt: skip
    assert set(judged.query("from clustering.customer_clusters")["model_version"]) == {1}
    assert judged.value("select min(cluster_id) from clustering.customer_clusters") > 0
    assert set(judged.query("from segments.segment_registry")["model_version"]) == {1}


def test_a_past_fit_is_what_a_build_of_that_day_would_have_made(
    judged: Build, tmp_path: Path
) -> None:
    k = int(judged.value("select k from clustering.clustering_candidates where is_selected"))
    then = built(tmp_path / "shop.duckdb", as_of_date="2025-07-03", segment_count=k)
    for table, columns, order in (
        ("clustering.clustering_features", "stage, feature, transform, centre, scale", "all"),
        ("clustering.version_curves", "* exclude (model_version)", "all"),
        ("clustering.claim_limits", "* exclude (model_version)", "all"),
        ("clustering.cluster_centroids", "stage, feature, centroid, share_at_fit", "all"),
    ):
        past, today = (
            build.query(
                f"select {columns} from {table} where model_version = {version} order by {order}"
            )
            for build, version in ((judged, -1), (then, 1))
        )
        assert len(past) > 4
        pd.testing.assert_frame_equal(past, today)
    clusters = """
        select customer_id, lifecycle_stage, repurchase_probability
        from clustering.{} order by customer_id
    """
    pd.testing.assert_frame_equal(
        judged.query(clusters.format("graded_clusters")),
        then.query(clusters.format("customer_clusters")),
    )


def test_outcomes_are_what_the_orders_say(judged: Build) -> None:
    happened = judged.query(
        """
        select customer_id, sum(amount)::double as revenue, max(amount) > 0 as has_ordered
        from (
            select customer_id, order_date, sum(amount) as amount
            from staging.orders
            where order_date >= date '2025-07-03' and order_date < date '2025-09-01'
            group by all
        )
        group by customer_id
        """
    ).set_index("customer_id")
    graded = judged.query("from segments.graded_customers").set_index("customer_id")
    expected = happened.reindex(graded.index)
    assert (graded["has_ordered_next"] == expected["has_ordered"].fillna(False).astype(bool)).all()
    assert graded["revenue_next"].to_numpy(float) == pytest.approx(expected["revenue"].fillna(0))
    assert 0.1 < graded["has_ordered_next"].mean() < 0.9
    rows = judged.query("from segments.segment_outcomes").set_index("segment_id")
    groups = graded.groupby("segment_id")
    pd.testing.assert_series_equal(
        rows["num_ordered"].sort_index(),
        groups["has_ordered_next"].sum().sort_index(),
        check_names=False, check_dtype=False, check_index_type=False,
    )  # fmt: skip
    assert (
        rows["share_ordered"].between(rows["share_ordered_low"], rows["share_ordered_high"])
    ).all()
    chances = groups["repurchase_probability"].mean()
    assert rows["predicted_share"].sort_index().to_numpy() == pytest.approx(
        chances.sort_index().to_numpy(), abs=1e-6
    )


def test_the_number_is_the_finest_that_foretold_better(judged: Build) -> None:
    rows = judged.query(
        "from clustering.clustering_candidates where algorithm = 'kmeans_in_stages' order by k"
    )
    assert rows["brier_score"].notna().sum() >= 2
    (selected,) = rows[rows["is_selected"]].to_dict("records")
    assert selected["is_reproduced"]
    reproduced = rows[rows["is_reproduced"].fillna(False) & rows["brier_score"].notna()]
    assert len(reproduced) > 1, "or there is nothing to choose among"
    listed = ", ".join(map(str, reproduced["k"]))
    assert f"resampling reproduces ({listed}) k = {selected['k']}" in selected["reason"]
    # With the rule of stability alone it would be the largest.
    assert selected["k"] < reproduced["k"].max()
    # A customer whom nobody foretells errs by the variance of what happened.
    past = judged.query("from clustering.past_samples where purpose = 'chooses'")
    spend = log_spend(past["revenue_next"].to_numpy(float))
    assert selected["brier_score"] < past["has_ordered_next"].astype(float).var()
    assert selected["log_spend_error"] < np.var(spend)


def test_names_of_then_are_true_of_then(judged: Build) -> None:
    names = judged.query("from segments.segment_names where model_version = -1")
    assert len(names) == judged.value("select count(*) from segments.segment_outcomes")
    claims = judged.query("from segments.cluster_claims where as_of_date = date '2025-07-03'")
    shares = claims.set_index(["cluster_id", "claim"])["share_inside"]
    for name in names.to_dict("records"):
        for claim in name["claims"].split():
            assert shares[name["cluster_id"], claim] >= 0.8


def test_only_what_serves_is_pinned_and_exported(judged: Build, tmp_path: Path) -> None:
    database = judged.copy(tmp_path)
    pinned = build_models(database, shop(as_of_date="2025-09-01", model_version=-1), *JUDGED)
    assert not pinned.success
    assert "model_version: '-1' won't do. Give a whole number of at least 1 or null." in pinned.log
    path = tmp_path / "registry.csv"
    arguments = ["run-operation", "export_registry", "--args", f"{{path: '{path}'}}"]
    assert run_dbt(database, arguments, None).success
    with path.open() as file:
        assert {row["model_version"] for row in csv.DictReader(file)} == {"1"}


def test_later_builds_grade_the_fit_that_serves_by_the_months_since_once(
    judged: Build, tmp_path: Path
) -> None:
    database = judged.copy(tmp_path)
    days = """
        select model_version, cast(as_of_date as varchar) as day, count(*) as n
        from {} group by all order by day
    """
    outcomes, quality = "segments.segment_outcomes", "segments.segmentation_quality"
    first = judged.query(f"from {outcomes} order by all")
    later = built(database, as_of_date="2025-12-15")
    # A window has passed since September and October, not yet since November.
    for table in (outcomes, quality):
        found = later.query(days.format(table))
        assert list(zip(found["model_version"], found["day"], strict=True)) == [
            (-1, "2025-07-03"), (1, "2025-09-01"), (1, "2025-10-01"),
        ]  # fmt: skip
    pd.testing.assert_frame_equal(
        later.query(f"from {outcomes} where model_version = -1 order by all"), first
    )
    assert later.value("select count(*) from clustering.past_samples") == 0
    before = later.query(f"from {outcomes} order by all")
    again = run_dbt(
        database,
        ["build", "--full-refresh", "--exclude-resource-type", "unit_test",
         "--exclude-resource-type", "test", *JUDGED],
        shop(as_of_date="2025-12-15"),
    )  # fmt: skip
    assert again.success, again.log[-2000:]
    pd.testing.assert_frame_equal(again.query(f"from {outcomes} order by all"), before)
    # A refit is graded by a fit of its own.
    refit = built(database, as_of_date="2025-12-15", refit=True)
    assert refit.query(VERSIONS)["model_version"].tolist() == [-4, -3, -2, -1, 1, 2]
    assert refit.value(f"select count(*) from {outcomes} where model_version = -3") > 3
    assert set(refit.query("from segments.segment_registry")["model_version"]) == {1, 2}


def test_without_a_past_window_the_rule_is_that_of_stability(tmp_path: Path) -> None:
    first = shop()["orders_location"]
    with duckdb.connect() as connection:
        (start,) = connection.sql(
            f"select min(cast(ordered_at as date)) from read_csv('{first}')"
        ).fetchall()[0]
    day = str(start + pd.Timedelta(days=100))[:10]
    build = built(tmp_path / "shop.duckdb", as_of_date=day)
    assert "chooses" not in set(build.query(VERSIONS)["purpose"])
    # Where nothing is graded yet, the tables have their types all the same.
    for table in ("segment_outcomes", "segmentation_quality"):
        types = build.query(f"describe segments.{table}").set_index("column_name")["column_type"]
        assert types["as_of_date"] == types["outcomes_until"] == "DATE"
    candidates = build.query("from clustering.clustering_candidates")
    assert candidates["brier_score"].isna().all()
    (selected,) = candidates[candidates["is_selected"]]["reason"]
    assert "predicted" not in selected


def test_with_evidence_the_past_is_graded_and_chooses_nothing(tmp_path: Path) -> None:
    build = built(tmp_path / "shop.duckdb", as_of_date="2025-09-01", segment_count_by="evidence")
    assert set(build.query(VERSIONS)["purpose"]) == {"serves", "grades"}
    assert build.value("select count(*) from segments.segment_outcomes") > 3


def graded_days(build: Build) -> list[tuple[int, str]]:
    rows = build.query(
        "select distinct model_version, strftime(as_of_date, '%Y-%m-%d') as day"
        " from segments.segment_outcomes order by all"
    )
    return list(rows.itertuples(index=False, name=None))


def test_a_run_that_ended_before_it_graded_is_made_up_for(tmp_path: Path) -> None:
    database = tmp_path / "shop.duckdb"
    half = build_models(
        database, shop(as_of_date="2025-09-01", segment_count=6), "--select", "+cluster_centroids"
    )
    assert half.success, half.log[-2000:]
    earlier = built(database, as_of_date="2025-08-31", segment_count=6)
    assert graded_days(earlier) == [], "the window has not passed"
    whole = built(database, as_of_date="2025-09-01", segment_count=6)
    assert graded_days(whole) == [(-1, "2025-07-03")]
    again = built(database, as_of_date="2025-09-01", segment_count=6)
    assert again.value("select count(*) from clustering.graded_clusters") == 0


def test_a_pinned_version_is_graded_and_no_other(tmp_path: Path) -> None:
    database = tmp_path / "shop.duckdb"
    few = {"segment_count": 5}
    built(database, as_of_date="2025-06-01", **few)
    # The second version's fit of the past is as of a month start, too.
    built(database, as_of_date="2025-09-30", refit=True, **few)
    pinned = built(database, as_of_date="2025-12-15", model_version=1, **few)
    days = graded_days(pinned)
    assert (-3, "2025-08-01") in days
    assert [day for version, day in days if version == -3] == ["2025-08-01"]
    assert [day for version, day in days if version == 1] == [
        f"2025-{month}-01" for month in ("06", "07", "08", "09", "10")
    ]
    released = built(database, as_of_date="2025-12-15", **few)
    assert (2, "2025-10-01") in graded_days(released)
    section = outcomes(Shop(released.copy(tmp_path / "copy")))
    assert section.lead.startswith("Version 2 is held against")
    assert len(section.plots) == 2


def test_a_restored_version_is_judged_over_the_window_that_it_was_given(
    judged: Build, tmp_path: Path
) -> None:
    path = tmp_path / "registry.csv"
    arguments = ["run-operation", "export_registry", "--args", f"{{path: '{path}'}}"]
    assert run_dbt(judged.copy(tmp_path / "copy"), arguments, None).success
    restored = built(
        tmp_path / "shop.duckdb",
        as_of_date="2025-12-15",
        registry_location=str(path),
        refit_on_change=False,
        repurchase_window_days=120,
    )
    windows = restored.query("select distinct window_days from metrics.metric_days")["window_days"]
    assert windows.tolist() == [60]
    assert graded_days(restored) == [(1, "2025-09-01"), (1, "2025-10-01")]
