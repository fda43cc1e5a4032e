"""Is there a valley between two clusters, or did K-means cut one hill in two? The dip test."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from diptest import diptest
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from threadpoolctl import threadpool_limits

from customer_segmentation.kmeans import REFIT_RESTARTS, nearest, refit
from customer_segmentation.schemas import DIP_TEST, VALLEYS

NUM_SPLITS = 20
"""Random splits of the customers over which a verdict is asked, since one alone is a lottery."""

CLUSTERED_SHARE = 0.25
"""Share of the customers who are clustered; the others are asked. Centroids need few customers, the
dip test needs many: with halves it sees fewer of the groups that were planted."""

Split = list[tuple[np.ndarray, np.ndarray]]
"""Two disjoint parts of the customers that are clustered, each with the others, who are asked: row
numbers in order."""


def along(points: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Project points, shape (customers, features), on the line from ``start`` (0) to ``end`` (1).

    >>> along(np.array([[1.0, 5.0]]), np.array([0.0, 0.0]), np.array([2.0, 0.0])).tolist()
    [0.5]
    """
    line = end - start
    positions: np.ndarray = (points - start) @ line / (line @ line)
    return positions


def window_at_boundary(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Positions of the smaller side and of as many of the larger side, those nearest to it.

    ``first`` and ``second`` are the two clusters' positions on the line from the first's centroid
    to the second's. A group of 5 % beside one of 95 % moves the dip, a distance between
    distributions, by too little to be seen; in a window with as many of both it stands out. Cutting
    a one-humped distribution at a point leaves it one-humped, so the window invents no valley.
    """
    members = min(len(first), len(second))
    return np.concatenate([np.sort(first)[len(first) - members :], np.sort(second)[:members]])


def splits_of(customers: int, random_seed: int, num_splits: int = NUM_SPLITS) -> list[Split]:
    """Split the customers at random so many times; each part is ``CLUSTERED_SHARE`` of them."""
    size = int(customers * CLUSTERED_SHARE)
    splits = []
    for number in range(num_splits):
        order = np.random.default_rng([random_seed, 1985, number]).permutation(customers)
        splits.append(
            [
                (np.sort(turned[:size]), np.sort(turned[size:]))
                for turned in (order, np.roll(order, -size))
            ]
        )
    return splits


def most_clusters(points: np.ndarray, splits: list[Split]) -> int:
    """Distinct points in the part that has fewest of them: no k above that can be tested."""
    kinds = np.unique(points, axis=0, return_inverse=True)[1].ravel()
    return min(len(np.unique(kinds[rows])) for split in splits for part in split for rows in part)


def spread_of(points: np.ndarray, jittered_points: np.ndarray | None) -> np.ndarray:
    """Points whose spread is tested; raises ``ValueError`` if they can't be the same customers."""
    if jittered_points is None:
        return points
    if points.shape != jittered_points.shape:
        raise ValueError(
            f"jittered_points have the shape {jittered_points.shape}, points {points.shape}"
        )
    return jittered_points


def pair_dips(
    points: np.ndarray, labels: np.ndarray, centroids: np.ndarray
) -> Iterator[tuple[int, float, float]]:
    """Dip test of every pair of clusters: yields customers tested, dip and p-value.

    ``points`` has the shape (customers, features), ``labels`` (customers,) from 0, ``centroids``
    (k, features). Pairs come in the order of ``itertools.combinations``.
    """
    for first, second in combinations(range(len(centroids)), 2):
        ends = centroids[first], centroids[second]
        window = window_at_boundary(
            along(points[labels == first], *ends), along(points[labels == second], *ends)
        )
        # Three values or fewer cannot show two humps.
        yield (len(window), *(diptest(window) if len(window) > 3 else (0.0, 1.0)))


def cuts_in_split(
    points: np.ndarray,
    jittered_points: np.ndarray,
    k: int,
    split: Split,
    rng: np.random.Generator,
    restarts: int,
) -> Iterator[tuple[np.ndarray, Iterator[tuple[int, float, float]]]]:
    """Cluster each part of a split and test its cuts on the customers who had no part in them.

    ``points`` and ``jittered_points`` as for ``valleys_by_k``. Yields the centroids, shape
    (k, features), and ``pair_dips``; nothing is computed that is not asked for.
    """
    for clustered, asked in split:
        centroids = refit(points[clustered], k, rng, restarts=restarts).cluster_centers_
        labels = nearest(points[asked], centroids)
        yield centroids, pair_dips(jittered_points[asked], labels, centroids)


def better_cuts(
    points: np.ndarray,
    jittered_points: np.ndarray,
    k: int,
    splits: list[Split],
    random_seed: int,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield, for each split, the centroids of the part whose cuts fare better, and its dip tests.

    That is the part with the lesser of the worst p-values, the first if equal. Its p-values are
    doubled for having had two chances (Bonferroni). The tests have a row per pair, of customers
    tested, dip and p-value. One part is taken whole: picking pair by pair would call a group that
    each part cuts differently two.
    """
    for number, split in enumerate(splits):
        rng = np.random.default_rng([random_seed, k, number])
        cuts = cuts_in_split(points, jittered_points, k, split, rng, REFIT_RESTARTS)
        tests = [(centroids, np.array(list(dips))) for centroids, dips in cuts]
        centroids, dips = min(tests, key=lambda test: test[1][:, 2].max())
        dips[:, 2] = np.minimum(1, 2 * dips[:, 2])
        yield centroids, dips


def median(values: np.ndarray) -> np.ndarray:
    """Median over the first axis; of an even number of values the higher of the middle two.

    So it is below a limit if and only if more than half of the values are.

    >>> float(median(np.array([0.1, 0.4, 0.3, 0.2])))
    0.3
    """
    found: np.ndarray = np.quantile(values, 0.5, axis=0, method="higher")
    return found


def combined(p_values: np.ndarray) -> np.ndarray:
    """Twice the median over the first axis, at most 1: one p-value out of dependent ones.

    Of a true hypothesis it is below any limit no more often than the limit says, however the
    p-values depend on each other (Rüschendorf 1982; Meinshausen, Meier and Bühlmann 2009).

    >>> float(combined(np.array([0.01, 0.02, 0.9])))
    0.04
    """
    found: np.ndarray = np.minimum(1, 2 * median(p_values))
    return found


def is_valley(p_values: Any, max_valley_p_value: float) -> Any:
    """Whether one hill is too implausible an explanation: a p-value, or each, below the limit."""
    return p_values < max_valley_p_value


def valleys_by_k(
    points: np.ndarray,
    ks: range,
    *,
    random_seed: int,
    max_valley_p_value: float,
    jittered_points: np.ndarray | None = None,
    num_splits: int = NUM_SPLITS,
) -> pd.DataFrame:
    """Test for each k whether there is a valley between every pair of K-means clusters.

    ``points`` are the scaled features of the evidence sample, shape (customers, features), sorted
    by customer. ``jittered_points``, of the same shape, are the same customers with integer metrics
    ``jittered`` before transform and scaling; without them ``points`` are tested. K-means is fitted
    on a part of the sample (``splits_of``); the others' members of two clusters are projected on
    the line through both centroids and given Hartigan's dip test (1985): the customers who are
    asked had no part in the cut. Only as many members of the larger cluster as of the smaller are
    asked (``window_at_boundary``). Of the two parts of a split the one whose cuts fare better
    counts (``better_cuts``), of its pairs the worst, and of ``num_splits`` splits twice the median
    (``combined``).

    The dip test asks about the line only. Two clusters with a third between them show a valley
    without being neighbours, so a single valley says little; that *every* pair has one says that no
    two clusters are one hill.

    Returns a row per k, but for a k with more clusters than a part has distinct points:

    - ``valley_p_value``: of the k; there are natural groups if it is below ``max_valley_p_value``;
    - ``least_valley_p_value``, ``greatest_valley_p_value``: of the worst pair, over the splits;
    - ``num_splits_with_valleys``: splits whose worst pair is below half of ``max_valley_p_value``;
      there are natural groups if they are more than half of the splits.

    Raises ``ValueError`` if both sets of points differ in shape.
    """
    spread = spread_of(points, jittered_points)
    splits = splits_of(len(points), random_seed, num_splits)
    rows = []
    with threadpool_limits(limits=1):
        for k in (k for k in ks if 2 <= k <= most_clusters(points, splits)):
            tests = better_cuts(points, spread, k, splits, random_seed)
            worst = np.array([dips[:, 2].max() for _, dips in tests])
            claims = is_valley(2 * worst, max_valley_p_value).sum()
            figures = (float(combined(worst)), worst.min(), worst.max())
            rows.append((k, *(round(figure, 12) for figure in figures), claims))
    return pd.DataFrame(rows, columns=["k", *VALLEYS]).astype({"k": "int32", **VALLEYS})


def has_valleys(
    points: np.ndarray,
    jittered_points: np.ndarray,
    k: int,
    splits: list[Split],
    *,
    random_seed: int,
    max_valley_p_value: float,
    restarts: int = REFIT_RESTARTS,
) -> bool:
    """Whether ``valleys_by_k`` would find natural groups at k, asking until that is decided.

    ``splits`` are ``splits_of`` the customers with that ``random_seed``.
    """
    needed = len(splits) // 2 + 1
    found = missed = 0
    for number, split in enumerate(splits):
        rng = np.random.default_rng([random_seed, k, number])
        # Doubled for the two parts, and for the median.
        claims = any(
            all(is_valley(4 * p_value, max_valley_p_value) for *_, p_value in dips)
            for _, dips in cuts_in_split(points, jittered_points, k, split, rng, restarts)
        )
        found, missed = found + claims, missed + (not claims)
        if found == needed or missed > len(splits) - needed:
            break
    return found == needed


def cluster_boundaries(
    points: np.ndarray,
    centroids: np.ndarray,
    *,
    random_seed: int,
    max_valley_p_value: float,
    jittered_points: np.ndarray | None = None,
    num_splits: int = NUM_SPLITS,
) -> pd.DataFrame:
    """Test every pair of the clusters with these ``centroids`` for a valley between them.

    Parameters, splits and tests as for ``valleys_by_k``; ``centroids`` have the shape (k, features)
    and number the clusters from 1. The clusters of a split take the numbers of those centroids by
    least total distance (linear sum assignment). In each split no pair has a greater p-value than
    the worst, so at a k of natural groups every pair has a valley.

    Returns a row per pair: ``cluster_id`` < ``other_cluster_id``, the medians over the splits of
    ``num_customers_tested`` and ``dip``, ``p_value`` (``combined``), ``is_valley`` (below
    ``max_valley_p_value``). There are none if a part of a split has fewer distinct points than
    there are clusters. Raises ``ValueError`` if both sets of points differ in shape.
    """
    spread = spread_of(points, jittered_points)
    splits = splits_of(len(points), random_seed, num_splits)
    k = len(centroids)
    pairs = list(combinations(range(k), 2))
    rows = []
    if 2 <= k <= most_clusters(points, splits):
        tests = np.empty((num_splits, len(pairs), 3))
        with threadpool_limits(limits=1):
            found = better_cuts(points, spread, k, splits, random_seed)
            for split, (fitted, dips) in enumerate(found):
                numbers = linear_sum_assignment(cdist(fitted, centroids))[1]
                for pair, dip in zip(pairs, dips, strict=True):
                    first, second = sorted(numbers[list(pair)])
                    tests[split, pairs.index((first, second))] = dip
        p_values = combined(tests[:, :, 2]).round(12)
        rows = [
            (first + 1, second + 1, customers, dip.round(12), p_value, valley)
            for (first, second), (customers, dip, _), p_value, valley in zip(
                pairs, median(tests), p_values, is_valley(p_values, max_valley_p_value), strict=True
            )
        ]
    return pd.DataFrame(rows, columns=list(DIP_TEST)).astype(DIP_TEST)
