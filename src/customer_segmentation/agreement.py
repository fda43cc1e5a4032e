"""How alike two clusterings of the same customers are: overlaps of clusters, pairs in both."""

from __future__ import annotations

import numpy as np


def contingency(
    first: np.ndarray, second: np.ndarray, weights: np.ndarray | None = None
) -> np.ndarray:
    """Count customers, or sum their ``weights``, by pair of labels.

    Labels are integers from 0; all three have the shape (customers,). Returns a contingency table,
    shape (clusters of first, clusters of second).

    >>> contingency(np.array([0, 0, 1]), np.array([1, 0, 1])).tolist()
    [[1.0, 1.0], [0.0, 1.0]]
    """
    weights = np.ones(len(first)) if weights is None else weights
    rows, columns = int(first.max()) + 1, int(second.max()) + 1
    counts = np.bincount(
        first.astype(np.int64) * columns + second, weights, minlength=rows * columns
    )
    return counts.reshape(rows, columns)


def pairs_in(counts: np.ndarray) -> np.ndarray:
    """Pairs that so many customers make, n (n - 1) / 2, in the same shape."""
    pairs: np.ndarray = counts * (counts - 1) / 2
    return pairs


def adjusted_rand(counts: np.ndarray) -> float:
    """Compute the adjusted Rand index of a contingency table (Hubert and Arabie 1985).

    The same figure as scikit-learn's ``adjusted_rand_score``, whose checks of the labels take
    longer than a refit.

    >>> adjusted_rand(np.array([[3, 0], [0, 2]]))
    1.0
    """
    pairs = pairs_in(counts).sum()
    by_first, by_second = pairs_in(counts.sum(axis=1)).sum(), pairs_in(counts.sum(axis=0)).sum()
    by_chance = by_first * by_second / pairs_in(counts.sum())
    most = (by_first + by_second) / 2
    return 1.0 if most == by_chance else float((pairs - by_chance) / (most - by_chance))


def jaccard_overlaps(counts: np.ndarray) -> np.ndarray:
    """Jaccard overlap of each row cluster of a contingency table with each column cluster.

    >>> jaccard_overlaps(np.array([[4, 0], [1, 5]])).round(2).tolist()
    [[0.8, 0.0], [0.1, 0.83]]
    """
    unions = counts.sum(axis=1, keepdims=True) + counts.sum(axis=0) - counts
    overlaps: np.ndarray = counts / np.maximum(unions, 1)
    return overlaps


def best_jaccard(counts: np.ndarray) -> np.ndarray:
    """For each row cluster of a contingency table the largest Jaccard overlap with a column's.

    >>> best_jaccard(np.array([[4, 0], [1, 5]])).round(2).tolist()
    [0.8, 0.83]
    """
    best: np.ndarray = jaccard_overlaps(counts).max(axis=1)
    return best
