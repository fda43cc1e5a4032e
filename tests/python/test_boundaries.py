"""Valleys between clusters: found where groups were planted, not claimed where K-means cut."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import VARS
from sklearn.datasets import make_blobs

from customer_segmentation.boundaries import (
    cluster_boundaries,
    distinct_in_halves,
    halves_of,
    separated_ks,
    window_at_boundary,
)
from customer_segmentation.features import jittered
from customer_segmentation.kmeans import fit_kmeans
from customer_segmentation.schemas import BOUNDARIES_PER_K

KS = range(3, 7)


def boundaries_of(points: np.ndarray, ks: range, **changes: Any) -> pd.DataFrame:
    settings = {"random_seed": 1, "max_valley_p_value": VARS["max_valley_p_value"]}
    return cluster_boundaries(points, ks, **settings | changes)


def blobs(sizes: list[int], distance: float = 6.0) -> np.ndarray:
    """Groups with sd 1 at the corners of a cube."""
    corners = [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0]][: len(sizes)]
    return make_blobs(sizes, centers=np.array(corners) * distance, random_state=1)[0]


@pytest.mark.parametrize("k", [3, 4, 5])
def test_planted_groups_have_valleys_between_all_pairs(k: int) -> None:
    boundaries = boundaries_of(blobs([150] * k), KS)
    assert max(separated_ks(boundaries)) == k


def test_a_small_group_beside_a_large_one_is_seen() -> None:
    points = blobs([60, 1200, 200])
    assert max(separated_ks(boundaries_of(points, KS))) == 3


@pytest.mark.parametrize(
    "cloud",
    [
        lambda rng: rng.normal(size=(1000, 3)),
        lambda rng: rng.uniform(size=(1000, 3)),
        lambda rng: rng.exponential(size=(1000, 3)),
        lambda rng: rng.normal(size=(1000, 3)) * [4, 1, 1],
    ],
    ids=["gaussian", "uniform", "exponential", "elongated"],
)
def test_one_cloud_is_no_natural_groups(cloud: Callable[..., np.ndarray]) -> None:
    for seed in range(5):
        points = cloud(np.random.default_rng(seed))
        assert separated_ks(boundaries_of(points, KS, random_seed=seed)) == []


def test_a_row_per_pair_with_fixed_types_and_repeatable() -> None:
    points = np.random.default_rng(1).normal(size=(300, 3))
    boundaries = boundaries_of(points, KS)
    assert boundaries.groupby("k").size().to_dict() == {3: 3, 4: 6, 5: 10, 6: 15}
    assert (boundaries["cluster_id"] < boundaries["other_cluster_id"]).all()
    keys = list(boundaries[["k", "cluster_id", "other_cluster_id"]].itertuples(index=False))
    assert keys == sorted(keys)
    assert boundaries.index.tolist() == list(range(len(boundaries)))
    assert not boundaries.duplicated(["k", "cluster_id", "other_cluster_id"]).any()
    assert {name: str(dtype) for name, dtype in boundaries.dtypes.items()} == BOUNDARIES_PER_K
    pd.testing.assert_frame_equal(boundaries, boundaries_of(points.copy(), KS))


def test_pairs_carry_the_numbers_of_the_given_centroids() -> None:
    # Two halves of one group and a group far away: only the pair of halves lacks a valley.
    points = np.vstack([blobs([800]) * [3, 1, 1], blobs([400]) + np.array([0, 20, 0])])
    centroids = fit_kmeans(points, 3, random_seed=1).cluster_centers_
    far = int(centroids[:, 1].argmax())
    for order in ([0, 1, 2], [2, 0, 1], [1, 2, 0]):
        boundaries = boundaries_of(points, range(3, 4), centroids={3: centroids[order]})
        flat = boundaries[~boundaries["is_valley"]]
        halves = {1, 2, 3} - {order.index(far) + 1}
        assert set(flat[["cluster_id", "other_cluster_id"]].to_numpy().ravel()) == halves


def test_whole_numbers_make_modes_that_jitter_takes_away() -> None:
    rng = np.random.default_rng(1)
    orders = rng.poisson(2.0, size=(1500, 1)) + 1
    tied = np.log1p(orders)
    spread = np.log1p(jittered(orders, rng))
    two = range(2, 3)
    assert max(separated_ks(boundaries_of(tied, two))) == 2
    assert separated_ks(boundaries_of(tied, two, jittered_points=spread)) == []


def test_jitter_stays_within_half_a_step_and_depends_on_the_seed_only() -> None:
    values = np.arange(1000)
    first = jittered(values, np.random.default_rng(1))
    assert np.abs(first - values).max() <= 0.5
    assert np.ptp(first - values) > 0.9
    np.testing.assert_array_equal(first, jittered(values, np.random.default_rng(1)))


def test_the_window_takes_as_many_of_both_sides_nearest_to_each_other() -> None:
    first, second = np.array([-0.2, 0.1, 0.4, 0.3]), np.array([0.9, 0.8])
    assert window_at_boundary(first, second).tolist() == [0.3, 0.4, 0.8, 0.9]


@pytest.mark.parametrize(
    "points",
    [np.zeros((40, 2)), np.zeros((1, 2)), np.repeat([[0.0, 0], [1, 1]], 9, axis=0)],
    ids=["all alike", "one customer", "two distinct"],
)
def test_too_few_distinct_customers_have_no_boundaries(points: np.ndarray) -> None:
    boundaries = boundaries_of(points, KS)
    assert boundaries.empty
    assert {name: str(dtype) for name, dtype in boundaries.dtypes.items()} == BOUNDARIES_PER_K
    assert separated_ks(boundaries) == []


def test_the_half_with_fewer_distinct_customers_says_how_many_clusters_can_be_tested() -> None:
    for half in halves_of(40, random_seed=1):
        points = np.zeros((40, 2))
        points[half[:3], 0] = 1, 2, 3
        assert distinct_in_halves(points, random_seed=1) == 1


def test_a_constant_feature_is_harmless() -> None:
    flat = np.column_stack([blobs([150] * 3), np.zeros(450)])
    assert max(separated_ks(boundaries_of(flat, KS))) == 3


def test_the_threshold_is_the_callers() -> None:
    points = blobs([150] * 3)
    strict = boundaries_of(points, KS, max_valley_p_value=0.0)
    assert not strict["is_valley"].any()


def test_jittered_points_must_be_of_the_same_customers() -> None:
    with pytest.raises(ValueError, match="jittered_points have the shape"):
        boundaries_of(np.zeros((4, 2)), KS, jittered_points=np.zeros((3, 2)))
