"""The evidence for each number of segments: three algorithms on one sample, scored alike."""

from __future__ import annotations

import time
import warnings

import numpy as np
import pandas as pd
from kneed import KneeLocator
from sklearn.cluster import DBSCAN, AgglomerativeClustering
from sklearn.metrics import (
    adjusted_rand_score,
    calinski_harabasz_score,
    davies_bouldin_score,
    silhouette_score,
)
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

from customer_segmentation.kmeans import fit_kmeans, within_squares
from customer_segmentation.schemas import SCORES
from customer_segmentation.stability import bootstrap_stability, prediction_strength


def score_candidates(
    points: np.ndarray, ks: range, *, random_seed: int, num_bootstraps: int
) -> pd.DataFrame:
    """Score K-means, Ward's hierarchical clustering and DBSCAN on the evidence sample.

    ``points`` are scaled features, shape (customers, features), sorted by customer; equal points in
    equal order give equal figures.

    Returns a row for each k of K-means (``kmeans``) and ``ward``, and one ``dbscan`` row, where k
    is the number of clusters it found:

    - ``inertia``: sum of squared distances to the cluster means (kmeans, ward);
    - ``is_elbow``: knee of the K-means inertia (Satopää et al., Kneedle, 2011);
    - ``silhouette`` (Rousseeuw 1987), ``davies_bouldin`` (1979), ``calinski_harabasz`` (1974):
      of the customers in clusters, noise apart;
    - ``bootstrap_adjusted_rand``, ``bootstrap_jaccard``: ``bootstrap_stability``, kmeans only;
    - ``prediction_strength``: kmeans only;
    - ``smallest_cluster_share``: of the smallest cluster, in all customers;
    - ``agreement_with_kmeans``: adjusted Rand index with K-means at the same k, for dbscan with the
      K-means most like it, of the customers in clusters;
    - ``noise_share``: of the customers that DBSCAN leaves out, 0 for the others;
    - ``seconds``: what the row took; the only figure that differs from run to run.

    What is undefined (one cluster, no fewer clusters than distinct points) is null. Figures are
    rounded to 12 decimals. Runs on one thread, since sums over several depend on their number.
    Raises ``ValueError`` for points that are not a table of finite numbers or ks below 2.
    """
    points = checked(points, ks)
    distinct = len(np.unique(points, axis=0))
    rows = []
    kmeans_labels: dict[int, np.ndarray] = {}
    with threadpool_limits(limits=1):
        for k in ks:
            start = time.perf_counter()
            row: dict[str, object] = {"algorithm": "kmeans", "k": k}
            if k < distinct:
                fit = fit_kmeans(points, k, random_seed)
                kmeans_labels[k] = fit.labels_
                stability = bootstrap_stability(
                    points, fit.labels_, random_seed=random_seed, num_bootstraps=num_bootstraps
                )
                row |= shape_scores(points, fit.labels_) | {
                    "inertia": fit.inertia_,
                    "bootstrap_adjusted_rand": stability.bootstrap_adjusted_rand,
                    "bootstrap_jaccard": stability.bootstrap_jaccard,
                    "prediction_strength": prediction_strength(points, k, random_seed=random_seed),
                    "agreement_with_kmeans": 1.0,
                }
            rows.append(row | {"seconds": time.perf_counter() - start})
        for k in ks:
            start = time.perf_counter()
            row = {"algorithm": "ward", "k": k}
            if k < distinct:
                labels = AgglomerativeClustering(k, linkage="ward").fit_predict(points)
                row |= shape_scores(points, labels) | {
                    "inertia": within_squares(points, labels),
                    "agreement_with_kmeans": adjusted_rand_score(labels, kmeans_labels[k]),
                }
            rows.append(row | {"seconds": time.perf_counter() - start})
        rows.append(dbscan_row(points, kmeans_labels))
    frame = pd.DataFrame(rows, columns=list(SCORES))
    is_kmeans = frame["algorithm"] == "kmeans"
    frame["is_elbow"] = is_kmeans & (frame["k"] == elbow(frame[is_kmeans]))
    frame["noise_share"] = frame["noise_share"].astype("float64").fillna(0.0)
    return frame.astype(SCORES).round(12)


def checked(points: np.ndarray, ks: range) -> np.ndarray:
    """``points`` as floats; raises ``ValueError`` where nothing can be scored."""
    points = np.asarray(points, dtype=float)
    if points.ndim != 2 or 0 in points.shape:
        raise ValueError(
            f"points must be a table of customers and features, got shape {points.shape}"
        )
    if not np.isfinite(points).all():
        raise ValueError("points must be finite numbers: some are null or infinite")
    if not ks or min(ks) < 2:
        raise ValueError(f"ks must be 2 or more, got {ks}")
    return points


def shape_scores(points: np.ndarray, labels: np.ndarray) -> dict[str, object]:
    """Scores of one clustering that need no other; ``labels`` from 0, -1 for noise.

    Silhouette, Davies-Bouldin and Calinski-Harabasz are missing for fewer than two clusters, and
    for as many clusters as points.
    """
    clustered = labels >= 0
    sizes = np.bincount(labels[clustered])
    scores: dict[str, object] = {"noise_share": 1 - clustered.mean()}
    if len(sizes):
        scores["smallest_cluster_share"] = sizes.min() / len(points)
    if 2 <= len(sizes) < clustered.sum():
        members, their_labels = points[clustered], labels[clustered]
        scores |= {
            "silhouette": silhouette_score(members, their_labels),
            "davies_bouldin": davies_bouldin_score(members, their_labels),
            "calinski_harabasz": calinski_harabasz_score(members, their_labels),
        }
    return scores


def knee(values: np.ndarray, *, curve: str, direction: str) -> int | None:
    """Position of the knee of a curve (Kneedle, 2011), or None for a curve without one."""
    if len(values) < 3 or np.ptp(values) == 0:
        return None
    with warnings.catch_warnings():
        # kneed warns where it finds none; the caller has an answer for that.
        warnings.simplefilter("ignore")
        found = KneeLocator(range(len(values)), values, curve=curve, direction=direction).knee
    return None if found is None else int(found)


def elbow(kmeans: pd.DataFrame) -> int | None:
    """Find the k at the elbow of the K-means inertia; needs three ks or more."""
    scored = kmeans.dropna(subset="inertia")
    position = knee(scored["inertia"].to_numpy(dtype=float), curve="convex", direction="decreasing")
    return None if position is None else int(scored["k"].iloc[position])


def dbscan_radius(points: np.ndarray, neighbours: int) -> float:
    """Find DBSCAN's eps: the knee of the sorted neighbour distances (Ester et al. 1996).

    Distances are to the n-th of ``neighbours``, a point being its own first, as in scikit-learn's
    ``min_samples``. 0 if most points are one; the largest distance if the curve has no knee.
    """
    neighbours = min(neighbours, len(points))
    distances = NearestNeighbors(n_neighbors=neighbours).fit(points).kneighbors(points)[0]
    ordered = np.sort(distances[:, -1])
    position = knee(ordered, curve="convex", direction="increasing")
    return float(ordered[-1 if position is None else position])


def dbscan_row(points: np.ndarray, kmeans_labels: dict[int, np.ndarray]) -> dict[str, object]:
    """DBSCAN with ``min_samples`` of two per feature, at least 4 (Sander et al. 1998)."""
    start = time.perf_counter()
    neighbours = max(4, 2 * points.shape[1])
    radius = dbscan_radius(points, neighbours)
    # eps must be positive; the least float still joins points that coincide.
    radius = max(radius, float(np.finfo(float).tiny))
    labels = DBSCAN(eps=radius, min_samples=neighbours).fit_predict(points)
    row = {"algorithm": "dbscan", "k": labels.max() + 1} | shape_scores(points, labels)
    clustered = labels >= 0
    if row["k"] >= 2 and kmeans_labels:
        row["agreement_with_kmeans"] = max(
            adjusted_rand_score(labels[clustered], other[clustered])
            for other in kmeans_labels.values()
        )
    return row | {"seconds": time.perf_counter() - start}
