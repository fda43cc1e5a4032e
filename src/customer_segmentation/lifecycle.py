"""Lifecycle stages of customers who are in no database: what ``customer_stages`` does in SQL."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

GAP_CUTS = (0.125, 0.25, 0.5, 1.0, 2.0)
"""In windows: a customer's own mean gap is in the class of as many as it reaches, plus one."""

KNOWN = ("num_order_days", "mean_gap_days", "silence_days")
"""Columns of ``customer_metrics`` that the lifecycle stage depends on."""


def last_edge(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Find the last of the ascending ``edges`` that is not above each value; NaN where none is.

    >>> last_edge(np.array([0.0, 4.0]), np.array([1.0, 3.0, 5.0])).tolist()
    [nan, 3.0]
    """
    places = np.searchsorted(edges, values, side="right") - 1
    found = np.where(places >= 0, edges[np.maximum(places, 0)].astype(float), np.nan)
    return np.where(np.isnan(values), np.nan, found)


def chances(metrics: pd.DataFrame, curve: pd.DataFrame, window_days: float) -> np.ndarray:
    """Look up each customer's chance to order within the window; NaN where it is not known.

    ``metrics`` has ``KNOWN``; ``curve`` are rows of ``version_curves`` of one version.
    """
    of_window = curve[curve["window_days"] == window_days]
    if of_window.empty:
        return np.full(len(metrics), np.nan)
    gaps = metrics["mean_gap_days"].to_numpy(dtype=float)
    reached = sum((gaps >= cut * window_days).astype(int) for cut in GAP_CUTS)
    cells = pd.MultiIndex.from_arrays(
        [
            last_edge(
                metrics["num_order_days"].to_numpy(dtype=float),
                np.sort(of_window["order_class"].unique()),
            ),
            np.where(np.isnan(gaps), 0, 1 + np.asarray(reached)).astype(float),
            last_edge(
                metrics["silence_days"].to_numpy(dtype=float),
                np.sort(of_window["silence_from"].unique()),
            ),
        ]
    )
    known = of_window.astype({"order_class": float, "gap_class": float, "silence_from": float})
    known = known.set_index(["order_class", "gap_class", "silence_from"])
    return known["repurchase_probability"].reindex(cells).to_numpy(dtype=float)


def lifecycle_stages(
    metrics: pd.DataFrame, curve: pd.DataFrame, limits: Mapping[str, float]
) -> pd.Series:
    """Give each customer a lifecycle stage: new, active, cooling, lapsed or unknown.

    ``metrics`` has ``KNOWN``; ``curve`` are rows of ``version_curves`` and ``limits`` those of
    ``claim_limits`` of one version, by name. Returns a series with the index of ``metrics``.
    """
    window = limits.get("repurchase_window_days", np.nan)
    chance = chances(metrics, curve, window)
    longer = np.fmax(chance, chances(metrics, curve, limits.get("longer_window_days", np.nan)))
    is_new = (metrics["num_order_days"] == 1) & (metrics["silence_days"] <= window)
    stages = np.select(
        [
            np.isnan(chance),
            is_new.to_numpy(dtype=bool),
            chance >= limits.get("min_active_probability", np.nan),
            longer < limits.get("max_lapsed_probability", np.nan),
        ],
        ["unknown", "new", "active", "lapsed"],
        "cooling",
    )
    return pd.Series(stages, index=metrics.index, dtype=object)
