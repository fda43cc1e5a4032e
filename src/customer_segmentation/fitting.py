"""K-means on a bounded sample; what it decides is a table that SQL scores everybody with."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score
from threadpoolctl import threadpool_limits

from customer_segmentation.features import coordinates, fit_features

RESTARTS = 10
"""K-means is run from this many k-means++ starts; the one with the least inertia is kept."""


def fit_kmeans(points: np.ndarray, k: int, seed: int) -> KMeans:
    """Lloyd's K-means with k-means++ starts; ``points`` has the shape (customers, features)."""
    return KMeans(n_clusters=k, n_init=RESTARTS, random_state=seed).fit(points)


def best_silhouette(points: np.ndarray, ks: range, seed: int) -> int:
    """Choose the k with the largest mean silhouette (Rousseeuw 1987); of equals the least.

    A silhouette needs fewer clusters than distinct points, so larger k are left out; if none is
    left, the least k is returned.
    """
    distinct = len(np.unique(points, axis=0))
    silhouettes = {
        k: silhouette_score(points, fit_kmeans(points, k, seed).labels_) for k in ks if k < distinct
    }
    return max(silhouettes, key=lambda k: silhouettes[k], default=ks.start)


def fit_centroids(
    sample: pd.DataFrame,
    *,
    features: list[str],
    segment_count: int | str,
    segment_count_range: list[int],
    evidence_sample_size: int,
    seed: int,
) -> pd.DataFrame:
    """Fit K-means and return the fitted clustering as rows.

    ``sample`` holds one row per customer, in the order of ``customer_id``, with the features and
    ``sample_position`` (1 for the first of the random order). ``segment_count`` is a number or
    ``auto``: then the best silhouette within ``segment_count_range`` (both ends included), measured
    on the first ``evidence_sample_size`` customers.

    Returns a row per cluster and feature: ``cluster_id`` (from 1, ordered by centroid),
    ``feature``, ``transform``, ``centre``, ``scale`` and ``centroid`` (in scaled units). Runs on
    one thread, since sums over several depend on their number.
    """
    fitted = fit_features(sample, features)
    points = coordinates(sample, fitted)
    with threadpool_limits(limits=1):
        if segment_count == "auto":
            least, most = segment_count_range
            evidence = points[(sample["sample_position"] <= evidence_sample_size).to_numpy()]
            k = best_silhouette(evidence, range(least, most + 1), seed)
        else:
            k = int(segment_count)
        centroids = fit_kmeans(points, k, seed).cluster_centers_
    centroids = centroids[np.lexsort(centroids.T[::-1])]
    return pd.DataFrame(
        [
            (cluster_id, f.name, f.transform, f.centre, f.scale, round(float(position), 12))
            for cluster_id, centroid in enumerate(centroids, start=1)
            for f, position in zip(fitted, centroid, strict=True)
        ],
        columns=["cluster_id", "feature", "transform", "centre", "scale", "centroid"],
    ).astype({"cluster_id": "int32"})
