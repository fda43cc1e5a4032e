"""What a notebook gets: the tables, and the model that the database scores with."""

import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from conftest import Build, Builder

import customer_segmentation
from customer_segmentation.database import Database, NotReadable
from customer_segmentation.segmentation import Scorers, Segmentation


@pytest.fixture(scope="module")
def shop(sample_build: Build, tmp_path_factory: pytest.TempPathFactory) -> Segmentation:
    return customer_segmentation.load(sample_build.copy(tmp_path_factory.mktemp("notebook")))


@pytest.fixture(scope="module")
def customers(shop: Segmentation) -> pd.DataFrame:
    """The clusterable ones, under an index of their own."""
    customers = shop.segments[shop.segments["is_clusterable"]]
    return customers.set_index("customer_id").sample(frac=1, random_state=1)


def test_the_import_alone_takes_no_time() -> None:
    heavy = "{'sklearn', 'scipy', 'pandas', 'duckdb'} & set(sys.modules)"
    code = f"import sys, customer_segmentation.schemas; assert not {heavy}, {heavy}"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert "load" in dir(customer_segmentation)
    assert not hasattr(customer_segmentation, "nothing")


def test_a_segmentation_is_equal_to_itself_alone_and_can_be_a_key() -> None:
    # Comparing the frames within would have no answer, and they have no hash.
    nothing = pd.DataFrame()
    scorers = Scorers(pd.Series(), nothing, {})
    one, other = (Segmentation(Path(), 1, nothing, nothing, scorers, pd.Series()) for _ in range(2))
    assert one != other
    assert {one: "one", other: "other"}[one] == "one"


def test_the_tables_are_those_of_the_database(shop: Segmentation, sample_build: Build) -> None:
    segments = sample_build.query("from segments.customer_segments order by customer_id")
    pd.testing.assert_frame_equal(shop.segments, segments)
    profiles = sample_build.query("from segments.segment_profiles order by revenue desc")
    pd.testing.assert_frame_equal(shop.profiles, profiles)


def test_everybody_is_scored_as_the_database_scored_them(
    shop: Segmentation, customers: pd.DataFrame
) -> None:
    scored = shop.score(customers)
    assert len(scored) > 1000
    expected = customers[["cluster_id", "segment", "distance", "margin"]]
    pd.testing.assert_frame_equal(scored, expected, check_dtype=False, atol=1e-6, rtol=0)
    assert (scored["cluster_id"] == expected["cluster_id"]).all()


def test_the_pipeline_predicts_what_the_database_says(
    shop: Segmentation, customers: pd.DataFrame
) -> None:
    pipeline = shop.as_pipeline()
    assert (pipeline.predict(customers) == customers["cluster_id"]).all()
    needed = customers[sorted(shop.features["feature"], reverse=True)]
    kept = pickle.loads(pickle.dumps(pipeline))
    assert (kept.predict(needed) == customers["cluster_id"]).all()


def test_another_transform_and_scaler_are_scored_alike(build: Builder, tmp_path: Path) -> None:
    features = ["total_amount", "num_orders", "days_since_last_order"]
    built = build(
        selected_features=features,
        feature_transforms={"total_amount": "log1p", "num_orders": "none"},
        scaler="robust",
        segment_count=5,
        num_bootstraps=0,
        num_resamples=0,
        refit=True,
    )
    assert built.success, built.log
    shop = customer_segmentation.load(str(built.copy(tmp_path / "copy")))
    customers = shop.segments[shop.segments["is_clusterable"]]
    assert customers["cluster_id"].nunique() == 5
    scored = shop.score(customers)
    assert (scored["cluster_id"] == customers["cluster_id"]).all()
    assert (scored["margin"] - customers["margin"]).abs().max() <= 1e-6
    assert (shop.as_pipeline().predict(customers) == customers["cluster_id"]).all()


@pytest.mark.parametrize(("segmentation", "scaler"), [("plain", "robust"), ("stages", "none")])
def test_winsorised_features_are_scored_alike(
    build: Builder, tmp_path: Path, segmentation: str, scaler: str
) -> None:
    built = build(
        feature_limits={
            "total_amount": [0.05, 0.9],
            "num_orders": [None, 0.8],
            "days_since_last_order": [0.2, None],
        },
        selected_features=["total_amount", "num_orders", "days_since_last_order"],
        scaler=scaler,
        segmentation=segmentation,
        segment_count=5,
        num_bootstraps=0,
        num_resamples=0,
        refit=True,
    )
    assert built.success, built.log
    shop = customer_segmentation.load(str(built.copy(tmp_path / "copy")))
    limits = shop.features.set_index("feature")[["lower_limit", "upper_limit"]]
    assert limits.isna().to_dict("index") == {
        "days_since_last_order": {"lower_limit": False, "upper_limit": True},
        "num_orders": {"lower_limit": True, "upper_limit": False},
        "total_amount": {"lower_limit": False, "upper_limit": False},
    }
    customers = shop.segments[shop.segments["is_clusterable"]].set_index("customer_id")
    assert customers["cluster_id"].nunique() == 5
    assert (customers["total_amount"] > limits.loc["total_amount", "upper_limit"]).sum() > 100
    scored = shop.score(customers)
    pd.testing.assert_frame_equal(
        scored,
        customers[["cluster_id", "segment", "distance", "margin"]],
        check_dtype=False,
        atol=1e-6,
        rtol=0,
    )
    pipeline = pickle.loads(pickle.dumps(shop.as_pipeline()))
    assert (pipeline.predict(customers) == customers["cluster_id"]).all()
    if segmentation == "plain":
        # Within stages nobody changes cluster by these limits.
        no_limits = shop.features.assign(lower_limit=np.nan, upper_limit=np.nan)
        without = replace(shop, features=no_limits).as_pipeline()
        assert (without.predict(customers) != customers["cluster_id"]).any()
    # Neither is taken for a value at a limit.
    for value in (np.nan, np.inf):
        with pytest.raises(ValueError, match=r"can't be scored: .* in total_amount"):
            shop.score(customers.head(3).assign(total_amount=value))


def test_nobody_is_scored_in_an_empty_frame(shop: Segmentation, customers: pd.DataFrame) -> None:
    scored = shop.score(customers.head(0))
    assert list(scored) == ["cluster_id", "segment", "distance", "margin"]
    assert scored.empty


def test_a_missing_column_is_one_sentence(shop: Segmentation, customers: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match=r"^There is no column num_orders: the segments are made"):
        shop.score(customers.drop(columns="num_orders"))


@pytest.mark.parametrize("value", [None, np.nan, np.inf, -1.0, "many"])
def test_what_is_no_number_to_score_is_one_sentence(
    shop: Segmentation, customers: pd.DataFrame, value: object
) -> None:
    spoilt = customers.assign(avg_order_value=customers["avg_order_value"].astype(object))
    spoilt.loc[spoilt.index[[2, 5]], "avg_order_value"] = value
    sentence = rf"^2 of {len(customers)} rows can't be scored: .* in avg_order_value\.$"
    with pytest.raises(ValueError, match=sentence):
        shop.score(spoilt)


def test_the_database_is_closed_again(shop: Segmentation) -> None:
    assert len(shop.segments)
    with duckdb.connect(str(shop.database)) as connection:
        assert connection.sql("select 1").fetchall() == [(1,)]
    with Database(shop.database) as database:
        assert database.active_version == shop.model_version
    with pytest.raises(duckdb.ConnectionException):
        database.read("select 1")


def test_no_database_and_no_build_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(NotReadable, match=r"^There is no database .*make build"):
        customer_segmentation.load(tmp_path / "none.duckdb")
    duckdb.connect(str(tmp_path / "empty.duckdb")).close()
    with pytest.raises(NotReadable, match=r"^The database was not built to its end"):
        customer_segmentation.load(tmp_path / "empty.duckdb")
    (tmp_path / "text.duckdb").write_text("not a database, only text " * 400)
    with pytest.raises(NotReadable, match="is no DuckDB database"):
        customer_segmentation.load(tmp_path / "text.duckdb")
