"""Valleys between clusters: found where groups were planted, not claimed where K-means cut."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations, product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import VARS
from sklearn.datasets import make_blobs
from threadpoolctl import threadpool_limits

from customer_segmentation.boundaries import (
    NUM_SPLITS,
    cluster_boundaries,
    combined,
    has_valleys,
    most_clusters,
    splits_of,
    valleys_by_k,
    window_at_boundary,
)
from customer_segmentation.features import jittered
from customer_segmentation.kmeans import fit_kmeans
from customer_segmentation.schemas import DIP_TEST, VALLEYS

KS = range(3, 7)


SETTINGS: dict[str, Any] = {
    "random_seed": 1,
    "max_valley_p_value": VARS["max_valley_p_value"],
}


def valleys_of(points: np.ndarray, ks: range, **changes: Any) -> pd.DataFrame:
    return valleys_by_k(points, ks, **SETTINGS | changes)


def natural_ks(points: np.ndarray, ks: range, **changes: Any) -> list[int]:
    valleys = valleys_of(points, ks, **changes)
    limit = (SETTINGS | changes)["max_valley_p_value"]
    return valleys.loc[valleys["valley_p_value"] < limit, "k"].tolist()


def blobs(sizes: list[int], distance: float = 6.0) -> np.ndarray:
    """Groups with sd 1 at the corners of a cube."""
    corners = [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0]][: len(sizes)]
    return make_blobs(sizes, centers=np.array(corners) * distance, random_state=1)[0]


@pytest.mark.parametrize("k", [3, 4, 5])
def test_planted_groups_have_valleys_between_all_pairs(k: int) -> None:
    assert max(natural_ks(blobs([150] * k), KS)) == k


def test_a_small_group_beside_a_large_one_is_seen() -> None:
    points = blobs([60, 1200, 200])
    assert max(natural_ks(points, KS)) == 3


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
        assert natural_ks(points, KS, random_seed=seed) == []


@pytest.mark.parametrize("k", [4, 5, 6])
def test_boxes_are_not_cut_into_more_groups_than_there_are(k: int) -> None:
    # Long boxes, which K-means cuts into flat pieces at a finer k.
    for seed in range(5):
        rng = np.random.default_rng(seed)
        corners = np.array([[0, 0, 0], [0, 4, 0], [0, 0, 4]])
        boxes = np.concatenate([rng.uniform(size=(400, 3)) * [3, 1, 1] + at for at in corners])
        assert natural_ks(boxes, range(k, k + 1), random_seed=seed) == []
        assert natural_ks(boxes, range(3, 4), random_seed=seed) == [3]


def test_a_row_per_k_with_fixed_types_and_repeatable() -> None:
    points = np.random.default_rng(1).normal(size=(300, 3))
    valleys = valleys_of(points, KS)
    assert valleys["k"].tolist() == list(KS)
    kinds = {name: str(dtype) for name, dtype in valleys.dtypes.items()}
    assert kinds == {"k": "int32", **VALLEYS}
    pd.testing.assert_frame_equal(valleys, valleys_of(points.copy(), KS))


def some_groups() -> np.ndarray:
    """Three groups so close that some splits show valleys and some do not."""
    return blobs([150] * 3, distance=3.4)


def test_the_verdict_is_that_of_most_splits() -> None:
    for limit in (0.001, 0.05, 0.3, 0.9):
        for row in valleys_of(some_groups(), KS, max_valley_p_value=limit).itertuples():
            natural = row.valley_p_value < limit
            assert natural == (row.num_splits_with_valleys > NUM_SPLITS / 2)
            least, greatest = row.least_valley_p_value, row.greatest_valley_p_value
            assert least <= row.valley_p_value <= min(1, 2 * greatest)
            assert (row.num_splits_with_valleys == 0) == (least >= limit / 2)
            assert (row.num_splits_with_valleys == NUM_SPLITS) == (greatest < limit / 2)


def test_splits_differ_and_nobody_is_asked_about_their_own_cut() -> None:
    three = valleys_of(some_groups(), range(3, 4)).iloc[0]
    assert 0 < three["num_splits_with_valleys"] < NUM_SPLITS, "or the test above says nothing"
    splits = splits_of(41, random_seed=1)
    assert len({tuple(part[0]) for split in splits for part in split}) == 2 * NUM_SPLITS
    for first, second in splits:
        for clustered, asked in (first, second):
            assert np.array_equal(np.sort(np.concatenate([clustered, asked])), np.arange(41))
            assert len(clustered) == 10
        assert not set(first[0]) & set(second[0])


def test_twice_the_median_of_the_splits_is_one_p_value() -> None:
    columns = np.array([[0.01, 0.9], [0.02, 0.8], [0.03, 0.7], [1.0, 0.6]])
    np.testing.assert_allclose(combined(columns), [0.06, 1.0])


@pytest.mark.parametrize("num_splits", [1, 4, 7])
def test_what_is_asked_no_longer_than_needed_is_the_same(num_splits: int) -> None:
    points = some_groups()
    for seed, limit in product(range(3), (0.001, 0.05, 0.5)):
        settings: dict[str, Any] = {"random_seed": seed, "max_valley_p_value": limit}
        splits = splits_of(len(points), seed, num_splits)
        with threadpool_limits(limits=1):
            found = [k for k in (3, 4) if has_valleys(points, points, k, splits, **settings)]
        assert found == natural_ks(points, range(3, 5), num_splits=num_splits, **settings)


def boundaries_of(points: np.ndarray, centroids: np.ndarray, **changes: Any) -> pd.DataFrame:
    return cluster_boundaries(points, centroids, **SETTINGS | changes)


def test_a_row_per_pair_with_fixed_types_and_repeatable() -> None:
    points = np.random.default_rng(1).normal(size=(300, 3))
    for k in KS:
        centroids = fit_kmeans(points, k, random_seed=1).cluster_centers_
        boundaries = boundaries_of(points, centroids)
        pairs = list(boundaries[["cluster_id", "other_cluster_id"]].itertuples(index=False))
        assert pairs == list(combinations(range(1, k + 1), 2))
        assert {name: str(dtype) for name, dtype in boundaries.dtypes.items()} == DIP_TEST
        pd.testing.assert_frame_equal(boundaries, boundaries_of(points.copy(), centroids))


def test_no_pair_has_a_greater_p_value_than_the_verdict() -> None:
    points = some_groups()
    for row in valleys_of(points, KS).itertuples():
        centroids = fit_kmeans(points, row.k, random_seed=1).cluster_centers_
        pairs = boundaries_of(points, centroids)
        assert 0 < pairs["p_value"].max() <= row.valley_p_value


def test_pairs_carry_the_numbers_of_the_given_centroids() -> None:
    # Two halves of one group and a group far away: only the pair of halves lacks a valley.
    points = np.vstack([blobs([800]) * [3, 1, 1], blobs([400]) + np.array([0, 20, 0])])
    centroids = fit_kmeans(points, 3, random_seed=1).cluster_centers_
    far = int(centroids[:, 1].argmax())
    for order in ([0, 1, 2], [2, 0, 1], [1, 2, 0]):
        boundaries = boundaries_of(points, centroids[order])
        flat = boundaries[~boundaries["is_valley"]]
        halves = {1, 2, 3} - {order.index(far) + 1}
        assert set(flat[["cluster_id", "other_cluster_id"]].to_numpy().ravel()) == halves


def test_whole_numbers_make_modes_that_jitter_takes_away() -> None:
    rng = np.random.default_rng(1)
    orders = rng.poisson(2.0, size=(1500, 1)) + 1
    tied = np.log1p(orders)
    spread = np.log1p(jittered(orders, rng))
    two = range(2, 3)
    assert natural_ks(tied, two) == [2]
    assert natural_ks(tied, two, jittered_points=spread) == []


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
    for frame, kinds in (
        (valleys_of(points, KS), {"k": "int32", **VALLEYS}),
        (boundaries_of(points, np.eye(3, 2)), DIP_TEST),
    ):
        assert frame.empty
        assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == kinds


def test_the_part_with_fewest_distinct_customers_says_how_many_clusters_can_be_tested() -> None:
    splits = splits_of(40, random_seed=1)
    for number, part in product((0, 7, 19), (0, 1)):
        clustered, _ = splits[number][part]
        points = np.arange(40, dtype=float).repeat(2).reshape(40, 2)
        points[clustered[1:]] = points[clustered[0]]
        assert most_clusters(points, splits) == 1


def test_a_constant_feature_is_harmless() -> None:
    flat = np.column_stack([blobs([150] * 3), np.zeros(450)])
    assert max(natural_ks(flat, KS)) == 3


def test_the_threshold_is_the_callers() -> None:
    points = blobs([150] * 3)
    assert natural_ks(points, KS, max_valley_p_value=0.0) == []
    pairs = boundaries_of(points, np.eye(3), max_valley_p_value=0.0)
    assert not pairs["is_valley"].any()


def test_jittered_points_must_be_of_the_same_customers() -> None:
    with pytest.raises(ValueError, match="jittered_points have the shape"):
        valleys_of(np.zeros((4, 2)), KS, jittered_points=np.zeros((3, 2)))
    with pytest.raises(ValueError, match="jittered_points have the shape"):
        boundaries_of(np.zeros((4, 2)), np.eye(3, 2), jittered_points=np.zeros((3, 2)))
