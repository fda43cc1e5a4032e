"""A shop without groups, through dbt: segments within lifecycle stages, their refits and faults."""

import json
import pickle
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from conftest import (
    Build,
    build_models,
    build_with_data_tests,
    continuous_shop,
    run_dbt,
)

import customer_segmentation
from customer_segmentation.report.page import make_sections
from customer_segmentation.report.shop import Shop

CLUSTERS = "from clustering.customer_clusters order by customer_id"
SEGMENTS = """
    select customer_id, segment_id, segment
    from segments.customer_segments
    where is_clusterable
    order by all
"""
CLUSTERING = ("--select", "+customer_segments", "+segment_registry")


def test_every_segment_is_of_one_stage(continuous_build: Build) -> None:
    selected = continuous_build.query("from clustering.clustering_candidates where is_selected")
    assert selected["algorithm"].tolist() == ["kmeans_in_stages"]
    assert selected["verdict"].tolist() == ["reproducible segments"]
    assert selected["is_reproduced"].all()
    mixed = continuous_build.value(
        """
        select count(*) from clustering.customer_clusters as customers
        inner join clustering.stages using (lifecycle_stage)
        inner join (select distinct cluster_id, stage from clustering.cluster_centroids) as clusters
            using (cluster_id)
        where stages.stage != clusters.stage
        """
    )
    assert mixed == 0
    stages = continuous_build.query(
        "from clustering.stages where lifecycle_stage != 'unknown' order by lifecycle_stage"
    )
    assert (stages["stage"] == stages["lifecycle_stage"]).all()
    allocation = json.loads(selected["allocation"].iloc[0])
    assert dict(zip(stages["stage"], stages["num_clusters"], strict=True)) == allocation
    assert stages["num_customers"].sum() == len(continuous_build.query(CLUSTERS))
    assert (stages["reason"] == selected["reason"].iloc[0]).all()
    named = continuous_build.query("from segments.segment_names")
    assert named["archetype"].notna().all()


def test_everybody_is_nearest_to_their_own_segment_of_the_stage(continuous_build: Build) -> None:
    """Computed anew from the tables, with nothing of the project's own code."""
    customers = continuous_build.query(
        "from segments.customer_segments where is_clusterable order by customer_id"
    )
    features = continuous_build.query(
        "from clustering.clustering_features"
        " where model_version = 1 and stage = 'every stage' and is_selected"
    ).set_index("feature")
    assert set(features.index) == {"total_amount", "num_orders"}
    assert set(features["transform"]) == {"log1p"}
    centroids = continuous_build.query(
        "from clustering.cluster_centroids where model_version = 1"
    ).pivot(index=["stage", "cluster_id"], columns="feature", values="centroid")
    for stage, members in customers.groupby("lifecycle_stage"):
        own = centroids.loc[stage]
        distances = np.sqrt(
            sum(
                (
                    (np.log1p(members[[name]].to_numpy(dtype=float)) - features["centre"][name])
                    / features["scale"][name]
                    - own[[name]].to_numpy().T
                )
                ** 2
                for name in features.index
            )
        )
        assert (own.index[distances.argmin(axis=1)] == members["cluster_id"]).all()
        np.testing.assert_allclose(distances.min(axis=1), members["distance"], atol=1e-6)
        if len(own) == 1:
            assert (members["margin"] == 1).all()


@pytest.fixture(scope="module")
def shop(
    continuous_build: Build, tmp_path_factory: pytest.TempPathFactory
) -> customer_segmentation.Segmentation:
    return customer_segmentation.load(continuous_build.copy(tmp_path_factory.mktemp("notebook")))


def test_a_notebook_scores_within_the_stages_that_it_finds_itself(
    shop: customer_segmentation.Segmentation,
) -> None:
    customers = shop.segments[shop.segments["is_clusterable"]]
    assert set(customers["lifecycle_stage"]) == {"new", "active", "cooling", "lapsed"}
    pipeline = pickle.loads(pickle.dumps(shop.as_pipeline()))
    for frame in (customers, customers.drop(columns="lifecycle_stage")):
        scored = shop.score(frame)
        for column in ("cluster_id", "segment", "distance", "margin"):
            assert (scored[column] == customers[column]).all(), column
        assert (pipeline.predict(frame) == customers["cluster_id"]).all()
    assert shop.score(customers.head(0)).empty


def test_a_notebook_says_what_it_needs_for_the_stage(
    shop: customer_segmentation.Segmentation,
) -> None:
    customers = shop.segments[shop.segments["is_clusterable"]]
    bare = customers[["total_amount", "num_orders"]]
    with pytest.raises(ValueError, match=r"^There is no column num_order_days, .*lifecycle stages"):
        shop.score(bare)
    with pytest.raises(ValueError, match=r"^lifecycle_stage is one of new, .* and not gone\.$"):
        shop.score(customers.assign(lifecycle_stage="gone"))


def test_the_report_says_why_stages_and_what_they_are(
    continuous_build: Build, tmp_path: Path
) -> None:
    made = make_sections(Shop(continuous_build.copy(tmp_path)), lambda message: None)
    sections = {section.key: section for section in made}
    silence, chance = continuous_build.query(
        """
        select silence_from, repurchase_probability from clustering.version_curves
        where order_class = 1 and model_version = 1
        order by abs(repurchase_probability - 0.2)
        limit 1
        """
    ).iloc[0]
    lead = sections["stages"].lead
    said = f"After one order and {silence:.0f} days without another, {chance:.0%} still come back"
    assert said in lead
    assert "the segments are made within these lifecycle stages" in lead
    keys = [plot.key for plot in sections["choice"].plots]
    assert keys[:3] == ["inertia", "silhouette", "stability"]
    assert {"inertia-of-everybody", "silhouette-of-everybody"} <= set(keys)
    assert "made within lifecycle stages" in sections["choice"].lead
    drawn = {axis for plot in sections["customers"].plots for axis in plot.table.headings}
    for metric in ("Total amount", "Orders", "Average order", "Days since last order"):
        assert any(heading.startswith(metric) for heading in drawn), metric


def as_of(database: Path, day: str, **changes: Any) -> Build:
    build = build_models(database, continuous_shop(as_of_date=day, **changes), *CLUSTERING)
    assert build.success, build.log
    return build


@pytest.fixture(scope="module")
def refitted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A fit, a month later the same fit, and then a refit."""
    database = tmp_path_factory.mktemp("refits") / "shop.duckdb"
    found: dict[str, Any] = {"database": database}
    as_of(database, "2025-10-01")
    found["kept"] = as_of(database, "2025-11-01").query(SEGMENTS)
    refit = as_of(database, "2025-11-01", refit=True)
    found["refit"] = refit.query(SEGMENTS)
    found["registry"] = refit.query("from segments.segment_registry")
    found["versions"] = refit.query(
        "from clustering.model_versions where purpose = 'serves' order by all"
    )
    found["candidates"] = refit.query("from clustering.clustering_candidates where is_selected")
    return found


def test_a_refit_keeps_people_names_and_how_the_segments_are_shared_out(
    refitted: dict[str, Any],
) -> None:
    pd.testing.assert_series_equal(
        refitted["kept"]["customer_id"], refitted["refit"]["customer_id"]
    )
    same = (refitted["kept"] == refitted["refit"]).all(axis=1)
    assert same.mean() > 0.9
    assert refitted["versions"]["due_because"].tolist() == ["first build", "refit"]
    first, second = refitted["candidates"].sort_values("model_version")["allocation"]
    assert first == second
    registry = refitted["registry"]
    kept = registry[(registry["model_version"] == 2) & (registry["status"] == "kept")]
    assert len(kept) == sum(json.loads(second).values())
    assert (kept["parents"].str.split(",").str[0] == kept["cluster_id"].astype(str)).all()
    assert kept["segment_count_because"].str.contains("as in the version before").all()


def test_an_interrupted_fit_leaves_no_version_here_and_in_the_registry(
    refitted: dict[str, Any], tmp_path: Path
) -> None:
    database = refitted["database"]
    with duckdb.connect(str(database)) as connection:
        for table in ("model_versions", "clustering_features", "claim_limits", "version_curves"):
            made_for = ", 3 as served_version" if table == "model_versions" else ""
            connection.sql(
                f"insert into clustering.{table} from ("
                f"select * replace (3 as model_version{made_for})"
                f" from clustering.{table} where model_version = 2)"
            )
    path = tmp_path / "registry.csv"
    exported = run_dbt(
        database, ["run-operation", "export_registry", "--args", f"{{path: '{path}'}}"], None
    )
    assert exported.success, exported.log
    assert set(pd.read_csv(path)["model_version"]) == {1, 2}

    elsewhere = as_of(tmp_path / "shop.duckdb", "2025-11-01", registry_location=str(path))
    pd.testing.assert_frame_equal(elsewhere.query(SEGMENTS), refitted["refit"])
    for table in ("stages", "cluster_centroids", "previous_stages"):
        served = f"from clustering.{table} where model_version > 0 order by all"
        rows = Build(True, database).query(served)
        pd.testing.assert_frame_equal(elsewhere.query(served), rows, check_dtype=False)

    pinned = build_models(
        database, continuous_shop(as_of_date="2025-11-01", model_version=3), *CLUSTERING
    )
    assert not pinned.success
    assert "model_version: there is no version 3. There are 1, 2." in pinned.log
    again = as_of(database, "2025-11-01")
    assert again.value("select max(model_version) from clustering.model_versions") == 2
    assert again.value("select max(model_version) from clustering.version_curves") == 2
    pd.testing.assert_frame_equal(again.query(SEGMENTS), refitted["refit"])


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"segment_count": 3},
            "segmentation: 4 lifecycle stages are more than 3 segments. Set segment_count higher,"
            " or segmentation to auto.",
        ),
        (
            {"as_of_date": "2024-01-20"},
            "segmentation: stages need a repurchase curve, and the history is too short for one;",
        ),
    ],
)
def test_stages_that_cannot_be_made_are_said(
    tmp_path: Path, changes: dict[str, Any], sentence: str
) -> None:
    variables = continuous_shop(segmentation="stages", **changes)
    build = build_models(tmp_path / "shop.duckdb", variables, *CLUSTERING)
    assert not build.success
    assert sentence in build.log


def test_plain_is_one_stage_of_everybody(tmp_path: Path) -> None:
    build = build_with_data_tests(
        tmp_path / "shop.duckdb", continuous_shop(segmentation="plain"), *CLUSTERING
    )
    assert build.success, build.log
    for table in ("stages", "cluster_centroids", "clustering_features"):
        stages = build.query(f"select distinct stage from clustering.{table}")["stage"]
        assert stages.tolist() == ["everybody"], table
