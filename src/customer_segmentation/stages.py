"""K-means inside lifecycle stages: how the segments are shared out among the stages, and the fit.

Points have the shape (customers, features); a customer's stage is a name. Where everybody is one
stage, this is plain K-means.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn import config_context
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_samples

from customer_segmentation.kmeans import RESTARTS, nearest, position_order

EVERYBODY = "everybody"
"""The stage of all customers, where K-means is not done in stages."""

EVERY_STAGE = "every stage"
"""As the stage of a feature: it is used alike within each stage."""

IN_STAGES = "kmeans_in_stages"
"""The algorithm, as ``clustering_candidates`` calls it."""

Allocation = dict[str, int]
"""Clusters by stage."""

Joins = Mapping[str, Sequence[str]]
"""For each lifecycle stage, in their order, the stages that it joins where it is none of its own:
the first of them that there is."""


def joins_of(lifecycle_stages: pd.DataFrame) -> Joins:
    """Read ``Joins`` from the rows of the seed ``lifecycle_stages``."""
    ordered = lifecycle_stages.sort_values("position")
    return {
        stage: others.split()
        for stage, others in zip(ordered["lifecycle_stage"], ordered["joins"], strict=True)
    }


def stages_of_their_own(lifecycle_stages: pd.Series, joins: Joins, min_share: float) -> list[str]:
    """Lifecycle stages that hold ``min_share`` of the customers, the largest in any case.

    ``unknown`` is none. Empty if nobody's stage is known. ``clustering.sample_stages`` counts them
    alike before the fit.

    >>> joins = {"new": ["active"], "active": ["new"]}
    >>> stages_of_their_own(pd.Series(["active"] * 9 + ["new"]), joins, 0.2)
    ['active']
    """
    known = lifecycle_stages[lifecycle_stages != "unknown"]
    shares = known.value_counts() / max(len(lifecycle_stages), 1)
    return [
        stage for stage in joins if stage in shares and shares[stage] >= min(min_share, max(shares))
    ]


def joined_stages(lifecycle_stages: pd.Series, joins: Joins, stages: Collection[str]) -> np.ndarray:
    """Give each customer the stage that scores them; ``stages`` are those that there are.

    >>> joins = {"new": ["active"], "active": ["new"]}
    >>> joined_stages(pd.Series(["new", "active"]), joins, {"active"}).tolist()
    ['active', 'active']
    """
    places = {
        stage: next((one for one in (stage, *others) if one in stages), EVERYBODY)
        for stage, others in joins.items()
    }
    return np.array([places.get(stage, EVERYBODY) for stage in lifecycle_stages], dtype=object)


def members_by_stage(stages: np.ndarray, order: Sequence[str]) -> dict[str, np.ndarray]:
    """Row numbers of each stage's customers, in the given order of the stages that there are."""
    found = {stage: np.flatnonzero(stages == stage) for stage in order}
    return {stage: rows for stage, rows in found.items() if len(rows)}


@dataclass(frozen=True)
class Division:
    """A stage that is divided into clusters."""

    centroids: np.ndarray
    """Shape (clusters, features), by position; NaN for a feature that is not looked at."""
    inertia: float
    """Sum of the customers' squared distances to the means of their clusters, in all features."""
    smallest_share: float
    """Of the smallest cluster, in the customers of all stages."""

    def labels(self, points: np.ndarray) -> np.ndarray:
        """Nearest centroid of each point, from 0."""
        looked_at = ~np.isnan(self.centroids[0])
        return nearest(points[:, looked_at], self.centroids[:, looked_at])


class Divisions:
    """Each stage divided into any number of clusters; what was computed once is kept.

    ``points`` have the shape (customers, features), ``members`` are row numbers by stage,
    ``weights``, shape (customers,), say how often a customer counts (1 without them).
    ``total_position`` is the column of the total amount, if it is a feature.
    """

    def __init__(
        self,
        points: np.ndarray,
        members: Mapping[str, np.ndarray],
        *,
        random_seed: int,
        restarts: int = RESTARTS,
        weights: np.ndarray | None = None,
        total_position: int | None = None,
    ) -> None:
        """Keep what is divided."""
        self.members = members
        self.total_position = total_position
        self._seed, self._restarts = random_seed, restarts
        self._points: dict[str, np.ndarray] = {}
        self._weights: dict[str, np.ndarray] = {}
        self._num_distinct: dict[tuple[str, bool], int] = {}
        self._known: dict[tuple[str, int, bool], Division | None] = {}
        for stage, rows in members.items():
            counted = np.ones(len(rows)) if weights is None else weights[rows].astype(float)
            # A stage of which nobody was drawn is still there.
            drawn = counted > 0 if counted.any() else np.full(len(rows), True)
            self._points[stage] = points[rows][drawn]
            self._weights[stage] = np.maximum(counted[drawn], 1)
        self._all = sum(each.sum() for each in self._weights.values())

    def at(self, stage: str, number: int, *, on_total: bool = False) -> Division | None:
        """Divide a stage into so many clusters; None where too few customers differ for that.

        ``on_total`` looks at the total amount only.
        """
        key = stage, number, on_total
        if key not in self._known:
            self._known[key] = self._divide(*key)
        return self._known[key]

    def best(self, stage: str, number: int, min_share: float) -> Division | None:
        """Division with no cluster below ``min_share``: of all features, else of the total."""
        for on_total in (False, True):
            found = self.at(stage, number, on_total=on_total)
            if found is not None and (number == 1 or found.smallest_share >= min_share):
                return found
        return None

    def _divide(self, stage: str, number: int, on_total: bool) -> Division | None:
        if on_total and self.total_position is None:
            return None
        points, weights = self._points[stage], self._weights[stage]
        columns = self._columns(stage, on_total)
        looked_at = points[:, columns]
        if number > 1 and self._distinct(stage, on_total) < number:
            return None
        if number == 1:
            centroids = np.average(looked_at, axis=0, weights=weights)[np.newaxis]
        else:
            kmeans = KMeans(number, n_init=self._restarts, random_state=self._seed)
            with config_context(assume_finite=True, skip_parameter_validation=True):
                centroids = kmeans.fit(looked_at, sample_weight=weights).cluster_centers_
        centroids = centroids[position_order(centroids)].round(12)
        labels = nearest(looked_at, centroids)
        sizes = np.bincount(labels, weights, minlength=number)
        sums = np.stack(
            [np.bincount(labels, weights * column, minlength=number) for column in points.T], axis=1
        )
        means = sums / np.maximum(sizes, 1)[:, np.newaxis]
        inertia = float((weights * ((points - means[labels]) ** 2).sum(axis=1)).sum())
        everywhere = np.full((number, points.shape[1]), np.nan)
        everywhere[:, columns] = centroids
        return Division(everywhere, inertia, float(sizes.min() / self._all))

    def _distinct(self, stage: str, on_total: bool) -> int:
        key = stage, on_total
        if key not in self._num_distinct:
            looked_at = self._points[stage][:, self._columns(stage, on_total)]
            self._num_distinct[key] = len(np.unique(looked_at, axis=0))
        return self._num_distinct[key]

    def _columns(self, stage: str, on_total: bool) -> list[int]:
        if on_total and self.total_position is not None:
            return [self.total_position]
        return list(range(self._points[stage].shape[1]))


def allocations(
    divisions: Divisions, most: int, min_share: float, start: Allocation | None = None
) -> Iterator[Allocation]:
    """Share out clusters among the stages: one each, or as ``start`` says, then one more at a time.

    The next is the division that lowers the inertia of all stages most, no cluster with less than
    ``min_share`` of the customers; where there is none, the best of those that look at the total
    amount only. Yields each allocation, until there are ``most`` clusters or no stage can be
    divided further. Greedy, so that a larger number divides what a smaller one made.
    """
    numbers = dict.fromkeys(divisions.members, 1) if start is None else dict(start)
    yield numbers
    while sum(numbers.values()) < most:
        gains: dict[str, float] = {}
        for on_total in (False, True):
            for stage, number in numbers.items():
                now = divisions.best(stage, number, min_share) or divisions.at(stage, number)
                then = divisions.at(stage, number + 1, on_total=on_total)
                if now is not None and then is not None and then.smallest_share >= min_share:
                    gains[stage] = now.inertia - then.inertia
            if gains:
                break
        else:
            return
        chosen = max(gains, key=lambda stage: gains[stage])
        numbers = {**numbers, chosen: numbers[chosen] + 1}
        yield numbers


def allocate(
    divisions: Divisions, k: int, min_share: float, *, is_given: bool
) -> Allocation | None:
    """Allocation of ``k`` clusters, one for each stage at least; None where there is none.

    A k that ``is_given`` is made of smaller clusters than ``min_share`` if need be.
    """
    found = list(allocations(divisions, k, min_share))[-1]
    if is_given and sum(found.values()) < k:
        found = list(allocations(divisions, k, 0.0, start=found))[-1]
    return found if sum(found.values()) == k else None


def divided(
    divisions: Divisions, allocation: Allocation, min_share: float
) -> dict[str, Division] | None:
    """Divide each stage as allocated; None where a stage can't be divided so."""
    parts = {
        stage: divisions.best(stage, number, min_share) or divisions.at(stage, number)
        for stage, number in allocation.items()
    }
    whole = {stage: part for stage, part in parts.items() if part is not None}
    return whole if len(whole) == len(parts) else None


def labels_in_stages(
    points: np.ndarray, members: Mapping[str, np.ndarray], parts: Mapping[str, Division]
) -> np.ndarray:
    """Cluster of each customer from 0, stage after stage, shape (customers,)."""
    labels = np.zeros(len(points), dtype=np.int64)
    so_far = 0
    for stage, rows in members.items():
        labels[rows] = so_far + parts[stage].labels(points[rows])
        so_far += len(parts[stage].centroids)
    return labels


def silhouette_in_stages(
    points: np.ndarray, labels: np.ndarray, members: Mapping[str, np.ndarray]
) -> float:
    """Mean silhouette (Rousseeuw 1987) of the customers whose stage is divided, within the stage.

    Clusters of other stages are no neighbours: a customer changes stage by what they do, however
    near the amounts are. NaN where no stage is divided.
    """
    scores = [
        silhouette_samples(points[rows], labels[rows])
        for rows in members.values()
        if 1 < len(np.unique(labels[rows])) < len(rows)
    ]
    return float(np.concatenate(scores).mean()) if scores else float("nan")


def inherited_allocation(
    before: Mapping[str, int] | None, stages: Sequence[str]
) -> Allocation | None:
    """Allocation of the version before, for the stages that there are now; a new stage gets one.

    >>> inherited_allocation({"active": 3, "lapsed": 2}, ["new", "active"])
    {'new': 1, 'active': 3}
    """
    if not before or not set(before) & set(stages):
        return None
    return {stage: int(before.get(stage, 1)) for stage in stages}
