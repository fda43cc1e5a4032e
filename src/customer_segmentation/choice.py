"""How many segments: natural groups if there are any, else what resampling reproduces."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.metrics import silhouette_score
from threadpoolctl import threadpool_limits

from customer_segmentation.boundaries import (
    MAX_VALLEY_P_VALUE,
    boundaries_at,
    distinct_in_halves,
    natural_segment_count,
)
from customer_segmentation.stability import (
    REFIT_RESTARTS,
    bootstrap_stability,
    nearest,
    refit,
)

NATURAL_GROUPS = "natural groups"
CONTINUUM = "continuum"

QUICK_SILHOUETTE_SAMPLE = 500
"""Customers whose silhouette a quick choice looks at, when nothing is reproduced."""


SCREENING_BOOTSTRAPS = 3
"""Bootstraps after which a quick choice gives up a k that is 0.15 or more below a limit."""


@dataclass(frozen=True)
class Thresholds:
    """What a number of segments has to reach."""

    max_valley_p_value: float = MAX_VALLEY_P_VALUE
    """Two clusters have a valley between them if the dip test's p-value is below this."""
    min_bootstrap_jaccard: float = 0.75
    """A cluster is stable from this mean bootstrap Jaccard on (Hennig 2007)."""
    min_bootstrap_adjusted_rand: float = 0.8
    """The whole assignment is reproduced from this mean adjusted Rand index on."""
    min_cluster_share: float = 0.02
    """A segment with a smaller share of the customers is not worth a campaign of its own."""

    def misses(
        self,
        *,
        bootstrap_jaccard: float,
        bootstrap_adjusted_rand: float,
        smallest_cluster_share: float,
    ) -> list[str]:
        """Say in words what a k fails to reach; empty if it is reproduced.

        >>> Thresholds().misses(bootstrap_jaccard=0.7, bootstrap_adjusted_rand=0.9, smallest_cluster_share=0.1)
        ['least stable cluster 0.70, needs 0.75']
        """
        return [
            f"{what} {value:{form}}, needs {needed:{form}}"
            for what, value, needed, form in (
                ("least stable cluster", bootstrap_jaccard, self.min_bootstrap_jaccard, ".2f"),
                (
                    "adjusted Rand index",
                    bootstrap_adjusted_rand,
                    self.min_bootstrap_adjusted_rand,
                    ".2f",
                ),
                ("smallest cluster", smallest_cluster_share, self.min_cluster_share, ".1%"),
            )
            if not value >= needed
        ]


@dataclass(frozen=True)
class Choice:
    """The number of segments, what the customers look like, and why."""

    segment_count: int
    verdict: str
    """``natural groups`` or ``continuum``, whatever decided the number."""
    chosen_by: str
    """``valleys``, ``stability``, ``silhouette``, ``range`` (no evidence) or ``segment_count``."""
    reason: str
    candidates: pd.DataFrame
    """A row per candidate: ``algorithm``, ``k``, ``is_selected`` and ``reason`` in words."""


def choose_segment_count(
    candidates: pd.DataFrame,
    boundaries: pd.DataFrame,
    *,
    thresholds: Thresholds | None = None,
    segment_count: int | None = None,
) -> Choice:
    """Choose the number of K-means segments from the evidence.

    ``candidates`` are rows of ``score_candidates``, ``boundaries`` of ``cluster_boundaries``, over
    the same ks and with the same thresholds. In this order:

    1. ``segment_count``, if given, which need not be among the candidates;
    2. the largest k with a valley between every pair of clusters: natural groups;
    3. the largest k that resampling reproduces (``Thresholds``): any k of a continuum is a
       convention, and this is the finest that another sample would agree with;
    4. the best silhouette; of equals the least k;
    5. the least k of the range, if no k could be scored.

    Raises ``ValueError`` if there are no K-means candidates.
    """
    thresholds = thresholds or Thresholds()
    is_kmeans = candidates["algorithm"] == "kmeans"
    kmeans = candidates[is_kmeans].sort_values("k").to_dict("records")
    if not kmeans:
        raise ValueError("there is no K-means candidate to choose from")
    natural = natural_segment_count(boundaries)
    misses = {
        int(row["k"]): thresholds.misses(
            bootstrap_jaccard=row["bootstrap_jaccard"],
            bootstrap_adjusted_rand=row["bootstrap_adjusted_rand"],
            smallest_cluster_share=row["smallest_cluster_share"],
        )
        for row in kmeans
    }
    reproduced = max((k for k, missed in misses.items() if not missed), default=None)
    silhouettes = {int(r["k"]): r["silhouette"] for r in kmeans if not np.isnan(r["silhouette"])}

    if segment_count is not None:
        chosen, chosen_by = segment_count, "segment_count"
        reason = f"segment_count is set to {chosen}"
    elif natural is not None:
        chosen, chosen_by = natural, "valleys"
        reason = (
            f"k = {chosen} is the largest number of segments with a valley between every pair of "
            "them: natural groups"
        )
    elif reproduced is not None:
        chosen, chosen_by = reproduced, "stability"
        jaccard = next(r["bootstrap_jaccard"] for r in kmeans if r["k"] == chosen)
        reason = (
            f"k = {chosen} is the largest number of segments that resampling reproduces "
            f"(least stable cluster {jaccard:.2f}, needs {thresholds.min_bootstrap_jaccard:.2f})"
        )
    elif silhouettes:
        chosen, chosen_by = max(silhouettes, key=lambda k: silhouettes[k]), "silhouette"
        reason = (
            "resampling reproduces no number of segments in the range; "
            f"k = {chosen} has the best silhouette ({silhouettes[chosen]:.2f})"
        )
    else:
        chosen, chosen_by = min(misses), "range"
        reason = (
            "too few distinct customers to score any number of segments; "
            f"k = {chosen} is the least allowed"
        )

    valleys = boundaries.groupby("k")["is_valley"]
    found, pairs = valleys.sum(), valleys.size()

    def why_not(row: pd.Series) -> str:
        k = int(row["k"])
        if row["algorithm"] != "kmeans":
            return "evidence only: cannot score new customers by itself"
        if np.isnan(row["silhouette"]):
            return f"has not more than {k} distinct customers to form {k} segments of"
        if chosen_by == "segment_count":
            return reason
        if chosen_by == "valleys":
            if k not in pairs.index:
                return "too few customers to look for valleys"
            if found[k] < pairs[k]:
                return f"{found[k]} of {pairs[k]} pairs of segments have a valley between them"
            return f"all pairs have a valley between them too, but k = {chosen} finds more groups"
        if chosen_by == "stability" and not misses[k]:
            return f"resampling reproduces it too, but k = {chosen} tells more customers apart"
        missed = f"resampling does not reproduce it ({'; '.join(misses[k])})"
        if chosen_by == "stability":
            return missed
        return f"{missed}, and its silhouette is {row['silhouette']:.2f}"

    rows = candidates[["algorithm", "k"]].copy()
    rows["is_selected"] = is_kmeans & (rows["k"] == chosen)
    rows["reason"] = [
        reason if selected else why_not(row)
        for selected, (_, row) in zip(rows["is_selected"], candidates.iterrows(), strict=True)
    ]
    verdict = CONTINUUM if natural is None else NATURAL_GROUPS
    return Choice(chosen, verdict, chosen_by, reason, rows)


def quick_choice(
    points: np.ndarray,
    ks: range,
    *,
    random_seed: int,
    num_bootstraps: int,
    thresholds: Thresholds,
    jittered_points: np.ndarray | None = None,
    weights: np.ndarray | None = None,
    restarts: int = REFIT_RESTARTS,
) -> tuple[int, str]:
    """Choose k by the same rule, computing no more evidence than the answer needs.

    Parameters as for ``score_candidates``. ``weights``, shape (customers,), make the customers a
    resample for the part that looks at stability; the part that looks for valleys draws its halves
    anew from all customers for each ``random_seed``, as customers who were drawn twice would be ties.
    Fits have ``restarts`` starts, a k that ``SCREENING_BOOTSTRAPS`` find far from stable gets no
    more of them, and silhouettes are of a part of the customers.

    Returns k and what chose it (``valleys``, ``stability``, ``silhouette``, ``range``).
    """
    distinct = len(np.unique(points if weights is None else points[weights > 0], axis=0))
    counted = np.ones(len(points), dtype=np.int64) if weights is None else weights
    descending = [k for k in reversed(ks) if k < distinct]
    spread = points if jittered_points is None else jittered_points
    separable = distinct_in_halves(points, random_seed)
    with threadpool_limits(limits=1):
        for k in descending:
            if k > separable:
                continue
            tests = boundaries_at(points, spread, k, random_seed=random_seed, restarts=restarts)[1]
            if (tests[:, 2] < thresholds.max_valley_p_value).all():
                return k, "valleys"
        labels = {}
        for k in descending:
            rng = np.random.default_rng([random_seed, k, 1957])
            labels[k] = nearest(points, refit(points, k, rng, weights, restarts).cluster_centers_)
            share = np.bincount(labels[k], counted, minlength=k).min() / counted.sum()
            if share < thresholds.min_cluster_share:
                continue
            for count, slack in ((SCREENING_BOOTSTRAPS, 0.15), (num_bootstraps, 0.0)):
                stability = bootstrap_stability(
                    points,
                    labels[k],
                    random_seed=random_seed,
                    num_bootstraps=count,
                    weights=weights,
                )
                misses = thresholds.misses(
                    bootstrap_jaccard=stability.bootstrap_jaccard + slack,
                    bootstrap_adjusted_rand=stability.bootstrap_adjusted_rand + slack,
                    smallest_cluster_share=share,
                )
                if misses:
                    break
            else:
                return k, "stability"
        if not labels:
            return ks[0], "range"
        seen = np.flatnonzero(counted)
        if len(seen) > QUICK_SILHOUETTE_SAMPLE:
            rng = np.random.default_rng([random_seed, 1987])
            seen = np.sort(rng.choice(seen, QUICK_SILHOUETTE_SAMPLE, replace=False))
        silhouettes = {
            k: silhouette_score(points[seen], labels[k][seen])
            for k in ks
            if k in labels and 1 < len(np.unique(labels[k][seen])) < len(seen)
        }
    return max(silhouettes, key=lambda k: silhouettes[k], default=ks[0]), "silhouette"


def resampling_shares(
    points: np.ndarray,
    ks: range,
    *,
    random_seed: int,
    num_resamples: int,
    num_bootstraps: int,
    thresholds: Thresholds,
    jittered_points: np.ndarray | None = None,
) -> dict[int, float]:
    """How often each k would be chosen, had other customers been in the sample.

    The choice (``quick_choice``) is made again for each of ``num_resamples`` bootstrap samples of the
    customers. Returns a share for each k; they add up to 1, but for no resamples, which give NaN.
    """
    chosen = []
    for resample in range(num_resamples):
        rng = np.random.default_rng([random_seed, resample, 1979])
        k, _ = quick_choice(
            points,
            ks,
            random_seed=int(rng.integers(2**31)),
            num_bootstraps=num_bootstraps,
            thresholds=thresholds,
            jittered_points=jittered_points,
            weights=rng.multinomial(len(points), np.full(len(points), 1 / len(points))),
        )
        chosen.append(k)
    return {k: chosen.count(k) / num_resamples if num_resamples else float("nan") for k in ks}
