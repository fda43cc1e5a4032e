"""What the customers of each segment did next, with how sure that is."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import binomtest, bootstrap

CONFIDENCE = 0.95
"""Of all intervals."""

NUM_BOOTSTRAPS = 500
"""Resamples of each segment's customers for the interval of the mean."""

MAX_CUSTOMERS = 10_000
"""Of a segment's customers so many are asked at most; the interval is theirs, narrowed by the root
of how many more there are (Bickel, Götze and van Zwet 1997)."""

SEGMENT = ["model_version", "as_of_date", "segment_id"]
"""Key of ``segment_outcomes``."""


def share_interval(count: int, customers: int) -> tuple[float, float]:
    """Interval of a share (Wilson 1927).

    >>> low, high = share_interval(0, 10)
    >>> low, round(high, 3)
    (0.0, 0.278)
    """
    interval = binomtest(count, customers).proportion_ci(CONFIDENCE, method="wilson")
    return float(interval.low), float(interval.high)


def mean_interval(
    values: np.ndarray, mean: float, num_customers: int, random_seed: int
) -> tuple[float, float]:
    """Interval of a mean (percentile bootstrap; Efron 1979); NaN for a single customer.

    ``values`` are those of some of ``num_customers`` customers, or of all; ``mean`` is that of all.
    """
    if num_customers < 2:
        return float("nan"), float("nan")
    if np.ptp(values) == 0:
        return mean, mean
    rng = np.random.default_rng([random_seed, num_customers])
    interval = bootstrap(
        (values,),
        np.mean,
        n_resamples=NUM_BOOTSTRAPS,
        batch=100,
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=rng,
    ).confidence_interval
    narrowed = float(np.sqrt(len(values) / num_customers))
    low, high = (mean + narrowed * (float(end) - float(values.mean())) for end in interval)
    return low, high


def add_intervals(
    counts: pd.DataFrame, revenues: pd.DataFrame, *, random_seed: int
) -> pd.DataFrame:
    """Add the intervals to what the customers of each segment did.

    ``counts`` has a row per ``SEGMENT`` with the columns of ``segment_outcomes`` that are sums,
    ``revenues`` a row for each of ``MAX_CUSTOMERS`` customers of each segment, drawn at random,
    with ``SEGMENT`` and ``revenue``, in the order of ``customer_id``. Returns the columns of
    ``segment_outcomes``.
    """
    by_segment = dict(iter(revenues.groupby(SEGMENT, sort=False)["revenue"]))
    rows = []
    for row in counts.to_dict("records"):
        low, high = share_interval(int(row["num_ordered"]), int(row["num_customers"]))
        values = by_segment[tuple(row[name] for name in SEGMENT)].to_numpy(dtype=float)
        num_customers = int(row["num_customers"])
        mean = float(row["revenue"]) / num_customers
        mean_low, mean_high = mean_interval(values, mean, num_customers, random_seed)
        rows.append(
            row
            | {
                "share_ordered_low": round(low, 6),
                "share_ordered_high": round(high, 6),
                "revenue_per_customer_low": round(mean_low, 4),
                "revenue_per_customer_high": round(mean_high, 4),
            }
        )
    return pd.DataFrame(rows)
