"""The evidence for each k: what is measured of K-means and of the algorithms beside it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score

from customer_segmentation import candidates
from customer_segmentation.agreement import adjusted_rand, contingency
from customer_segmentation.candidates import (
    Clustering,
    Customers,
    dbscan_radius,
    gaussian_mixture,
    hdbscan,
    score_candidates,
)
from customer_segmentation.kmeans import nearest
from customer_segmentation.schemas import SCORES
from customer_segmentation.stability import Tally, bootstraps, prediction_strength

KS = range(2, 7)
CENTRES = [[0, 0, 0], [8, 0, 0], [0, 8, 0], [0, 0, 8]]


@pytest.fixture(scope="module")
def groups() -> np.ndarray:
    return make_blobs(400, centers=CENTRES, random_state=1)[0]


@pytest.fixture(scope="module")
def scores(groups: np.ndarray) -> pd.DataFrame:
    return score_candidates(groups, KS, random_seed=1, num_bootstraps=10)


def kmeans_at(scores: pd.DataFrame, k: int) -> pd.Series:
    return scores[(scores["algorithm"] == "kmeans") & (scores["k"] == k)].iloc[0]


def test_a_row_per_algorithm_and_k_with_fixed_types(scores: pd.DataFrame) -> None:
    by_k = ["kmeans", *candidates.OTHERS_BY_K]
    expected = [(algorithm, k) for algorithm in by_k for k in KS]
    expected += [("dbscan", 4), ("hdbscan", 4)]
    assert list(zip(scores["algorithm"], scores["k"], strict=True)) == expected
    assert {name: str(dtype) for name, dtype in scores.dtypes.items()} == SCORES


def test_planted_groups_stand_out_in_every_score(scores: pd.DataFrame) -> None:
    kmeans = scores[scores["algorithm"] == "kmeans"].set_index("k")
    for score in (
        "silhouette",
        "calinski_harabasz",
        "bootstrap_adjusted_rand",
        "prediction_strength",
    ):
        assert kmeans[score].idxmax() == 4, score
    assert kmeans["davies_bouldin"].idxmin() == 4
    assert kmeans.index[kmeans["is_elbow"]].tolist() == [4]
    assert kmeans.loc[4, "bootstrap_jaccard"] > 0.99
    assert kmeans.loc[4, "smallest_cluster_share"] == 0.25


def test_ward_and_dbscan_agree_on_planted_groups(scores: pd.DataFrame) -> None:
    ward = scores[(scores["algorithm"] == "ward") & (scores["k"] == 4)].iloc[0]
    dbscan = scores[scores["algorithm"] == "dbscan"].iloc[0]
    assert ward["agreement_with_kmeans"] > 0.99
    assert ward["inertia"] == pytest.approx(kmeans_at(scores, 4)["inertia"], rel=0.01)
    assert dbscan["agreement_with_kmeans"] > 0.99
    assert 0 < dbscan["noise_share"] < 0.1
    assert scores.loc[scores["algorithm"] != "kmeans", "bootstrap_jaccard"].isna().all()


def test_hdbscan_and_the_mixture_agree_on_planted_groups(scores: pd.DataFrame) -> None:
    found = scores[scores["algorithm"] == "hdbscan"].iloc[0]
    assert found["agreement_with_kmeans"] > 0.99
    assert found["noise_share"] < 0.1
    mixtures = scores[scores["algorithm"] == "gaussian_mixture"].set_index("k")
    assert mixtures["bic"].idxmin() == 4
    assert mixtures.loc[4, "agreement_with_kmeans"] > 0.99
    assert mixtures.loc[4, "inertia"] == pytest.approx(kmeans_at(scores, 4)["inertia"], rel=0.01)
    assert scores.loc[scores["algorithm"] != "gaussian_mixture", "bic"].isna().all()


def test_hdbscan_finds_groups_of_different_density_where_dbscan_finds_one() -> None:
    dense, sparse = [[0, 0], [1.2, 0], [0, 1.2]], [[12, 0], [12, 25]]
    points = np.concatenate(
        [
            make_blobs(300, centers=dense, cluster_std=0.15, random_state=1)[0],
            make_blobs(300, centers=sparse, cluster_std=2.5, random_state=1)[0],
        ]
    )
    scores = score_candidates(points, range(5, 6), random_seed=1, num_bootstraps=1)
    by_algorithm = scores.set_index("algorithm")
    assert by_algorithm.loc["hdbscan", "k"] == 5
    assert by_algorithm.loc["dbscan", "k"] < 5


def tied_customers(random_seed: int = 1) -> Customers:
    """A continuum, of which one feature is a small whole number that many share."""
    rng = np.random.default_rng(random_seed)
    orders = 1.0 + rng.poisson(1, 600)
    amounts = rng.normal(size=600)
    spread = orders + rng.uniform(-0.5, 0.5, 600)
    return Customers(np.column_stack([orders, amounts]), np.column_stack([spread, amounts]), 1)


def test_customers_who_tie_are_no_group_of_their_own() -> None:
    tied = tied_customers()
    jittered = hdbscan(tied).labels
    as_they_are = hdbscan(Customers(tied.points, tied.points, 1)).labels
    assert as_they_are.max() + 1 == 5
    assert jittered.max() + 1 == 2
    # Without jitter the criterion falls with every whole number that gets a component of its own.
    fall = [
        gaussian_mixture(each, 2).scores["bic"] - gaussian_mixture(each, 5).scores["bic"]
        for each in (tied, Customers(tied.points, tied.points, 1))
    ]
    assert fall[0] < 100 < 1000 < fall[1]


def test_a_mixture_does_not_depend_on_the_scaler(groups: np.ndarray) -> None:
    stretched = groups * [1.0, 1000.0, 0.01] + 5
    plain, other = (gaussian_mixture(Customers(p, p, 1), 4) for p in (groups, stretched))
    np.testing.assert_array_equal(plain.labels, other.labels)
    assert plain.scores["bic"] == pytest.approx(other.scores["bic"])


def test_a_component_that_is_nobodys_likeliest_is_no_cluster() -> None:
    points = np.random.default_rng(1).exponential(size=(60, 1)) ** 3
    labels = gaussian_mixture(Customers(points, points, 1), 9).labels
    assert set(labels) == set(range(6))


def test_too_few_customers_for_a_group_are_all_outside(groups: np.ndarray) -> None:
    few = groups[:9]
    assert (hdbscan(Customers(few, few, 1)).labels == -1).all()


def test_silhouettes_are_those_that_scikit_learn_publishes() -> None:
    points = make_blobs(
        n_samples=500,
        n_features=2,
        centers=4,
        cluster_std=1,
        center_box=(-10.0, 10.0),
        shuffle=True,
        random_state=1,
    )[0]
    scores = score_candidates(points, range(2, 5), random_seed=10, num_bootstraps=1)
    for k, published in {2: 0.7049787496, 3: 0.5882004013, 4: 0.6505186633}.items():
        assert kmeans_at(scores, k)["silhouette"] == pytest.approx(published, abs=1e-10)


def test_the_same_points_give_the_same_figures(groups: np.ndarray, scores: pd.DataFrame) -> None:
    again = score_candidates(groups.copy(), KS, random_seed=1, num_bootstraps=10)
    pd.testing.assert_frame_equal(
        scores.drop(columns="seconds"), again.drop(columns="seconds"), check_exact=True
    )


def test_a_constant_feature_changes_nothing(groups: np.ndarray, scores: pd.DataFrame) -> None:
    flat = np.column_stack([groups, np.zeros(len(groups))])
    again = score_candidates(flat, range(4, 5), random_seed=1, num_bootstraps=2)
    assert kmeans_at(again, 4)["silhouette"] == kmeans_at(scores, 4)["silhouette"]


@pytest.mark.parametrize(
    "points",
    [
        np.zeros((50, 3)),
        np.zeros((1, 3)),
        np.repeat([[0.0, 0], [1, 0], [0, 1]], 5, axis=0),
        np.arange(6.0).reshape(3, 2),
    ],
    ids=["all alike", "one customer", "three distinct", "fewer than k"],
)
def test_too_few_distinct_customers_give_nulls(points: np.ndarray) -> None:
    scores = score_candidates(points, range(3, 6), random_seed=1, num_bootstraps=2)
    kmeans = scores[scores["algorithm"] == "kmeans"]
    assert kmeans[["inertia", "silhouette", "bootstrap_jaccard"]].isna().all(axis=None)
    assert {name: str(dtype) for name, dtype in scores.dtypes.items()} == SCORES


def test_ks_that_the_customers_allow_are_scored_and_the_others_null() -> None:
    points = np.random.default_rng(1).normal(size=(5, 2))
    scores = score_candidates(points, range(2, 9), random_seed=1, num_bootstraps=5)
    kmeans = scores[scores["algorithm"] == "kmeans"].set_index("k")
    assert kmeans.index[kmeans["silhouette"].notna()].tolist() == [2, 3, 4]


@pytest.mark.parametrize(
    ("points", "ks", "message"),
    [
        (np.zeros((0, 3)), KS, "table of customers and features"),
        (np.zeros(5), KS, "table of customers and features"),
        (np.array([[0.0, np.nan]]), KS, "finite"),
        (np.zeros((5, 2)), range(1, 4), "2 or more"),
        (np.zeros((5, 2)), range(0), "2 or more"),
    ],
)
def test_what_cannot_be_scored_is_refused(points: np.ndarray, ks: range, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        score_candidates(points, ks, random_seed=1, num_bootstraps=1)


def test_adjusted_rand_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        first, second = rng.integers(0, 4, 60), rng.integers(0, 5, 60)
        expected = adjusted_rand_score(first, second)
        assert adjusted_rand(contingency(first, second)) == pytest.approx(expected, abs=1e-12)


def test_weights_count_a_customer_as_often_as_drawn(groups: np.ndarray) -> None:
    labels = nearest(groups, np.array(CENTRES, dtype=float))
    ones = np.ones(len(groups), dtype=np.int64)
    plain, weighted = (
        list(bootstraps(groups, labels, random_seed=1, num_bootstraps=5, weights=weights))
        for weights in (None, ones)
    )
    assert len(plain) == 5
    assert np.array_equal(plain, weighted)


def test_bounds_hold_whatever_comes() -> None:
    rng = np.random.default_rng(7)
    for _ in range(200):
        tally = Tally(3, 8)
        so_far = [tally.bounds]
        for _ in range(8):
            # As when clusters come back, as by chance, and when too few customers were drawn.
            counts = rng.integers(1, 40, (3, 3)) + rng.choice([0, 400]) * np.eye(3)
            tally.add(None if rng.random() < 0.2 else counts)
            so_far.append(tally.bounds)
        for least, most in so_far:
            in_the_end = tally.stability
            for name in ("bootstrap_adjusted_rand", "bootstrap_jaccard"):
                assert getattr(least, name) <= getattr(in_the_end, name) <= getattr(most, name)
        least, most = tally.bounds
        assert (
            least.bootstrap_jaccard == most.bootstrap_jaccard == tally.stability.bootstrap_jaccard
        )


def test_cutting_one_group_is_neither_stable_nor_predictable() -> None:
    cloud = np.random.default_rng(1).normal(size=(400, 3))
    scores = score_candidates(cloud, range(5, 6), random_seed=1, num_bootstraps=10)
    assert kmeans_at(scores, 5)["bootstrap_jaccard"] < 0.75
    assert prediction_strength(cloud, 5, random_seed=1) < 0.8


def test_halves_of_as_many_customers_as_clusters_can_be_asked(groups: np.ndarray) -> None:
    # Each cluster is one customer then, who has no pairs and predicts nothing.
    assert prediction_strength(groups[:6], 3, random_seed=1) == 0
    assert np.isnan(prediction_strength(groups[:5], 3, random_seed=1))


def test_dbscan_radius_lies_between_group_and_noise(groups: np.ndarray) -> None:
    assert 0.5 < dbscan_radius(groups, 6) < 4


def test_an_algorithm_is_added_in_one_place(
    groups: np.ndarray, scores: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    def by_first_feature(customers: Customers, k: int) -> Clustering:
        ranks = np.argsort(np.argsort(customers.points[:, 0]))
        return Clustering(ranks * k // len(ranks))

    monkeypatch.setitem(candidates.OTHERS_BY_K, "quantiles", by_first_feature)
    with_it = score_candidates(groups, KS, random_seed=1, num_bootstraps=10)
    rows = with_it[with_it["algorithm"] == "quantiles"]
    assert rows["k"].tolist() == list(KS)
    assert rows["silhouette"].notna().all()
    assert (rows["agreement_with_kmeans"] < 0.9).all()
    others = with_it[with_it["algorithm"] != "quantiles"].reset_index(drop=True)
    columns = [column for column in scores if column not in ("seconds", "resampling_share")]
    pd.testing.assert_frame_equal(others[columns], scores[columns])
