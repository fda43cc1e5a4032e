"""Is there a valley between two clusters, or did K-means cut one hill in two? The dip test."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import pandas as pd
from diptest import diptest
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from threadpoolctl import threadpool_limits

from customer_segmentation.kmeans import RESTARTS, nearest, position_order, refit
from customer_segmentation.schemas import BOUNDARIES_PER_K


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


def halves_of(customers: int, random_seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers of two random halves, each in order."""
    order = np.random.default_rng([random_seed, 1985]).permutation(customers)
    return np.sort(order[: customers // 2]), np.sort(order[customers // 2 :])


def distinct_in_halves(points: np.ndarray, random_seed: int) -> int:
    """Distinct points in the half that has fewer of them: no k above it can be tested."""
    return min(len(np.unique(points[half], axis=0)) for half in halves_of(len(points), random_seed))


def spread_of(points: np.ndarray, jittered_points: np.ndarray | None) -> np.ndarray:
    """Points whose spread is tested; raises ``ValueError`` if they can't be the same customers."""
    if jittered_points is None:
        return points
    if points.shape != jittered_points.shape:
        raise ValueError(
            f"jittered_points have the shape {jittered_points.shape}, points {points.shape}"
        )
    return jittered_points


def pair_dips(points: np.ndarray, labels: np.ndarray, centroids: np.ndarray) -> np.ndarray:
    """Dip test of every pair of clusters; one row of customers, dip and p-value a pair.

    ``points`` has the shape (customers, features), ``labels`` (customers,) from 0, ``centroids``
    (k, features). Pairs come in the order of ``itertools.combinations``.
    """
    rows = []
    for first, second in combinations(range(len(centroids)), 2):
        ends = centroids[first], centroids[second]
        window = window_at_boundary(
            along(points[labels == first], *ends), along(points[labels == second], *ends)
        )
        # Three values or fewer cannot show two humps.
        rows.append((len(window), *(diptest(window) if len(window) > 3 else (0.0, 1.0))))
    return np.array(rows)


def boundaries_at(
    points: np.ndarray,
    jittered_points: np.ndarray,
    k: int,
    *,
    random_seed: int,
    restarts: int = RESTARTS,
) -> tuple[np.ndarray, np.ndarray]:
    """Cluster each half and test its cuts on the other; parameters as ``cluster_boundaries``.

    Returns the centroids of the half whose cuts fare better (the lesser of the worst p-values; the
    first half if equal), shape (k, features), and a row per pair of them: customers tested, dip and
    p-value, in the order of ``itertools.combinations``. One half is taken whole: picking pair by
    pair would call a group that each half cuts differently two.
    """
    rng = np.random.default_rng([random_seed, k])
    halves = halves_of(len(points), random_seed)
    tests = []
    for fitted, tested in (halves, halves[::-1]):
        centroids = refit(points[fitted], k, rng, restarts=restarts).cluster_centers_
        labels = nearest(points[tested], centroids)
        tests.append((centroids, pair_dips(jittered_points[tested], labels, centroids)))
    centroids, dips = min(tests, key=lambda test: test[1][:, 2].max())
    dips[:, 2] = np.minimum(1, 2 * dips[:, 2])
    return centroids, dips


def is_valley(p_values: np.ndarray, max_valley_p_value: float) -> np.ndarray:
    """Whether one hill is too implausible an explanation: p-values below the limit."""
    valleys: np.ndarray = p_values < max_valley_p_value
    return valleys


def cluster_boundaries(
    points: np.ndarray,
    ks: range,
    *,
    random_seed: int,
    max_valley_p_value: float,
    jittered_points: np.ndarray | None = None,
    centroids: Mapping[int, np.ndarray] | None = None,
) -> pd.DataFrame:
    """Test every pair of K-means clusters for a valley between them, for each k.

    ``points`` are the scaled features of the evidence sample, shape (customers, features), sorted
    by customer. ``jittered_points``, of the same shape, are the same customers with integer metrics
    ``jittered`` before transform and scaling; without them ``points`` are tested. The sample is
    split in two at random and K-means fitted on each half; the other half's members of two clusters
    are projected on the line through both centroids and given Hartigan's dip test (1985): the
    customers who are asked had no part in the cut. The half whose cuts fare better counts, its
    p-values doubled for having had two chances (Bonferroni). Only as many members of the larger
    cluster as of the smaller are asked (``window_at_boundary``).

    The dip test asks about the line only. Two clusters with a third between them show a valley
    without being neighbours, so a single valley says little; that *every* pair has one says that no
    two clusters are one hill.

    ``centroids``, of shape (k, features) for each k, says which numbers the clusters have:
    those of the given centroids, from 1, matched by least total distance to those of the half
    (linear sum assignment). Without it they are numbered by position.

    Returns a row per k and pair: ``k``, ``cluster_id`` < ``other_cluster_id``,
    ``num_customers_tested``, ``dip``, ``p_value``, ``is_valley`` (p below ``max_valley_p_value``).
    A k for which a half has fewer distinct points than clusters has no rows. Raises ``ValueError``
    if both sets of points differ in shape.
    """
    spread = spread_of(points, jittered_points)
    rows = []
    with threadpool_limits(limits=1):
        for k in (k for k in ks if 2 <= k <= distinct_in_halves(points, random_seed)):
            fitted, tests = boundaries_at(points, spread, k, random_seed=random_seed)
            known = centroids[k] if centroids and k in centroids else fitted[position_order(fitted)]
            numbers = linear_sum_assignment(cdist(fitted, known))[1] + 1
            valleys = is_valley(tests[:, 2], max_valley_p_value)
            for pair, (customers, dip, p_value), valley in zip(
                combinations(numbers, 2), tests, valleys, strict=True
            ):
                ids = min(pair), max(pair)
                rows.append((k, *ids, customers, round(dip, 12), round(p_value, 12), valley))
    frame = pd.DataFrame(rows, columns=list(BOUNDARIES_PER_K)).astype(BOUNDARIES_PER_K)
    return frame.sort_values(["k", "cluster_id", "other_cluster_id"], ignore_index=True)


def separated_ks(boundaries: pd.DataFrame) -> list[int]:
    """Each k whose every pair of clusters has a valley between them, ascending.

    ``boundaries`` are rows of ``cluster_boundaries``.
    """
    separated = boundaries.groupby("k")["is_valley"].all()
    return [int(k) for k in separated.index[separated]]
