"""Which archetype each cluster resembles: names come from what customers did, not from ids."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

LEVELS = {"low": 1 / 6, "medium": 1 / 2, "high": 5 / 6}
"""A level as a mean rank: the middle of its third."""

DIMENSIONS = ["recency", "frequency", "value"]


def match_archetypes(
    clusters: pd.DataFrame,
    archetypes: pd.DataFrame,
    *,
    archetype_max_distance: float,
    previous: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Give each cluster the archetype that it resembles, none twice.

    ``clusters`` has ``cluster_id`` and the mean ranks ``recency``, ``frequency`` and ``value``
    (0 to 1); ``archetypes`` has ``archetype`` and the same three as low, medium or high (rows
    without levels are no candidates). The distance is the root mean square over the three. The
    assignment has the least total squared distance (linear sum assignment; Kuhn 1955), where
    staying without an archetype costs ``archetype_max_distance`` squared: so a cluster further away
    than that takes none.

    ``previous`` are rows of ``cluster_archetypes`` of the version before: a cluster that is still
    there keeps its archetype, or that it has none.

    Returns a row per cluster: ``cluster_id``, ``archetype`` (null for none) and ``distance``
    (null likewise). Raises ``ValueError`` for a level that is not low, medium or high.
    """
    candidates = archetypes.dropna(subset=DIMENSIONS, how="all").sort_values("archetype")
    levels = candidates[DIMENSIONS].apply(lambda column: column.map(LEVELS))
    if levels.isna().any(axis=None):
        wrong = candidates.loc[levels.isna().any(axis=1), "archetype"].tolist()
        raise ValueError(
            "segment_archetypes: recency, frequency and value must be low, medium or high;"
            f" they are not in {', '.join(wrong)}."
        )
    kept = (
        {}
        if previous is None
        else dict(zip(previous["cluster_id"], previous["archetype"], strict=True))
    )
    clusters = clusters.sort_values("cluster_id")
    new = clusters[~clusters["cluster_id"].isin(kept)]
    free = ~candidates["archetype"].isin(
        {kept[cluster] for cluster in clusters["cluster_id"] if cluster in kept}
    )
    ranks = new[DIMENSIONS].to_numpy(dtype=float)
    squared = ((ranks[:, None, :] - levels[free].to_numpy(dtype=float)[None, :, :]) ** 2).mean(
        axis=2
    )
    none = np.full((len(new), len(new)), archetype_max_distance**2)
    rows, columns = linear_sum_assignment(np.hstack([squared, none]))

    names = candidates.loc[free, "archetype"].tolist()
    matched = dict(kept)
    for row, column in zip(rows, columns, strict=True):
        cluster = new["cluster_id"].iloc[row]
        matched[cluster] = names[column] if column < len(names) else None
    by_name = levels.set_axis(candidates["archetype"])

    def distance(cluster: pd.Series) -> float:
        archetype = matched[cluster["cluster_id"]]
        if archetype not in by_name.index:
            return np.nan
        difference = (cluster[DIMENSIONS] - by_name.loc[archetype]).to_numpy(dtype=float)
        return round(float(np.sqrt((difference**2).mean())), 6)

    return pd.DataFrame(
        {
            "cluster_id": clusters["cluster_id"].to_numpy(),
            "archetype": pd.Series(
                [matched[cluster] for cluster in clusters["cluster_id"]], dtype="string"
            ),
            "distance": [distance(cluster) for _, cluster in clusters.iterrows()],
        }
    )
