"""K-means on a bounded sample; what it decides is a table that SQL scores everybody with."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from customer_segmentation.features import coordinates
from customer_segmentation.identity import match_clusters
from customer_segmentation.kmeans import nearest
from customer_segmentation.stages import (
    EVERY_STAGE,
    EVERYBODY,
    Allocation,
    Divisions,
    Joins,
    allocate,
    divided,
    joined_stages,
    labels_in_stages,
    members_by_stage,
    stages_of_their_own,
)
from customer_segmentation.versions import of_version, version_before


def features_of(features: pd.DataFrame, centroids: pd.DataFrame) -> pd.DataFrame:
    """Features that some centroids are made of.

    ``features`` are rows of ``clustering_features`` of a version, ``centroids`` rows of
    ``cluster_centroids`` of it, of one stage.
    """
    of_set = EVERYBODY if (centroids["stage"] == EVERYBODY).all() else EVERY_STAGE
    used = features["is_selected"] & features["feature"].isin(set(centroids["feature"]))
    return features[used & (features["stage"] == of_set)]


def centroid_table(rows: pd.DataFrame, features: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Ids and centroids of one stage, shapes (clusters,) and (clusters, selected features)."""
    names = features.loc[features["is_selected"], "feature"]
    wide = rows.pivot(index="cluster_id", columns="feature", values="centroid").sort_index()
    return wide.index.to_numpy(), wide[list(names)].to_numpy(dtype=float)


@dataclass(frozen=True)
class Fit:
    """A fitted clustering: rows of one version, and what lifecycle stages join."""

    centroids: pd.DataFrame
    features: pd.DataFrame
    joins: Joins

    @property
    def stages(self) -> list[str]:
        """Stages that have clusters."""
        return list(dict.fromkeys(self.centroids["stage"]))

    def stage_of_clusters(self) -> pd.Series:
        """Stage by cluster id, ascending."""
        return (
            self.centroids.drop_duplicates("cluster_id")
            .set_index("cluster_id")["stage"]
            .sort_index()
        )

    def score(self, sample: pd.DataFrame, lifecycle_stages: pd.Series) -> np.ndarray:
        """Cluster id of each customer: of the nearest centroid of their stage, shape (customers,).

        ``sample`` has the raw features; ``lifecycle_stages`` are those of its rows.
        """
        stages = joined_stages(lifecycle_stages, self.joins, self.stages)
        found = np.zeros(len(sample), dtype=np.int64)
        for stage in self.stages:
            rows = np.flatnonzero(stages == stage)
            of_stage = self.centroids[self.centroids["stage"] == stage]
            used = features_of(self.features, of_stage)
            ids, centroids = centroid_table(of_stage, used)
            if len(rows):
                found[rows] = ids[nearest(coordinates(sample.iloc[rows], used), centroids)]
        return found


def fit_centroids(
    sample: pd.DataFrame,
    features: pd.DataFrame,
    *,
    allocation: Allocation,
    joins: Joins,
    random_seed: int,
    min_segment_share: float = 0.0,
    previous: Fit | None = None,
    largest_id: int = 0,
) -> pd.DataFrame:
    """Fit K-means within each stage and return the fitted clustering as rows.

    ``sample`` holds one row per customer, in the order of ``customer_id``, with ``lifecycle_stage``
    and ``previous_lifecycle_stage`` where there are stages; ``features`` are rows of
    ``clustering_features`` of this version. ``allocation`` gives the clusters of each stage; that
    of ``everybody`` is plain K-means. ``previous`` is the fit of the version before, if it can
    score this sample: a cluster that continues one of its clusters keeps the id
    (``match_clusters``). Others get ids above ``largest_id``, in the order of the stages and
    centroids.

    Returns the columns of ``cluster_centroids`` but the version, a row per cluster and feature,
    with the cluster's share of the sample, its overlap with the previous cluster of the same id,
    and the ids of the previous clusters that its customers come from. Runs on one thread, since
    sums over several depend on their number. Raises ``ValueError`` if a stage can't be divided as
    allocated.
    """
    is_plain = set(allocation) == {EVERYBODY}
    of_set = features["stage"] == (EVERYBODY if is_plain else EVERY_STAGE)
    used = features[of_set & features["is_selected"]]
    names = list(used["feature"])
    points = coordinates(sample, used)
    stages = (
        np.full(len(sample), EVERYBODY, dtype=object)
        if is_plain
        else joined_stages(sample["lifecycle_stage"], joins, allocation)
    )
    members = members_by_stage(stages, list(allocation))
    divisions = Divisions(
        points,
        members,
        random_seed=random_seed,
        total_position=None
        if is_plain or "total_amount" not in names
        else names.index("total_amount"),
    )
    with threadpool_limits(limits=1):
        parts = divided(divisions, allocation, min_segment_share)
    if parts is None:
        raise ValueError(f"too few different customers to divide the stages as {allocation}")
    labels = labels_in_stages(points, members, parts)
    clusters = [(stage, centroid) for stage, part in parts.items() for centroid in part.centroids]
    if previous is None:
        ids = pd.DataFrame({"cluster_id": np.arange(len(clusters)) + largest_id + 1})
        ids = ids.assign(overlap=np.nan, parents=None)
    else:
        stage_before = previous.stage_of_clusters()
        lifecycle_before = (
            sample["previous_lifecycle_stage"]
            if "previous_lifecycle_stage" in sample
            else pd.Series("unknown", index=sample.index)
        )
        scored_before = previous.score(sample, lifecycle_before)
        ids = match_clusters(
            labels,
            np.searchsorted(stage_before.index.to_numpy(), scored_before),
            stage_before.index.to_numpy(),
            largest_id,
            stages=[stage for stage, _ in clusters],
            previous_stages=list(stage_before),
        )
    shares = np.bincount(labels, minlength=len(clusters)) / len(labels)
    return pd.DataFrame(
        [
            {
                "stage": stage,
                "cluster_id": identity.cluster_id,
                "feature": name,
                "centroid": float(position),
                "share_at_fit": round(float(share), 12),
                "overlap": identity.overlap,
                "parents": identity.parents,
            }
            for identity, (stage, centroid), share in zip(
                ids.itertuples(), clusters, shares, strict=True
            )
            for name, position in zip(names, centroid, strict=True)
            if not np.isnan(position)
        ]
    )


def allocation_of(chosen: pd.Series) -> Allocation:
    """Clusters by stage of a selected row of ``clustering_candidates``."""
    if pd.isna(chosen["allocation"]):
        return {EVERYBODY: int(chosen["k"])}
    return {stage: int(number) for stage, number in json.loads(chosen["allocation"]).items()}


def allocation_then(
    sample: pd.DataFrame,
    features: pd.DataFrame,
    k: int,
    *,
    joins: Joins,
    random_seed: int,
    min_segment_share: float,
) -> Allocation | None:
    """Share out ``k`` clusters among the stages of past customers; None where it can't be done."""
    own = stages_of_their_own(sample["lifecycle_stage"], joins, min_segment_share)
    used = features[(features["stage"] == EVERY_STAGE) & features["is_selected"]]
    names = list(used["feature"])
    if not names or not 0 < len(own) <= k:
        return None
    divisions = Divisions(
        coordinates(sample, used),
        members_by_stage(joined_stages(sample["lifecycle_stage"], joins, own), own),
        random_seed=random_seed,
        total_position=names.index("total_amount") if "total_amount" in names else None,
    )
    with threadpool_limits(limits=1):
        return allocate(divisions, k, min_segment_share, is_given=True)


def fit_past(
    version: int,
    sample: pd.DataFrame,
    features: pd.DataFrame,
    served: pd.DataFrame,
    selected: pd.DataFrame,
    served_version: int,
    *,
    joins: Joins,
    random_seed: int,
    min_segment_share: float,
) -> pd.DataFrame:
    """Fit past customers with the number of segments of the version that serves.

    ``sample`` are rows of ``past_samples`` in the order of ``customer_id``, ``features`` and
    ``selected`` as for ``fit_version``, ``served`` what ``fit_version`` returned for the
    ``served_version``. Clusters take the ids of the served clusters that they continue
    (``match_clusters``); those that continue none are numbered below zero, unlike all that is
    served. Returns what ``fit_centroids`` does; no rows where past customers can't be divided so.
    """
    chosen = of_version(selected, served_version).iloc[0]
    of_past = of_version(features, version)
    allocation: Allocation | None = allocation_of(chosen)
    if allocation is not None and EVERYBODY not in allocation:
        allocation = allocation_then(
            sample,
            of_past,
            int(chosen["k"]),
            joins=joins,
            random_seed=random_seed,
            min_segment_share=min_segment_share,
        )
    if allocation is None:
        return served.head(0)
    if EVERYBODY in allocation:
        used = of_past[of_past["is_selected"] & (of_past["stage"] == EVERYBODY)]
        if len(np.unique(coordinates(sample, used), axis=0)) < allocation[EVERYBODY]:
            return served.head(0)
    largest_id = int(served["cluster_id"].max())
    rows = fit_centroids(
        sample,
        of_past,
        allocation=allocation,
        joins=joins,
        random_seed=random_seed,
        min_segment_share=min_segment_share,
        previous=Fit(served, of_version(features, served_version), joins),
        largest_id=largest_id,
    )
    ids = rows["cluster_id"]
    return rows.assign(cluster_id=ids.where(ids <= largest_id, largest_id - ids))


def fit_version(
    version: int,
    sample: pd.DataFrame,
    features: pd.DataFrame,
    fitted: pd.DataFrame,
    selected: pd.DataFrame,
    *,
    joins: Joins,
    random_seed: int,
    min_segment_share: float,
) -> pd.DataFrame:
    """Fit one version with the number of segments that was selected for it.

    ``features`` are rows of ``clustering_features`` of all versions; ``fitted`` rows of
    ``cluster_centroids`` of the versions before; ``selected`` the selected rows of
    ``clustering_candidates``. The newest version before gives its cluster ids if the sample still
    has all features that it needs. Returns what ``fit_centroids`` does.
    """
    chosen = of_version(selected, version).iloc[0]
    allocation = allocation_of(chosen)
    earlier = (fitted["model_version"] > 0) & (fitted["model_version"] < version)
    ids_so_far = fitted.loc[earlier, "cluster_id"]
    last = version_before(fitted, version).dropna(subset="centroid")
    previous = None
    if len(last) and set(last["feature"]) <= set(sample.columns):
        described = of_version(features, int(last["model_version"].iloc[0]))
        previous = Fit(last, described, joins)
    return fit_centroids(
        sample,
        of_version(features, version),
        allocation=allocation,
        joins=joins,
        random_seed=random_seed,
        min_segment_share=min_segment_share,
        previous=previous,
        largest_id=int(ids_so_far.max()) if len(ids_so_far) else 0,
    )
