"""Clusters keep their ids across fits when they are the same customers' clusters."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from customer_segmentation.agreement import contingency, jaccard_overlaps

SAME_CLUSTER = 0.5
"""From this Jaccard overlap on, most customers of both clusters are the same."""


def match_clusters(
    labels: np.ndarray, previous_labels: np.ndarray, previous_ids: np.ndarray, largest_id: int
) -> pd.DataFrame:
    """Give each new cluster the id of the previous cluster that it continues, or a new id.

    ``labels`` and ``previous_labels`` assign the same customers to the new and the previous
    clusters, from 0; ``previous_ids`` are the ids of the previous clusters in the order of their
    labels; ``largest_id`` is the largest id ever used. The pairing has the largest total overlap
    (linear sum assignment; Kuhn 1955); a pair below ``SAME_CLUSTER`` is none. Returns a row per
    new cluster, in the order of labels: ``cluster_id`` and ``overlap`` with the previous cluster of
    this id (null for a new one).
    """
    overlaps = jaccard_overlaps(contingency(labels, previous_labels))
    pairs = zip(*linear_sum_assignment(-overlaps), strict=True)
    kept = {new: old for new, old in pairs if overlaps[new, old] >= SAME_CLUSTER}
    rows: list[tuple[int, float | None]] = []
    for new in range(len(overlaps)):
        if new in kept:
            overlap = round(float(overlaps[new, kept[new]]), 6)
            rows.append((int(previous_ids[kept[new]]), overlap))
        else:
            largest_id += 1
            rows.append((largest_id, None))
    return pd.DataFrame(rows, columns=["cluster_id", "overlap"]).astype({"overlap": "float64"})
