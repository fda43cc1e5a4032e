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
"""Of more customers than this the interval is that of so many of them, narrowed by the square root
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


def mean_interval(values: np.ndarray, random_seed: int) -> tuple[float, float]:
    """Interval of the mean (percentile bootstrap; Efron 1979); NaN for a single customer."""
    if len(values) < 2:
        return float("nan"), float("nan")
    if np.ptp(values) == 0:
        return float(values[0]), float(values[0])
    rng = np.random.default_rng([random_seed, len(values)])
    drawn = values
    if len(values) > MAX_CUSTOMERS:
        drawn = rng.choice(values, MAX_CUSTOMERS, replace=False)
    interval = bootstrap(
        (drawn,),
        np.mean,
        n_resamples=NUM_BOOTSTRAPS,
        batch=100,
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=rng,
    ).confidence_interval
    narrowed = float(np.sqrt(len(drawn) / len(values)))
    low, high = (
        float(values.mean()) + narrowed * (float(end) - float(drawn.mean())) for end in interval
    )
    return low, high


def add_intervals(
    counts: pd.DataFrame, revenues: pd.DataFrame, *, random_seed: int
) -> pd.DataFrame:
    """Add the intervals to what the customers of each segment did.

    ``counts`` has a row per ``SEGMENT`` with the columns of ``segment_outcomes`` that are sums,
    ``revenues`` a row per customer with ``SEGMENT`` and ``revenue``, in the order of
    ``customer_id``. Returns the columns of ``segment_outcomes``.
    """
    by_segment = dict(iter(revenues.groupby(SEGMENT, sort=False)["revenue"]))
    rows = []
    for row in counts.to_dict("records"):
        low, high = share_interval(int(row["num_ordered"]), int(row["num_customers"]))
        values = by_segment[tuple(row[name] for name in SEGMENT)].to_numpy(dtype=float)
        mean_low, mean_high = mean_interval(values, random_seed)
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
