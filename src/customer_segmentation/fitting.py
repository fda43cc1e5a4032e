"""K-means on a bounded sample; what it decides is a table that SQL scores everybody with."""

from __future__ import annotations

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from customer_segmentation.features import coordinates
from customer_segmentation.identity import match_clusters
from customer_segmentation.kmeans import fit_kmeans, nearest, position_order
from customer_segmentation.versions import of_version, version_before


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
    centroids = centroids[position_order(centroids)].round(12)
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
    k = int(of_version(selected, version)["k"].iloc[0])
    ids_so_far = fitted.loc[fitted["model_version"] < version, "cluster_id"]
    last = version_before(fitted, version)
    previous = None
    if len(last):
        described = of_version(features, int(last["model_version"].iloc[0]))
        needed = described[described["is_selected"]]
        if set(needed["feature"]) <= set(sample.columns):
            previous = last[["cluster_id", "feature", "centroid"]].dropna(), needed
    return fit_centroids(
        sample,
        of_version(features, version),
        segment_count=k,
        random_seed=random_seed,
        previous=previous,
        largest_id=int(ids_so_far.max()) if len(ids_so_far) else 0,
    )
