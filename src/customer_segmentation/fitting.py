"""K-means on a bounded sample; what it decides is a table that SQL scores everybody with."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

from customer_segmentation.features import coordinates
from customer_segmentation.identity import match_clusters
from customer_segmentation.stability import nearest

RESTARTS = 10
"""K-means is run from this many k-means++ starts; the one with the least inertia is kept."""


def fit_kmeans(points: np.ndarray, k: int, random_seed: int) -> KMeans:
    """Lloyd's K-means with k-means++ starts; ``points`` has the shape (customers, features)."""
    return KMeans(n_clusters=k, n_init=RESTARTS, random_state=random_seed).fit(points)


def centroid_table(rows: pd.DataFrame, features: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Ids and centroids of one version, shapes (clusters,) and (clusters, selected features)."""
    names = features.loc[features["is_selected"], "feature"]
    wide = rows.pivot(index="cluster_id", columns="feature", values="centroid").sort_index()
    return wide.index.to_numpy(), wide[list(names)].to_numpy(dtype=float)


def fit_centroids(
    sample: pd.DataFrame,
    features: pd.DataFrame,
    *,
    segment_count: int,
    random_seed: int,
    previous: tuple[pd.DataFrame, pd.DataFrame] | None = None,
    largest_id: int = 0,
) -> pd.DataFrame:
    """Fit K-means and return the fitted clustering as rows.

    ``sample`` holds one row per customer, in the order of ``customer_id``; ``features`` are rows of
    ``clustering_features`` of this version. ``previous`` are the centroids and features of the
    version before, if there is one that can score this sample: a cluster that continues one of its
    clusters keeps the id (``match_clusters``). Others get ids above ``largest_id``, in the order of
    the centroids.

    Returns the columns of ``cluster_centroids`` but the version, a row per cluster and selected
    feature, with the cluster's share of the sample and its overlap with the previous cluster of the
    same id. Runs on one thread, since sums over several depend on their number.
    """
    points = coordinates(sample, features)
    with threadpool_limits(limits=1):
        centroids = fit_kmeans(points, segment_count, random_seed).cluster_centers_
    centroids = centroids[np.lexsort(centroids.T[::-1])].round(12)
    labels = nearest(points, centroids)
    if previous is None:
        ids = pd.DataFrame(
            {"cluster_id": np.arange(len(centroids)) + largest_id + 1, "overlap": np.nan}
        )
    else:
        previous_ids, previous_centroids = centroid_table(*previous)
        previous_labels = nearest(coordinates(sample, previous[1]), previous_centroids)
        ids = match_clusters(labels, previous_labels, previous_ids, largest_id)
    shares = np.bincount(labels, minlength=len(centroids)) / len(labels)
    names = features.loc[features["is_selected"], "feature"]
    return pd.DataFrame(
        [
            {
                "cluster_id": identity.cluster_id,
                "feature": name,
                "centroid": float(position),
                "share_at_fit": round(float(share), 12),
                "overlap": identity.overlap,
            }
            for identity, centroid, share in zip(ids.itertuples(), centroids, shares, strict=True)
            for name, position in zip(names, centroid, strict=True)
        ]
    )


def fit_version(
    version: int,
    sample: pd.DataFrame,
    features: pd.DataFrame,
    fitted: pd.DataFrame,
    selected: pd.DataFrame,
    *,
    random_seed: int,
) -> pd.DataFrame:
    """Fit one version with the number of segments that was selected for it.

    ``features`` are rows of ``clustering_features`` of all versions; ``fitted`` rows of
    ``cluster_centroids`` of the versions before; ``selected`` the selected rows of
    ``clustering_candidates``. The newest version before gives its cluster ids if the sample still
    has all features that it needs. Returns what ``fit_centroids`` does.
    """
    k = int(selected.loc[selected["model_version"] == version, "k"].iloc[0])
    earlier = fitted[fitted["model_version"] < version]
    previous = None
    if len(earlier):
        last = earlier["model_version"].max()
        needed = features[(features["model_version"] == last) & features["is_selected"]]
        if set(needed["feature"]) <= set(sample.columns):
            rows = earlier[earlier["model_version"] == last]
            previous = rows[["cluster_id", "feature", "centroid"]].dropna(), needed
    return fit_centroids(
        sample,
        features[features["model_version"] == version],
        segment_count=k,
        random_seed=random_seed,
        previous=previous,
        largest_id=int(earlier["cluster_id"].max()) if len(earlier) else 0,
    )
