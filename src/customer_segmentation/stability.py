"""Would the same clusters come back from other customers? Bootstrap and prediction strength."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from customer_segmentation.agreement import adjusted_rand, best_jaccard, contingency, pairs_in
from customer_segmentation.kmeans import nearest, refit

PREDICTION_SPLITS = 5
"""How often the sample is split in two for the prediction strength."""


ROUNDING = 1e-9
"""More than sums of shares are off by, and less than anybody could tell."""


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


class Tally:
    """Bootstraps so far of clusters under test, of ``num_bootstraps`` that are made at most."""

    def __init__(self, num_clusters: int, num_bootstraps: int) -> None:
        """Begin with none."""
        self._left, self._made = num_bootstraps, 0
        self._rand, self._jaccard = 0.0, np.zeros(num_clusters)

    def add(self, counts: np.ndarray | None) -> None:
        """Count a bootstrap: its contingency table, or None if it could not be made."""
        self._left -= 1
        if counts is not None:
            self._made += 1
            self._rand += adjusted_rand(counts)
            self._jaccard += best_jaccard(counts)

    @property
    def stability(self) -> Stability:
        """Stability over the bootstraps that could be made; NaN if there is none."""
        if not self._made:
            return Stability(float("nan"), np.full(len(self._jaccard), np.nan))
        return Stability(self._rand / self._made, self._jaccard / self._made)

    @property
    def bounds(self) -> tuple[Stability, Stability]:
        """Least and greatest that the stability can be in the end, whatever is still to come."""
        if not self._left:
            return self.stability, self.stability
        all_of_them = self._made + self._left
        # Both indices are 1 at most; the adjusted Rand index may be below 0, not below -1.
        return (
            Stability(
                (self._rand - self._left) / all_of_them - ROUNDING,
                self._jaccard / all_of_them - ROUNDING,
            ),
            Stability(
                (self._rand + self._left) / all_of_them + ROUNDING,
                (self._jaccard + self._left) / all_of_them + ROUNDING,
            ),
        )


def bootstraps(
    points: np.ndarray,
    labels: np.ndarray,
    *,
    random_seed: int,
    num_bootstraps: int,
    weights: np.ndarray | None = None,
) -> Iterator[np.ndarray | None]:
    """Yield the contingency tables of ``bootstrap_stability``, one by one.

    ``weights``, shape (customers,), are how often each customer counts (1 without them), for
    customers who are a resample themselves. None where fewer customers than clusters were drawn.
    """
    k = int(labels.max()) + 1
    counted = np.ones(len(points), dtype=np.int64) if weights is None else weights
    rng = np.random.default_rng([random_seed, k, 2007])
    for _ in range(num_bootstraps):
        drawn = rng.multinomial(int(counted.sum()), counted / counted.sum())
        if np.count_nonzero(drawn) < k:
            yield None
            continue
        assigned = nearest(points, refit(points, k, rng, drawn).cluster_centers_)
        yield contingency(labels, assigned, counted)


def bootstrap_stability(
    points: np.ndarray, labels: np.ndarray, *, random_seed: int, num_bootstraps: int
) -> Stability:
    """Refit K-means on bootstrap samples and compare how all customers are assigned.

    ``points`` has the shape (customers, features), ``labels`` the K-means clusters under test from
    0, shape (customers,). Each refit sees as many customers as there are, drawn with replacement
    (as weights), then assigns all of them. The scheme is ``clusterboot`` with ``bootmethod="boot"``
    (Hennig, Cluster-wise assessment of cluster stability, 2007), with the overlap measured on all
    customers, not only on those that were drawn. Hennig reads a mean Jaccard of 0.75 or more as a
    stable cluster and below 0.6 as one not to trust.
    """
    tally = Tally(int(labels.max()) + 1, num_bootstraps)
    for counts in bootstraps(
        points, labels, random_seed=random_seed, num_bootstraps=num_bootstraps
    ):
        tally.add(counts)
    return tally.stability


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
