"""How often the same number of segments is chosen when customers are drawn anew."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import cache, partial

import numpy as np
from sklearn.metrics import silhouette_score
from threadpoolctl import threadpool_limits

from customer_segmentation.boundaries import (
    NUM_SPLITS,
    has_valleys,
    most_clusters,
    splits_of,
    spread_of,
)
from customer_segmentation.candidates import Stages
from customer_segmentation.choice import Thresholds, decide
from customer_segmentation.foresight import MEASURES, Foresight
from customer_segmentation.kmeans import REFIT_RESTARTS, nearest, refit
from customer_segmentation.processes import Call
from customer_segmentation.stability import Tally, bootstraps
from customer_segmentation.stages import silhouette_in_stages

SILHOUETTE_SAMPLE = 500
"""Customers whose silhouette a quick choice looks at, when nothing is reproduced."""

SCREENING_BOOTSTRAPS, SCREENING_SLACK = 3, 0.15
"""Bootstraps after which a quick choice gives up a k that is further than this below a limit."""

SPLITS_OF_A_RESAMPLE = 5
"""Splits over which a resample asks for valleys: its verdict is one of many."""

MAX_BOOTSTRAPS = 10
"""Bootstraps within each resample: enough to tell a mean Jaccard of 0.7 from one of 0.8."""


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
    finest: Callable[[Collection[int]], int | None] | None = None,
    num_splits: int = NUM_SPLITS,
) -> tuple[int, str]:
    """``decide`` on k, computing no more evidence than the answer needs.

    ``points``, ``ks`` and ``jittered_points`` as for ``valleys_by_k``. ``weights``, shape
    (customers,), make the customers a resample for the part that looks at stability; the part that
    looks for valleys splits all customers anew for each ``random_seed``, as customers who were
    drawn twice would be ties, and asks no more of ``num_splits`` splits than decide. Fits have
    ``restarts`` starts, a k that ``SCREENING_BOOTSTRAPS`` find far from stable gets no more of
    them, nor does one of which no further one can change the verdict, and silhouettes are of
    ``SILHOUETTE_SAMPLE`` customers. ``finest`` as for ``decide``.

    Returns what ``decide`` does.
    """
    spread = spread_of(points, jittered_points)
    splits = splits_of(len(points), random_seed, num_splits)
    separable = most_clusters(points, splits)
    distinct = len(np.unique(points if weights is None else points[weights > 0], axis=0))
    counted = np.ones(len(points), dtype=np.int64) if weights is None else weights

    def is_separated(k: int) -> bool:
        return k < distinct and k <= separable and has_valleys(
            points, spread, k, splits,
            random_seed=random_seed, max_valley_p_value=thresholds.max_valley_p_value,
            restarts=restarts,
        )  # fmt: skip

    @cache
    def labels_at(k: int) -> np.ndarray:
        rng = np.random.default_rng([random_seed, k, 1957])
        return nearest(points, refit(points, k, rng, weights, restarts).cluster_centers_)

    def is_reproduced(k: int) -> bool:
        if k >= distinct:
            return False
        labels = labels_at(k)
        share = np.bincount(labels, counted, minlength=k).min() / counted.sum()

        def falls_short(jaccard: float, rand: float) -> bool:
            return bool(
                thresholds.misses(
                    bootstrap_jaccard=jaccard,
                    bootstrap_adjusted_rand=rand,
                    smallest_cluster_share=share,
                )
            )

        # No bootstrap makes up for a cluster that is too small.
        if falls_short(1.0, 1.0):
            return False
        tally = Tally(k, num_bootstraps)
        for made, counts in enumerate(
            bootstraps(
                points, labels, random_seed=random_seed, num_bootstraps=num_bootstraps,
                weights=weights,
            ), 1
        ):  # fmt: skip
            tally.add(counts)
            so_far = tally.stability
            if made == SCREENING_BOOTSTRAPS and falls_short(
                so_far.bootstrap_jaccard + SCREENING_SLACK,
                so_far.bootstrap_adjusted_rand + SCREENING_SLACK,
            ):
                return False
            verdict = is_reproduced_so_far(tally, share, thresholds)
            if verdict is not None:
                return verdict
        return False

    @cache
    def seen() -> np.ndarray:
        drawn = np.flatnonzero(counted)
        if len(drawn) <= SILHOUETTE_SAMPLE:
            return drawn
        rng = np.random.default_rng([random_seed, 1987])
        return np.sort(rng.choice(drawn, SILHOUETTE_SAMPLE, replace=False))

    def silhouette(k: int) -> float:
        if k >= distinct:
            return float("nan")
        labels = labels_at(k)[seen()]
        if not 1 < len(np.unique(labels)) < len(seen()):
            return float("nan")
        return float(silhouette_score(points[seen()], labels))

    with threadpool_limits(limits=1):
        return decide(
            ks,
            has_valleys=is_separated,
            is_reproduced=is_reproduced,
            silhouette=silhouette,
            finest=finest,
        )


def is_reproduced_so_far(
    tally: Tally, smallest_cluster_share: float, thresholds: Thresholds
) -> bool | None:
    """Whether a k will be reproduced, whatever its further bootstraps say; None if that is open."""
    for stability, verdict in zip(tally.bounds, (True, False), strict=True):
        misses = thresholds.misses(
            bootstrap_jaccard=stability.bootstrap_jaccard,
            bootstrap_adjusted_rand=stability.bootstrap_adjusted_rand,
            smallest_cluster_share=smallest_cluster_share,
        )
        if bool(misses) is not verdict:
            return verdict
    return None


def finest_of_others(
    foresight: Foresight | None, rng: np.random.Generator
) -> Callable[[Collection[int]], int | None] | None:
    """``Foresight.finest`` had other customers been there on the past day."""
    if foresight is None:
        return None
    customers = len(foresight.errors[MEASURES[0]])
    weights = rng.multinomial(customers, np.full(customers, 1 / customers))
    return partial(foresight.finest, weights=weights)


def resampling_calls(
    points: np.ndarray,
    ks: range,
    *,
    random_seed: int,
    num_resamples: int,
    num_bootstraps: int,
    thresholds: Thresholds,
    jittered_points: np.ndarray | None = None,
    foresight: Foresight | None = None,
) -> list[Call]:
    """Begin to compute which k would be chosen, had other customers been in the sample.

    The choice (``quick_choice``) is made again for each of ``num_resamples`` bootstrap samples of
    the customers, with ``num_bootstraps``, at most ``MAX_BOOTSTRAPS``, and over
    ``SPLITS_OF_A_RESAMPLE`` splits in each; of those of the past day, on whom ``foresight`` rests,
    others are drawn, too. ``shares_of`` the calls say how often each k is chosen.
    """
    return [
        Call(
            resampled_choice,
            points,
            ks,
            rng=np.random.default_rng([random_seed, resample, 1979]),
            num_bootstraps=min(num_bootstraps, MAX_BOOTSTRAPS),
            thresholds=thresholds,
            jittered_points=jittered_points,
            foresight=foresight,
        )
        for resample in range(num_resamples)
    ]


def shares_of(ks: range, calls: Sequence[Call]) -> dict[int, float]:
    """How often each k is the result of a call: good to about 0.1 with 20 of them.

    The shares add up to 1; without calls they are NaN.
    """
    chosen = [call.result() for call in calls]
    return {k: chosen.count(k) / len(chosen) if chosen else float("nan") for k in ks}


def resampled_choice(
    points: np.ndarray,
    ks: range,
    *,
    rng: np.random.Generator,
    num_bootstraps: int,
    thresholds: Thresholds,
    jittered_points: np.ndarray | None,
    foresight: Foresight | None,
) -> int:
    """``quick_choice`` of one resample."""
    k, _ = quick_choice(
        points,
        ks,
        random_seed=int(rng.integers(2**31)),
        num_bootstraps=num_bootstraps,
        thresholds=thresholds,
        jittered_points=jittered_points,
        weights=rng.multinomial(len(points), np.full(len(points), 1 / len(points))),
        finest=finest_of_others(foresight, rng),
        num_splits=SPLITS_OF_A_RESAMPLE,
    )
    return k


def resampling_calls_in_stages(
    stages: Stages,
    *,
    random_seed: int,
    num_resamples: int,
    num_bootstraps: int,
    thresholds: Thresholds,
    foresight: Foresight | None = None,
) -> list[Call]:
    """``resampling_calls`` of the numbers of segments in stages.

    The stages are kept, everything after them is made anew for each resample. Nothing is inherited:
    the question is what these customers alone would say.
    """
    return [
        Call(
            resampled_choice_in_stages,
            replace(stages, inherited=None),
            rng=np.random.default_rng([random_seed, resample, 1979]),
            num_bootstraps=min(num_bootstraps, MAX_BOOTSTRAPS),
            thresholds=thresholds,
            foresight=foresight,
        )
        for resample in range(num_resamples)
    ]


def resampled_choice_in_stages(
    stages: Stages,
    *,
    rng: np.random.Generator,
    num_bootstraps: int,
    thresholds: Thresholds,
    foresight: Foresight | None,
) -> int | None:
    """``choice_in_stages`` of one resample."""
    customers = len(stages.points)
    weights = rng.multinomial(customers, np.full(customers, 1 / customers))
    return choice_in_stages(
        stages,
        weights,
        random_seed=int(rng.integers(2**31)),
        num_bootstraps=num_bootstraps,
        thresholds=thresholds,
        finest=finest_of_others(foresight, rng),
    )


def choice_in_stages(
    stages: Stages,
    weights: np.ndarray,
    *,
    random_seed: int,
    num_bootstraps: int,
    thresholds: Thresholds,
    finest: Callable[[Collection[int]], int | None] | None = None,
) -> int | None:
    """``decide`` on k in stages for a resample; None where no k can be formed."""
    with threadpool_limits(limits=1):
        divisions = stages.divisions(
            random_seed=random_seed, weights=weights, restarts=REFIT_RESTARTS
        )
        found = {
            k: stages.labels(divisions, allocation)
            for k, allocation in stages.shared_out(divisions).items()
        }
        labels = {k: each[0] for k, each in found.items() if each is not None}
        if not labels:
            return None
        stability = stages.stability(
            labels, random_seed=random_seed, num_bootstraps=num_bootstraps, weights=weights
        )

        def is_reproduced(k: int) -> bool:
            sizes = np.bincount(labels[k], weights, minlength=k)
            return not thresholds.misses(
                bootstrap_jaccard=stability[k].bootstrap_jaccard,
                bootstrap_adjusted_rand=stability[k].bootstrap_adjusted_rand,
                smallest_cluster_share=float(sizes.min() / sizes.sum()),
            )

        return decide(
            labels,
            has_valleys=lambda k: False,
            is_reproduced=is_reproduced,
            silhouette=lambda k: silhouette_in_stages(stages.points, labels[k], stages.members),
            finest=finest,
        )[0]
