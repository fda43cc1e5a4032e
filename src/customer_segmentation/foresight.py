"""What happened next is the judge: how well groups of customers as of a past day foretold it.

Two things are foretold of each customer, over the window after the day: whether they order again,
and how much they spend. Outcomes are arrays of the shape (customers,): ``has_ordered`` of 0 and 1,
``revenue`` in the shop's currency.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from customer_segmentation.candidates import Stages
from customer_segmentation.features import coordinates
from customer_segmentation.kmeans import fit_kmeans
from customer_segmentation.stages import EVERYBODY, IN_STAGES

NUM_FOLDS = 10
"""Customers are foretold by the others: each tenth by the nine."""

NUM_REPEATS = 10
"""So often the tenths are drawn anew, since one draw is a lottery."""

MEASURES = ("brier_score", "log_spend_error")
"""What is measured of every customer: the squared error of the chance to order (Brier 1950), and
that of the logarithm of the spend."""


def log_spend(revenue: np.ndarray) -> np.ndarray:
    """Logarithm of one plus the spend; what came back beyond it counts as nothing spent."""
    logarithm: np.ndarray = np.log1p(np.maximum(revenue, 0.0))
    return logarithm


def folds(customers: int, random_seed: int, repeat: int = 0) -> np.ndarray:
    """Fold of each customer, 0 to ``NUM_FOLDS`` - 1, all as large as can be; shape (customers,)."""
    order = np.random.default_rng([random_seed, repeat, 1950]).permutation(customers)
    fold = np.empty(customers, dtype=np.int64)
    fold[order] = np.arange(customers) % NUM_FOLDS
    return fold


def foretold_by_groups(groups: np.ndarray, values: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Foretell each customer's value: the mean of their group in the other folds.

    ``groups`` are numbers from 0, ``values`` what happened, both of shape (customers,). Where
    nobody of the group is in other folds, it is the mean of all who are.

    >>> groups, values = np.array([0, 0, 1, 1]), np.array([1.0, 0.0, 4.0, 6.0])
    >>> foretold_by_groups(groups, values, np.array([0, 1, 0, 1])).tolist()
    [0.0, 1.0, 6.0, 4.0]
    """
    num_groups, num_folds = int(groups.max()) + 1, int(fold.max()) + 1
    cells = groups * num_folds + fold
    shape = num_groups, num_folds
    sums = np.bincount(cells, values, num_groups * num_folds).reshape(shape)
    sizes = np.bincount(cells, minlength=num_groups * num_folds).reshape(shape)
    others = sizes.sum(axis=1, keepdims=True) - sizes
    of_others = sums.sum(axis=1, keepdims=True) - sums
    of_all = of_others.sum(axis=0) / np.maximum(others.sum(axis=0), 1)
    means = np.where(others > 0, of_others / np.maximum(others, 1), of_all)
    foretold: np.ndarray = means[groups, fold]
    return foretold


@dataclass(frozen=True)
class Foresight:
    """The errors that each number of segments made in foretelling each customer."""

    ks: tuple[int, ...]
    """Ascending."""
    errors: Mapping[str, np.ndarray]
    """Squared errors by ``MEASURES``, each of shape (customers, ks)."""

    def mean_errors(self, measure: str) -> dict[int, float]:
        """Mean error of each k in one of ``MEASURES``."""
        return dict(zip(self.ks, self.errors[measure].mean(axis=0).tolist(), strict=True))

    def gain(
        self, measure: str, k: int, than: int, weights: np.ndarray | None = None
    ) -> tuple[float, float]:
        """How much less k errs than another, customer by customer, and the standard error of that.

        ``weights``, shape (customers,), say how often each customer counts (1 without them).
        """
        errors = self.errors[measure]
        less = errors[:, self.ks.index(than)] - errors[:, self.ks.index(k)]
        counted = np.ones(len(less)) if weights is None else weights
        customers = counted.sum()
        mean = float((counted * less).sum() / customers)
        variance = float((counted * (less - mean) ** 2).sum() / max(customers - 1, 1))
        return mean, float(np.sqrt(variance / customers))

    def is_better(self, k: int, than: int, weights: np.ndarray | None = None) -> bool:
        """Whether k gains more than one standard error in a measure, and loses as much in none."""
        gains = [self.gain(measure, k, than, weights) for measure in MEASURES]
        return any(gain > error for gain, error in gains) and not any(
            gain < 0 and -gain >= error for gain, error in gains
        )

    def path(self, ks: Collection[int], weights: np.ndarray | None = None) -> list[int]:
        """List the numbers that are taken one after the other, ascending.

        That is of some ks the smallest that was judged, then a finer one wherever it ``is_better``
        than the last.
        """
        taken: list[int] = []
        for k in sorted(set(ks) & set(self.ks)):
            if not taken or self.is_better(k, taken[-1], weights):
                taken.append(k)
        return taken

    def finest(self, ks: Collection[int], weights: np.ndarray | None = None) -> int | None:
        """Take the last of the ``path``; None where none of the ks could be judged."""
        taken = self.path(ks, weights)
        return taken[-1] if taken else None


def foresight_of(
    labels: Mapping[int, np.ndarray],
    has_ordered: np.ndarray,
    revenue: np.ndarray,
    random_seed: int,
) -> Foresight:
    """Measure how well each k's clusters foretold every customer; ``labels`` from 0, by k."""
    ks = tuple(sorted(labels))
    outcomes = dict(zip(MEASURES, (has_ordered, log_spend(revenue)), strict=True))
    errors = {measure: np.zeros((len(has_ordered), len(ks))) for measure in MEASURES}
    for repeat in range(NUM_REPEATS):
        fold = folds(len(has_ordered), random_seed, repeat)
        for measure, happened in outcomes.items():
            for column, k in enumerate(ks):
                foretold = foretold_by_groups(labels[k], happened, fold)
                errors[measure][:, column] += (happened - foretold) ** 2 / NUM_REPEATS
    return Foresight(ks, errors)


def foresee(
    sample: pd.DataFrame,
    features: pd.DataFrame,
    stages: Stages | None,
    *,
    ks: range,
    random_seed: int,
) -> dict[str, Foresight]:
    """Cluster past customers at every k and judge it by what they did in the window after.

    ``sample`` are rows of ``past_samples`` in the order of ``customer_id``, ``features`` of
    ``clustering_features`` of the same fit, ``stages`` the same customers in their stages, if there
    are any. Returns a ``Foresight`` for each algorithm that could be tried: ``kmeans`` and
    ``kmeans_in_stages``. Empty where all customers did the same.
    """
    has_ordered = sample["has_ordered_next"].to_numpy(dtype=float)
    revenue = sample["revenue_next"].to_numpy(dtype=float)
    if not 0 < has_ordered.mean() < 1:
        return {}
    points = coordinates(sample, features[features["stage"] == EVERYBODY])
    distinct = len(np.unique(points, axis=0))
    labels: dict[str, dict[int, np.ndarray]] = {}
    with threadpool_limits(limits=1):
        labels["kmeans"] = {
            k: fit_kmeans(points, k, random_seed).labels_ for k in ks if k < distinct
        }
        if stages is not None:
            divisions = stages.divisions(random_seed=random_seed)
            found = {
                k: stages.labels(divisions, allocation)
                for k, allocation in stages.shared_out(divisions).items()
            }
            labels[IN_STAGES] = {k: each[0] for k, each in found.items() if each is not None}
    return {
        algorithm: foresight_of(of_it, has_ordered, revenue, random_seed)
        for algorithm, of_it in labels.items()
        if of_it
    }
