"""Clusters keep their ids across fits when they are the same customers' clusters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from customer_segmentation.agreement import contingency, jaccard_overlaps
from customer_segmentation.stages import EVERYBODY

HALF = 0.5
"""A cluster continues another if their common customers are so large a share of either."""

PARENT = 0.2
"""From this share on, a previous cluster that customers come from is a parent."""


def match_clusters(
    labels: np.ndarray,
    previous_labels: np.ndarray,
    previous_ids: np.ndarray,
    largest_id: int,
    *,
    stages: Sequence[str] | None = None,
    previous_stages: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Give each new cluster the id of the previous cluster that it continues, or a new id.

    ``labels`` and ``previous_labels`` assign the same customers to the new and the previous
    clusters, from 0; ``previous_ids`` are the ids of the previous clusters in the order of their
    labels; ``largest_id`` is the largest id ever used. ``stages`` and ``previous_stages`` are those
    of the clusters: an id stays within its stage, where both fits have stages.

    A cluster can continue a previous one if their common customers are ``HALF`` of either: so a
    cluster that is split goes on in its larger part, and of clusters that are merged the larger one
    goes on. Among those that can, the pairing has the largest total Jaccard overlap (linear sum
    assignment; Kuhn 1955). Returns a row per new cluster, in the order of labels: ``cluster_id``;
    ``overlap``, Jaccard, with the previous cluster of this id (null for a new one); ``parents``,
    ids of the previous clusters that at least ``PARENT`` of its customers come from, the one that
    gave most first, with commas between them.
    """
    counts = contingency(labels, previous_labels)
    missing = len(previous_ids) - counts.shape[1]
    counts = np.pad(counts, ((0, 0), (0, missing)))
    overlaps = jaccard_overlaps(counts)
    sizes, sizes_before = counts.sum(axis=1, keepdims=True), counts.sum(axis=0, keepdims=True)
    can_continue = (counts > 0) & ((counts >= HALF * sizes) | (counts >= HALF * sizes_before))
    if stages is not None and previous_stages is not None:
        can_continue &= np.array(
            [
                [EVERYBODY in (stage, before) or stage == before for before in previous_stages]
                for stage in stages
            ]
        )
    gains = np.where(can_continue, overlaps, 0.0)
    pairs = zip(*linear_sum_assignment(-gains), strict=True)
    kept = {new: old for new, old in pairs if can_continue[new, old]}
    rows: list[tuple[int, float | None, str]] = []
    for new, came_from in enumerate(counts):
        largest_first = np.argsort(-came_from, kind="stable")
        parents = ",".join(
            str(previous_ids[old])
            for old in largest_first
            if came_from[old] > 0 and came_from[old] >= PARENT * came_from.sum()
        )
        if new in kept:
            overlap = round(float(overlaps[new, kept[new]]), 6)
            rows.append((int(previous_ids[kept[new]]), overlap, parents))
        else:
            largest_id += 1
            rows.append((largest_id, None, parents))
    frame = pd.DataFrame(rows, columns=["cluster_id", "overlap", "parents"])
    return frame.astype({"overlap": "float64"})
