"""The evidence tables of one version: candidates for the number of segments, and boundaries."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from customer_segmentation.boundaries import cluster_boundaries
from customer_segmentation.candidates import score_candidates
from customer_segmentation.choice import Thresholds, choose_segment_count, explain_choice
from customer_segmentation.features import coordinates
from customer_segmentation.fitting import centroid_table
from customer_segmentation.resampling import resampling_shares


def evidence_points(
    sample: pd.DataFrame, features: pd.DataFrame, evidence_sample_size: int, random_seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Points of the evidence sample, and the same jittered; shape (customers, features)."""
    evidence = sample[sample["sample_position"] <= evidence_sample_size]
    return (
        coordinates(evidence, features),
        coordinates(evidence, features, random_seed=random_seed),
    )


def weigh_candidates(
    sample: pd.DataFrame,
    features: pd.DataFrame,
    *,
    segment_count: int | str,
    segment_count_range: list[int],
    evidence_sample_size: int,
    thresholds: Mapping[str, float],
    num_bootstraps: int,
    num_resamples: int,
    random_seed: int,
) -> pd.DataFrame:
    """Score every algorithm and k on the evidence sample, and choose the number of segments.

    ``sample`` holds one row per customer in the order of ``customer_id``, with ``sample_position``;
    the evidence sample is its first ``evidence_sample_size`` positions. ``features`` are rows of
    ``clustering_features`` of this version. A ``segment_count`` outside the range gets a row too.
    Returns the columns of ``clustering_candidates`` but the version.
    """
    points, jittered = evidence_points(sample, features, evidence_sample_size, random_seed)
    least, most = segment_count_range
    given = None if segment_count == "auto" else int(segment_count)
    if given is not None:
        least, most = min(least, given), max(most, given)
    ks = range(least, most + 1)
    limits = Thresholds(**thresholds)
    rows = score_candidates(points, ks, random_seed=random_seed, num_bootstraps=num_bootstraps)
    is_kmeans = rows["algorithm"] == "kmeans"
    rows["is_reproduced"] = limits.are_reached(rows)
    boundaries = cluster_boundaries(
        points,
        ks,
        random_seed=random_seed,
        jittered_points=jittered,
        max_valley_p_value=limits.max_valley_p_value,
    )
    shares = resampling_shares(
        points,
        ks,
        random_seed=random_seed,
        num_resamples=num_resamples,
        num_bootstraps=num_bootstraps,
        thresholds=limits,
        jittered_points=jittered,
    )
    choice = choose_segment_count(rows, boundaries, segment_count=given)
    return rows.assign(
        resampling_share=rows["k"].map(shares).where(is_kmeans).round(12),
        is_selected=is_kmeans & (rows["k"] == choice.segment_count),
        reason=explain_choice(choice, rows, boundaries, limits),
        verdict=choice.verdict,
    )


def find_boundaries(
    sample: pd.DataFrame,
    features: pd.DataFrame,
    centroids: pd.DataFrame,
    *,
    evidence_sample_size: int,
    max_valley_p_value: float,
    random_seed: int,
) -> pd.DataFrame:
    """Test the boundary between every two clusters of a version on the evidence sample.

    Parameters as for ``weigh_candidates``; ``centroids`` are rows of ``cluster_centroids`` of this
    version. Returns the columns of ``cluster_boundaries`` but the version: ``boundary`` is
    ``valley`` or ``convention``.
    """
    points, jittered = evidence_points(sample, features, evidence_sample_size, random_seed)
    ids, positions = centroid_table(centroids, features)
    pairs = cluster_boundaries(
        points,
        range(len(ids), len(ids) + 1),
        random_seed=random_seed,
        jittered_points=jittered,
        centroids={len(ids): positions},
        max_valley_p_value=max_valley_p_value,
    )
    first = ids[pairs["cluster_id"].to_numpy() - 1]
    second = ids[pairs["other_cluster_id"].to_numpy() - 1]
    return pairs.drop(columns="k").assign(
        cluster_id=pd.Series(first).where(first < second, second).to_numpy(),
        other_cluster_id=pd.Series(second).where(first < second, first).to_numpy(),
        boundary=pairs["is_valley"].map({True: "valley", False: "convention"}),
    )
