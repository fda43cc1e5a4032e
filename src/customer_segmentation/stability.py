"""Would the same clusters come back from other customers? Bootstrap and prediction strength."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from customer_segmentation.agreement import adjusted_rand, best_jaccard, contingency, pairs_in
from customer_segmentation.kmeans import nearest, refit

PREDICTION_SPLITS = 5
"""How often the sample is split in two for the prediction strength."""


@dataclass(frozen=True)
class Stability:
    """How well clusters come back from bootstrap samples of the same customers."""

    bootstrap_adjusted_rand: float
    """Mean over bootstraps of the adjusted Rand index (Hubert and Arabie 1985), 1 = identical."""
    jaccard: np.ndarray
    """Per cluster the mean over bootstraps of its best Jaccard overlap, shape (clusters,)."""

    @property
    def bootstrap_jaccard(self) -> float:
        """The mean Jaccard overlap of the least stable cluster."""
        return float(self.jaccard.min())


def bootstrap_stability(
    points: np.ndarray,
    labels: np.ndarray,
    *,
    random_seed: int,
    num_bootstraps: int,
    weights: np.ndarray | None = None,
) -> Stability:
    """Refit K-means on bootstrap samples and compare how all customers are assigned.

    ``points`` has the shape (customers, features), ``labels`` the K-means clusters under test from
    0, shape (customers,). Each refit sees as many customers as there are, drawn with replacement
    (as weights), then assigns all of them. The scheme is ``clusterboot`` with ``bootmethod="boot"``
    (Hennig, Cluster-wise assessment of cluster stability, 2007), with the overlap measured on all
    customers, not only on those that were drawn. Hennig reads a mean Jaccard of 0.75 or more as a
    stable cluster and below 0.6 as one not to trust.

    ``weights``, shape (customers,), are how often each customer counts (1 without them), for
    customers who are a resample themselves.
    """
    k = int(labels.max()) + 1
    counted = np.ones(len(points), dtype=np.int64) if weights is None else weights
    rng = np.random.default_rng([random_seed, k, 2007])
    rand, jaccard = [], []
    for _ in range(num_bootstraps):
        drawn = rng.multinomial(int(counted.sum()), counted / counted.sum())
        if np.count_nonzero(drawn) < k:
            continue
        assigned = nearest(points, refit(points, k, rng, drawn).cluster_centers_)
        counts = contingency(labels, assigned, counted)
        rand.append(adjusted_rand(counts))
        jaccard.append(best_jaccard(counts))
    if not rand:
        return Stability(float("nan"), np.full(k, np.nan))
    return Stability(float(np.mean(rand)), np.mean(jaccard, axis=0))


def prediction_strength(points: np.ndarray, k: int, *, random_seed: int) -> float:
    """Share of pairs that the other half of the customers would also put together, worst cluster.

    The sample, shape (customers, features), is split in two at random; each half is clustered, and
    for each cluster of one half the share of its pairs that fall in one cluster of the other half's
    centroids is taken. The least share counts, averaged over both directions and
    ``PREDICTION_SPLITS`` splits (Tibshirani and Walther, Cluster validation by prediction strength,
    2005; they read 0.8 and more as reproducible). A cluster of one customer has no pairs and
    predicts nothing: 0. NaN if half the customers are fewer than k.
    """
    if len(points) < 2 * k:
        return float("nan")
    rng = np.random.default_rng([random_seed, k, 2005])
    strengths = []
    for _ in range(PREDICTION_SPLITS):
        order = rng.permutation(len(points))
        halves = points[order[::2]], points[order[1::2]]
        fits = [refit(half, k, rng) for half in halves]
        for own, other, half in ((0, 1, halves[0]), (1, 0, halves[1])):
            counts = contingency(fits[own].labels_, nearest(half, fits[other].cluster_centers_))
            pairs, together = pairs_in(counts.sum(axis=1)), pairs_in(counts).sum(axis=1)
            strengths.append(np.min(np.where(pairs > 0, together / np.maximum(pairs, 1), 0)))
    return float(np.mean(strengths))
