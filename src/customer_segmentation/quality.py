"""How much the segments foretell of what customers do next, beside what could be used instead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.stats import spearmanr
from sklearn.isotonic import IsotonicRegression

from customer_segmentation.foresight import foretold_by_groups, log_spend
from customer_segmentation.outcomes import CONFIDENCE
from customer_segmentation.schemas import SEGMENTATION_QUALITY

SEGMENTS = "segments"
"""The way that all others are held against."""

GROUPS = {
    SEGMENTS: "segment_id",
    "rfm_cells": "rfm_code",
    "rfm_groups": "rfm_group",
    "once_or_repeat_by_recency": "once_or_repeat_by_recency",
}
"""Ways to group customers: the column of ``graded_customers`` that says a customer's group."""

METRICS = ("total_amount", "num_orders", "avg_order_value", "days_since_last_order")
"""Single columns that compete, beside the candidates for features."""

CHANCE = "repurchase_probability"
"""The column that is a way of its own, be it among the best or not."""

NUM_BEST = 2
"""So many single columns are shown, the best at telling who orders again."""

MEASURES = ("auc", "spearman", "r2_log_spend")
"""Area under the curve of ordering again (1 best, 0.5 a guess), rank correlation with the spend
(Spearman 1904), and the share of the variance of the logarithm of one plus the spend."""

NUM_FOLDS = 5
NUM_RESAMPLES = 200


@dataclass(frozen=True)
class Ordered:
    """Values of customers in a fold, as runs of equal ones, ascending within each fold."""

    order: np.ndarray
    """Row numbers, fold by fold, by value."""
    starts: np.ndarray
    """Where each run of equal values begins in ``order``."""
    run: np.ndarray
    """Run of each row, shape (customers,)."""
    first_of_fold: np.ndarray
    """First run of the fold of each run."""

    @classmethod
    def of(cls, values: np.ndarray, fold: np.ndarray) -> Ordered:
        """Order ``values`` within ``fold``, both of shape (customers,)."""
        order = np.lexsort((values, fold))
        in_order, folds = values[order], fold[order]
        is_first = np.r_[True, (in_order[1:] != in_order[:-1]) | (folds[1:] != folds[:-1])]
        starts = np.flatnonzero(is_first)
        run = np.empty(len(values), dtype=np.int64)
        run[order] = np.cumsum(is_first) - 1
        fold_of_run = folds[starts]
        first = np.r_[True, fold_of_run[1:] != fold_of_run[:-1]]
        return cls(order, starts, run, np.flatnonzero(first)[np.cumsum(first) - 1])

    def sums(self, weights: np.ndarray) -> np.ndarray:
        """Sum of the weights of each run; ``weights`` of shape (resamples, customers)."""
        summed: np.ndarray = np.add.reduceat(weights[:, self.order], self.starts, axis=1)
        return summed

    def below(self, sums: np.ndarray) -> np.ndarray:
        """Sum of the runs below each in its fold, and half of its own."""
        before = np.cumsum(sums, axis=1) - sums
        found: np.ndarray = before - before[:, self.first_of_fold] + sums / 2
        return found

    def mid_ranks(self, weights: np.ndarray, fold_weights: np.ndarray) -> np.ndarray:
        """Mid-rank of each row in its fold, 0 to 1, shape (resamples, customers)."""
        ranks: np.ndarray = self.below(self.sums(weights))[:, self.run] / fold_weights
        return ranks


@dataclass(frozen=True)
class Happened:
    """What customers did, by which everything that was foretold is measured.

    Ranks are taken within folds: customers of one group are foretold alike there, but for what each
    fold has left out, which would tell them apart the wrong way round between folds.
    """

    has_ordered: np.ndarray
    """1 or 0, shape (customers,)."""
    revenue: np.ndarray
    """Shape (customers,)."""
    fold: np.ndarray
    """From 0, shape (customers,)."""
    weights: np.ndarray
    """How often each customer counts in each resample, shape (resamples, customers)."""

    @cached_property
    def in_fold(self) -> np.ndarray:
        """Customers of each fold, shape (resamples, folds)."""
        return self._by_fold(self.weights)

    @cached_property
    def pairs(self) -> np.ndarray:
        """Pairs within folds of one who ordered and one who did not, shape (resamples,)."""
        with_order = self._by_fold(self.weights * self.has_ordered)
        pairs: np.ndarray = (with_order * (self.in_fold - with_order)).sum(axis=1)
        return pairs

    def _by_fold(self, counts: np.ndarray) -> np.ndarray:
        folds = range(int(self.fold.max()) + 1)
        return np.stack([counts[:, self.fold == number].sum(axis=1) for number in folds], axis=1)

    def ranks(self, values: np.ndarray) -> np.ndarray:
        """Mid-rank of each customer in their fold, 0 to 1, shape (resamples, customers)."""
        fold_weights = np.maximum(self.in_fold, 1)[:, self.fold]
        return Ordered.of(values, self.fold).mid_ranks(self.weights, fold_weights)

    @cached_property
    def ranks_of_revenue(self) -> np.ndarray:
        """``ranks`` of what was spent."""
        return self.ranks(self.revenue)


def measured(chance: np.ndarray, spend: np.ndarray, happened: Happened) -> np.ndarray:
    """``MEASURES`` of what was foretold, shape (measures, resamples).

    ``chance`` and ``spend`` are what was foretold of each customer by those of other folds, the
    chance to order and the log of the spend.
    """
    weights = happened.weights
    by_chance = Ordered.of(chance, happened.fold)
    ordered = by_chance.sums(weights * happened.has_ordered)
    others = by_chance.sums(weights) - ordered
    with np.errstate(invalid="ignore", divide="ignore"):
        auc = (ordered * by_chance.below(others)).sum(axis=1) / happened.pairs
        spearman = weighted_correlation(happened.ranks(spend), happened.ranks_of_revenue, weights)
        spent = log_spend(happened.revenue)
        total = weights.sum(axis=1)
        mean = (weights @ spent) / total
        spread = weights @ spent**2 - total * mean**2
        r2 = 1 - (weights @ (spent - spend) ** 2) / spread
    return np.stack([auc, spearman, r2])


def weighted_correlation(first: np.ndarray, second: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Correlation of two values of customers in each resample; all of shape (resamples, customers).

    NaN where one of them does not vary.
    """
    total = weights.sum(axis=1, keepdims=True)
    first = first - np.einsum("rc,rc->r", weights, first)[:, np.newaxis] / total
    second = second - np.einsum("rc,rc->r", weights, second)[:, np.newaxis] / total
    weighted = weights * first
    together = np.einsum("rc,rc->r", weighted, second)
    spreads = np.einsum("rc,rc->r", weighted, first) * np.einsum(
        "rc,rc,rc->r", weights, second, second
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation: np.ndarray = together / np.sqrt(spreads)
    return np.where(spreads > 1e-18, correlation, np.nan)


def foretold_by_number(numbers: np.ndarray, happened: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Foretell by a number: the nearest rising or falling curve of the other folds' customers.

    Isotonic regression (Barlow et al. 1972); it rises where their rank correlation is positive.
    """
    if np.ptp(numbers) == 0:
        return foretold_by_groups(np.zeros(len(numbers), dtype=np.int64), happened, fold)
    foretold = np.empty(len(numbers))
    for number in range(int(fold.max()) + 1):
        others, own = fold != number, fold == number
        rises = spearmanr(numbers[others], happened[others]).statistic > 0
        curve = IsotonicRegression(increasing=bool(rises), out_of_bounds="clip")
        foretold[own] = curve.fit(numbers[others], happened[others]).predict(numbers[own])
    return foretold


def compare_ways(
    customers: pd.DataFrame, candidate_features: Sequence[str], *, random_seed: int
) -> pd.DataFrame:
    """Compare how much the segments and other ways foretell, on the same customers.

    ``customers`` are rows of ``graded_customers`` of one version and day, in the order of
    ``customer_id``: the columns of ``GROUPS``, ``CHANCE``, ``METRICS``, ``candidate_features``,
    ``has_ordered_next`` and ``revenue_next``. Each customer is foretold by those of other folds
    (cross-validation). Intervals are of percentile bootstraps over customers, paired for the gain.

    Returns a row per way and measure, the columns of ``segmentation_quality`` but the version and
    days. Empty where all customers did the same or there are fewer than ``NUM_FOLDS`` of either.
    """
    columns = list(dict.fromkeys([*METRICS, *candidate_features]))
    has_ordered = customers["has_ordered_next"].to_numpy(dtype=float)
    revenue = customers["revenue_next"].to_numpy(dtype=float)
    size = len(customers)
    if not NUM_FOLDS <= has_ordered.sum() <= size - NUM_FOLDS:
        return pd.DataFrame(columns=list(SEGMENTATION_QUALITY))
    rng = np.random.default_rng([random_seed, 1979])
    fold = np.empty(size, dtype=np.int64)
    fold[rng.permutation(size)] = np.arange(size) % NUM_FOLDS
    weights = np.vstack(
        [np.ones(size), rng.multinomial(size, np.full(size, 1 / size), NUM_RESAMPLES)]
    )
    happened = Happened(has_ordered, revenue, fold, weights)
    spent = log_spend(revenue)
    found: dict[str, np.ndarray] = {}
    num_groups: dict[str, int] = {}
    for way, column in GROUPS.items():
        groups, names = pd.factorize(customers[column], sort=True)
        num_groups[way] = len(names)
        found[way] = measured(
            foretold_by_groups(groups, has_ordered, fold),
            foretold_by_groups(groups, spent, fold),
            happened,
        )
    numbers = {name: customers[name].to_numpy(dtype=float) for name in (CHANCE, *columns)}
    foretold = {
        name: (
            foretold_by_number(values, has_ordered, fold),
            foretold_by_number(values, spent, fold),
        )
        for name, values in numbers.items()
        if np.isfinite(values).all()
    }
    # Resamples are asked only about what is shown.
    once = replace(happened, weights=weights[:1])
    auc = {name: measured(*each, once)[0, 0] for name, each in foretold.items() if name != CHANCE}
    best = sorted(auc, key=lambda name: (-np.nan_to_num(auc[name]), name))[:NUM_BEST]
    for name in (CHANCE, *best):
        if name in foretold:
            found[name] = measured(*foretold[name], happened)
    return quality_rows(found, num_groups, size)


def quality_rows(
    found: Mapping[str, np.ndarray], num_groups: Mapping[str, int], num_customers: int
) -> pd.DataFrame:
    """Rows of what was ``measured`` of each way: first as it is, then in resamples."""
    outside = [50 * (1 - CONFIDENCE), 100 - 50 * (1 - CONFIDENCE)]
    rows = []
    for way in found:
        for position, measure in enumerate(MEASURES):
            value = found[way][position]
            # What does not vary has no rank correlation.
            if np.isnan(value[0]) or np.isnan(found[SEGMENTS][position][0]):
                continue
            less = found[SEGMENTS][position] - value
            low, high = np.nanpercentile(less[1:], outside) if way != SEGMENTS else (np.nan, np.nan)
            own_low, own_high = np.nanpercentile(value[1:], outside)
            rows.append(
                {
                    "way": way,
                    "measure": measure,
                    "num_groups": num_groups.get(way),
                    "num_customers": num_customers,
                    "value": round(value[0], 6),
                    "value_low": round(own_low, 6),
                    "value_high": round(own_high, 6),
                    "gain_of_segments": round(less[0], 6) if way != SEGMENTS else np.nan,
                    "gain_low": round(low, 6),
                    "gain_high": round(high, 6),
                    "segments_are": None
                    if way == SEGMENTS or np.isnan(low)
                    else "better"
                    if low > 0
                    else "worse"
                    if high < 0
                    else "level",
                }
            )
    return pd.DataFrame(rows)
