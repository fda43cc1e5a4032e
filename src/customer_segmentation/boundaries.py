"""Is there a valley between two clusters, or does K-means merely cut one hill in two?"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from diptest import diptest
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from threadpoolctl import threadpool_limits

from customer_segmentation.fitting import RESTARTS
from customer_segmentation.stability import nearest, refit

VALLEY_P_VALUE = 0.05
"""Below it, one hill is an implausible explanation (Hartigan and Hartigan, The dip test, 1985)."""

COLUMNS = {
    "k": "int32",
    "cluster_id": "int32",
    "other_cluster_id": "int32",
    "customers_tested": "int32",
    "dip": "float64",
    "p_value": "float64",
    "is_valley": "bool",
}


def jittered(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Spread whole numbers evenly over their step, so that ties are not taken for modes.

    ``values`` are raw whole numbers (orders, days), of any shape, before ``log1p`` and scaling.
    Each moves by less than 0.5 to either side: a 1 becomes anything from 0.5 to 1.5, so rounding
    gives the values back. The dip test assumes a continuous distribution; without this it finds
    a mode in every whole number that many customers share.

    >>> jittered(np.array([1, 1, 2]), np.random.default_rng(0)).round().tolist()
    [1.0, 1.0, 2.0]
    """
    return values + rng.uniform(-0.5, 0.5, size=np.shape(values))


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


def halves_of(customers: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers of two random halves: one to fit on, the other to test on."""
    order = np.random.default_rng([seed, 1985]).permutation(customers)
    return np.sort(order[: customers // 2]), np.sort(order[customers // 2 :])


def boundaries_at(
    points: np.ndarray,
    jittered_points: np.ndarray,
    k: int,
    *,
    seed: int,
    restarts: int = RESTARTS,
) -> tuple[np.ndarray, list[tuple[int, int, int, float, float]]]:
    """Centroids of one half, and per pair of them the dip of the other half's members.

    Returns centroids, shape (k, features), ordered by position, and rows of first and second
    cluster (from 0), customers tested, dip and p-value.
    """
    fit_half, test_half = halves_of(len(points), seed)
    rng = np.random.default_rng([seed, k])
    centroids = refit(points[fit_half], k, rng, restarts=restarts).cluster_centers_
    centroids = centroids[np.lexsort(centroids.T[::-1])]
    assigned = nearest(points[test_half], centroids)
    tested = jittered_points[test_half]
    rows = []
    for first in range(k):
        for second in range(first + 1, k):
            ends = centroids[first], centroids[second]
            window = window_at_boundary(
                along(tested[assigned == first], *ends), along(tested[assigned == second], *ends)
            )
            # Three values or fewer cannot show two humps.
            dip, p_value = diptest(window) if len(window) > 3 else (0.0, 1.0)
            rows.append((first, second, len(window), float(dip), float(p_value)))
    return centroids, rows


def cluster_boundaries(
    points: np.ndarray,
    ks: range,
    *,
    seed: int,
    jittered_points: np.ndarray | None = None,
    centroids: Mapping[int, np.ndarray] | None = None,
    valley_p_value: float = VALLEY_P_VALUE,
) -> pd.DataFrame:
    """Test every pair of K-means clusters for a valley between them, for each k.

    ``points`` are the scaled features of the evidence sample, shape (customers, features), sorted
    by customer. ``jittered_points``, of the same shape, are the same customers with integer metrics
    ``jittered`` before transform and scaling; without them ``points`` are tested. K-means is fitted
    on a random half, and the other half's members of both clusters are projected on the line
    through both centroids and given Hartigan's dip test (1985): clusters made by cutting one
    hill pass no test on customers who had no part in the cut.

    The dip test asks about the line only. Two clusters with a third between them show a valley
    without being neighbours, so a single valley says little; that *every* pair has one says that no
    two clusters are one hill.

    ``centroids``, of shape (k, features) for each k, says which numbers the clusters have:
    those of the given centroids, from 1, matched by least total distance to those of the half
    (linear sum assignment). Without it they are numbered by position.

    Returns a row per k and pair: ``k``, ``cluster_id`` < ``other_cluster_id``,
    ``customers_tested``, ``dip``, ``p_value``, ``is_valley`` (p below ``valley_p_value``). A k with
    fewer distinct points in the fitted half than clusters has no rows. Raises ``ValueError`` if
    both sets of points differ in shape.
    """
    jittered_points = points if jittered_points is None else jittered_points
    if points.shape != jittered_points.shape:
        raise ValueError(
            f"jittered_points have the shape {jittered_points.shape}, points {points.shape}"
        )
    fit_half, _ = halves_of(len(points), seed)
    distinct = len(np.unique(points[fit_half], axis=0))
    rows = []
    with threadpool_limits(limits=1):
        for k in (k for k in ks if 2 <= k <= distinct):
            fitted, tests = boundaries_at(points, jittered_points, k, seed=seed)
            numbers = np.arange(1, k + 1)
            if centroids is not None and k in centroids:
                numbers = linear_sum_assignment(cdist(fitted, centroids[k]))[1] + 1
            rows += [
                (
                    k,
                    min(numbers[first], numbers[second]),
                    max(numbers[first], numbers[second]),
                    customers,
                    round(dip, 12),
                    round(p_value, 12),
                    p_value < valley_p_value,
                )
                for first, second, customers, dip, p_value in tests
            ]
    frame = pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)
    return frame.sort_values(["k", "cluster_id", "other_cluster_id"], ignore_index=True)


def natural_segment_count(boundaries: pd.DataFrame) -> int | None:
    """Choose the largest k whose every pair of clusters has a valley between them, if any.

    ``boundaries`` are rows of ``cluster_boundaries``.
    """
    separated = boundaries.groupby("k")["is_valley"].all()
    return max((int(k) for k in separated.index[separated]), default=None)
