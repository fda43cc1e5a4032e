"""K-means on generated points: the fit that the table states is the fit that scikit-learn makes."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs

from customer_segmentation.features import coordinates, describe_features
from customer_segmentation.fitting import fit_centroids, fit_past, fit_version
from customer_segmentation.stages import EVERYBODY


def blobs(centers: int, customers: int = 900, random_seed: int = 0) -> pd.DataFrame:
    """Blobs of standard deviation 1 on a circle, neighbours at least ten apart."""
    angles = 2 * np.pi * np.arange(centers) / centers
    middles = np.column_stack([np.cos(angles), np.sin(angles)]) * 20
    points, _ = make_blobs(customers, centers=middles, random_state=random_seed)
    return pd.DataFrame(points, columns=["a", "b"]).assign(
        customer_id=[f"c{i:05d}" for i in range(customers)]
    )


def features_of(sample: pd.DataFrame, version: int = 1) -> pd.DataFrame:
    settings: dict[str, Any] = {
        "candidate_features": ["a", "b"],
        "selected_features": ["a", "b"],
        "feature_transforms": {},
        "feature_limits": {},
        "scaler": "standard",
        "max_skewness": 1,
        "max_variance_inflation": 10,
    }
    return describe_features(sample, **settings).assign(model_version=version, stage=EVERYBODY)


def fit(sample: pd.DataFrame, k: int, random_seed: int = 42) -> pd.DataFrame:
    """Plain K-means: everybody is one stage."""
    features = features_of(sample)
    return fit_centroids(
        sample, features, allocation={EVERYBODY: k}, joins={}, random_seed=random_seed
    )


def ids_of(rows: pd.DataFrame) -> set[int]:
    return set(rows["cluster_id"])


def test_centroids_are_those_of_scikit_learn() -> None:
    sample = blobs(5)
    features = features_of(sample)
    fitted = fit(sample, 5)
    points = coordinates(sample, features)
    direct = KMeans(n_clusters=5, n_init=10, random_state=42).fit(points).cluster_centers_
    table = fitted.pivot(index="cluster_id", columns="feature", values="centroid").to_numpy()
    np.testing.assert_allclose(table, sorted(direct.tolist()), atol=1e-9)


def test_first_ids_follow_the_centroids_and_shares_add_up() -> None:
    sample = blobs(4)
    fitted = fit(sample, 4)
    first = fitted[fitted["feature"] == "a"].sort_values("cluster_id")
    assert first["cluster_id"].tolist() == [1, 2, 3, 4]
    assert first["centroid"].is_monotonic_increasing
    assert first["share_at_fit"].sum() == 1
    assert first["overlap"].isna().all()


def test_the_same_customers_give_the_same_fit() -> None:
    sample = blobs(4)
    pd.testing.assert_frame_equal(fit(sample, 4, 1), fit(sample.copy(), 4, 1))


def version(
    number: int, sample: pd.DataFrame, k: int, earlier: pd.DataFrame, features: pd.DataFrame
) -> pd.DataFrame:
    selected = pd.DataFrame({"model_version": [number], "k": [k], "allocation": [None]})
    rows = fit_version(
        number,
        sample,
        features,
        earlier,
        selected,
        joins={},
        random_seed=number,
        min_segment_share=0.02,
    )
    return rows.assign(model_version=number)


def test_ids_are_kept_by_refits_and_never_used_again() -> None:
    sample = blobs(4)
    features = pd.concat([features_of(sample, number) for number in (1, 2, 3)])
    nothing = pd.DataFrame(columns=["model_version", "stage", "cluster_id", "feature", "centroid"])
    first = version(1, sample, 4, nothing, features)
    second = version(2, sample, 3, first, features)
    third = version(3, sample, 4, pd.concat([first, second]), features)
    assert ids_of(first) == {1, 2, 3, 4}
    assert len(ids_of(first) & ids_of(second)) >= 2
    gone = ids_of(first) - ids_of(second)
    assert not gone & ids_of(third)
    assert max(ids_of(third)) > 4


def test_a_version_whose_features_are_gone_gives_no_ids() -> None:
    sample = blobs(3)
    features = pd.concat([features_of(sample, 1), features_of(sample, 2)])
    features.loc[(features["model_version"] == 1) & (features["feature"] == "a"), "feature"] = "z"
    earlier = pd.DataFrame(
        {
            "model_version": 1,
            "stage": EVERYBODY,
            "cluster_id": [1, 2, 3],
            "feature": "z",
            "centroid": [0.0, 1.0, 2.0],
        }
    )
    assert ids_of(version(2, sample, 3, earlier, features)) == {4, 5, 6}


def test_a_constant_feature_does_no_harm() -> None:
    sample = blobs(3).assign(b=7.0)
    fitted = fit(sample, 3)
    assert (fitted.loc[fitted["feature"] == "b", "centroid"] == 0).all()


def past(sample: pd.DataFrame, k: int) -> pd.DataFrame:
    """The fit of past customers for version 1, which has ``k`` clusters of other customers."""
    today = blobs(k)
    features = pd.concat([features_of(today), features_of(sample, -1)])
    selected = pd.DataFrame({"model_version": [1], "k": [k], "allocation": [None]})
    return fit_past(
        -1, sample, features, fit(today, k), selected, 1,
        joins={}, random_seed=42, min_segment_share=0.0,
    )  # fmt: skip


def test_past_clusters_have_the_ids_of_the_served_ones_that_they_continue() -> None:
    rows = past(blobs(4, random_seed=1), 4)
    assert ids_of(rows) == {1, 2, 3, 4}
    assert (rows["overlap"] > 0.95).all()
    # Customers of whom a fourth part stands elsewhere: what it continues is not served.
    away = blobs(4, random_seed=1)
    moved = away.assign(a=away["a"].where(away["a"] < 10, away["a"] - 23))
    ids = ids_of(past(moved, 4))
    assert len(ids) == 4
    assert min(ids) == -1
    assert ids - {-1} < {1, 2, 3, 4}


def test_past_customers_who_are_too_much_alike_are_not_divided() -> None:
    alike = blobs(4).assign(a=0.0, b=lambda rows: np.arange(len(rows)) % 3)
    assert past(alike, 4).empty
