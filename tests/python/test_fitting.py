"""K-means on generated points: the fit that the table states is the fit that scikit-learn makes."""

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs

from customer_segmentation.features import choose_transform, coordinates, fit_features
from customer_segmentation.fitting import best_silhouette, fit_centroids

SETTINGS = {
    "features": ["a", "b"],
    "segment_count": "auto",
    "segment_count_range": [3, 8],
    "evidence_sample_size": 2000,
    "seed": 42,
}


def blobs(centers: int, customers: int = 900, seed: int = 0) -> pd.DataFrame:
    """Blobs of standard deviation 1 on a circle, neighbours at least ten apart."""
    angles = 2 * np.pi * np.arange(centers) / centers
    middles = np.column_stack([np.cos(angles), np.sin(angles)]) * 20
    points, _ = make_blobs(customers, centers=middles, random_state=seed)
    frame = pd.DataFrame(points, columns=["a", "b"])
    frame["customer_id"] = [f"c{i:05d}" for i in range(customers)]
    frame["sample_position"] = np.random.RandomState(1).permutation(customers) + 1
    return frame


@pytest.mark.parametrize("centers", [3, 4, 5, 6])
def test_planted_blobs_are_counted(centers: int) -> None:
    assert fit_centroids(blobs(centers), **SETTINGS)["cluster_id"].nunique() == centers


def test_a_given_number_of_segments_is_taken() -> None:
    fitted = fit_centroids(blobs(3), **SETTINGS | {"segment_count": 7})
    assert fitted["cluster_id"].nunique() == 7


def test_centroids_are_those_of_scikit_learn() -> None:
    sample = blobs(5)
    fitted = fit_centroids(sample, **SETTINGS)
    points = coordinates(sample, fit_features(sample, ["a", "b"]))
    direct = KMeans(n_clusters=5, n_init=10, random_state=42).fit(points).cluster_centers_
    table = fitted.pivot(index="cluster_id", columns="feature", values="centroid").to_numpy()
    np.testing.assert_allclose(table, sorted(direct.tolist()), atol=1e-9)


def test_cluster_ids_follow_the_centroids() -> None:
    fitted = fit_centroids(blobs(4), **SETTINGS)
    first = fitted[fitted["feature"] == "a"].sort_values("cluster_id")["centroid"]
    assert first.is_monotonic_increasing


def test_the_same_customers_give_the_same_fit() -> None:
    pd.testing.assert_frame_equal(
        fit_centroids(blobs(4), **SETTINGS), fit_centroids(blobs(4), **SETTINGS)
    )


def test_k_is_judged_on_the_evidence_sample_only() -> None:
    sample = blobs(4, customers=3000)
    sample.loc[sample["sample_position"] > 500, ["a", "b"]] = 0.0
    settings = SETTINGS | {"evidence_sample_size": 500}
    assert fit_centroids(sample, **settings)["cluster_id"].nunique() == 4


def test_as_many_different_customers_as_the_least_k_are_enough() -> None:
    points = np.repeat([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]], 5, axis=0)
    assert best_silhouette(points, range(3, 9), seed=0) == 3


def test_a_constant_feature_does_no_harm() -> None:
    sample = blobs(3)
    sample["b"] = 7.0
    fitted = fit_centroids(sample, **SETTINGS)
    constant = fitted[fitted["feature"] == "b"]
    assert (constant["scale"] == 1).all()
    assert (constant["centroid"] == 0).all()


@pytest.mark.parametrize(
    ("values", "transform"),
    [
        (np.random.RandomState(0).lognormal(size=500), "log1p"),
        (np.random.RandomState(0).normal(50, 5, size=500), "none"),
        (-np.random.RandomState(0).lognormal(size=500), "none"),
        (np.random.RandomState(0).lognormal(size=500) - 5, "none"),
        (np.full(500, 3.0), "none"),
    ],
    ids=["skewed", "symmetric", "skewed to the left", "negative", "constant"],
)
def test_transform_is_chosen_by_skewness(values: np.ndarray, transform: str) -> None:
    assert choose_transform(values) == transform
