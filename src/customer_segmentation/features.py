"""Which metrics the clustering looks at, and how they become coordinates that SQL can repeat.

A coordinate is ``(transform(value) - centre) / scale`` of the value within its limits, with log1p
or no transform, so every scaler used is affine.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import skew
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler

from customer_segmentation.stages import EVERY_STAGE, EVERYBODY

SUMS_OF_OTHERS = ("total_amount",)
"""Metrics that go first when features are collinear: the log of the total is nearly the sum of the
logs of orders and average."""


def transformed(values: np.ndarray, transform: str) -> np.ndarray:
    """``values`` after ``log1p`` or ``none``."""
    return np.log1p(values) if transform == "log1p" else values


LOGGED_IN_STAGES = ("total_amount", "num_orders", "days_since_last_order")
"""Metrics that are logged within a lifecycle stage, however skewed they are there: twice as much is
the same step everywhere. Of everybody the skewness decides: logged days blur groups of customers
who left at different times."""

SAID_BY_STAGES = {
    "days_since_last_order": "left out: the lifecycle stage says how long ago they ordered",
    "avg_order_value": "left out: the total and the number of orders say it, and foretell more",
}
"""Why features that everybody is told apart by are left out within a lifecycle stage."""


def limits_of(values: np.ndarray, quantiles: Sequence[float | None] | None) -> tuple[float, float]:
    """Least and largest value of a feature that is winsorised at two ``quantiles``.

    A quantile is the least of the ``values`` that at least so large a share of them does not exceed
    (inverse of the empirical distribution function, type 1 of Hyndman and Fan 1996): a limit is a
    value that some customer has. NaN is no limit, as None is no quantile.

    >>> limits_of(np.array([1.0, 2, 3, 90]), [None, 0.75])
    (nan, 3.0)
    """
    lower, upper = (
        float("nan")
        if quantile is None
        else round(float(np.quantile(values, quantile, method="inverted_cdf")), 12)
        for quantile in quantiles or (None, None)
    )
    return lower, upper


def winsorised(values: np.ndarray, lower: float, upper: float) -> np.ndarray:
    """``values``, those beyond a limit moved onto it (Tukey 1962); a limit of NaN is none.

    A missing value stays missing: it is not known to be beyond anything.

    >>> winsorised(np.array([1.0, 90.0, np.nan]), np.nan, 30.0).tolist()
    [1.0, 30.0, nan]
    """
    within: np.ndarray = np.clip(
        values, -np.inf if np.isnan(lower) else lower, np.inf if np.isnan(upper) else upper
    )
    return within


STICKINESS = 0.5
"""How far beyond the limit the skewness must be before a refit changes a feature's transform."""


def choose_transform(values: np.ndarray, max_skewness: float, before: str | None = None) -> str:
    """``log1p`` for values that are skewed to the right and never negative, else ``none``.

    Above a skewness of 1 a distribution is called highly skewed (Bulmer, Principles of Statistics,
    1979). A refit keeps the transform that the version ``before`` had while the skewness is within
    ``STICKINESS`` of the limit: a skewness that drifts across it would put everybody into another
    space, and no cluster would be recognised.

    >>> choose_transform(np.array([1.0, 1, 2, 2, 3, 90]), 1)
    'log1p'
    >>> choose_transform(np.array([1.0, 2, 3, 4, 5, 6]), 1)
    'none'
    """
    if values.min() < 0 or np.ptp(values) == 0:
        return "none"
    skewness = skew(values)
    if before is not None and abs(skewness - max_skewness) <= STICKINESS:
        return before
    return "log1p" if skewness > max_skewness else "none"


def scaling(values: np.ndarray, scaler: str) -> tuple[float, float]:
    """Centre and scale of transformed values as scikit-learn's scaler fits them.

    ``standard``: mean and standard deviation; ``robust``: median and interquartile range;
    ``minmax``: least value and range; ``none``: 0 and 1. Without spread the scale is 1. Rounded to
    12 decimals, because they are stored and everything after them is computed from the stored
    figures.
    """
    if scaler == "none":
        return 0.0, 1.0
    column = values.reshape(-1, 1)
    if scaler == "minmax":
        minmax = MinMaxScaler().fit(column)
        centre, scale = minmax.data_min_[0], 1 / minmax.scale_[0]
    elif scaler == "robust":
        robust = RobustScaler().fit(column)
        centre, scale = robust.center_[0], robust.scale_[0]
    else:
        standard = StandardScaler().fit(column)
        centre, scale = standard.mean_[0], standard.scale_[0]
    return round(float(centre), 12), round(float(scale), 12)


def variance_inflation(values: pd.DataFrame) -> pd.Series:
    """Variance inflation factor of each column: the diagonal of the inverse correlation matrix.

    1 for a column that the others say nothing about; infinite for one that they determine. A
    column without variance has 1.
    """
    varying = values.loc[:, values.std(ddof=0) > 0]
    factors = pd.Series(1.0, index=values.columns)
    if varying.shape[1] > 1:
        correlation = np.corrcoef(varying.to_numpy(dtype=float), rowvar=False)
        if np.linalg.cond(correlation) > 1e12:
            singular = np.linalg.eigh(correlation)[1][:, 0]
            inverse = np.diag(np.linalg.pinv(correlation))
            factors[varying.columns] = np.where(np.abs(singular) > 1e-6, np.inf, inverse)
        else:
            factors[varying.columns] = np.diag(np.linalg.inv(correlation))
    return factors


def select_features(
    values: pd.DataFrame, limit: float, *, in_stages: bool = False
) -> tuple[list[str], dict[str, str]]:
    """Leave out features until no variance inflation factor is above ``limit``.

    ``values`` are transformed, a column per feature. Metrics that are sums of others go first
    (``SUMS_OF_OTHERS``), then the largest factor, the last name if equal; ``in_stages`` the shop's
    own features before the total and the number of orders. Returns the features that remain, in
    their order, and a reason for each that was left out.
    """
    remaining = list(values.columns)
    reasons: dict[str, str] = {}
    while len(remaining) > 1:
        factors = variance_inflation(values[remaining])
        if factors.max() <= limit:
            break
        sums = [] if in_stages else [name for name in SUMS_OF_OTHERS if name in remaining]
        own = [name for name in remaining if name not in LOGGED_IN_STAGES]
        leaving = own if in_stages and own else remaining
        out = sums[0] if sums else max(leaving, key=lambda feature: (factors[feature], feature))
        others = [feature for feature in remaining if feature != out]
        largest = "infinite" if np.isinf(factors.max()) else f"{factors.max():.1f}"
        reasons[out] = (
            f"left out: beside {', '.join(others)} the largest variance inflation is {largest},"
            f" above {limit:g}; this one says the least of its own"
        )
        remaining = others
    return remaining, reasons


def describe_features(
    sample: pd.DataFrame,
    *,
    candidate_features: Sequence[str],
    selected_features: Sequence[str] | None,
    feature_transforms: Mapping[str, str],
    feature_limits: Mapping[str, Sequence[float | None]],
    scaler: str,
    max_skewness: float,
    max_variance_inflation: float,
    before: pd.DataFrame | None = None,
    always_logged: Collection[str] = (),
    in_stages: bool = False,
) -> pd.DataFrame:
    """Decide transforms, scaling and selection of the candidate features.

    ``sample`` holds one row per customer and a numeric column per candidate.
    ``selected_features`` names the features to use; None leaves out the collinear ones, and
    ``in_stages`` before them what the stages say (``SAID_BY_STAGES``).
    ``feature_transforms`` (feature: ``none`` or ``log1p``) overrides what the skewness says, and
    what is ``always_logged``. ``feature_limits`` (feature: two quantiles, see ``limits_of``)
    winsorises before all else. ``before`` are rows of ``clustering_features`` of the version
    before, if there is one; see ``choose_transform``. Returns the columns of
    ``clustering_features`` but the version and the stage, one row per candidate. ``deciles`` are
    the edges between tenths of the raw values, as a JSON list, and ``decile_shares`` the shares of
    customers between them, against which drift is measured.
    """
    raw = sample[list(candidate_features)].astype(float)
    limits = {
        name: limits_of(raw[name].to_numpy(), feature_limits.get(name))
        for name in candidate_features
    }
    within = {name: winsorised(raw[name].to_numpy(), *limits[name]) for name in candidate_features}
    earlier = (
        {} if before is None else dict(zip(before["feature"], before["transform"], strict=True))
    )
    chosen = {
        name: feature_transforms.get(name)
        or choose_transform(
            within[name],
            -np.inf if name in always_logged else max_skewness,
            earlier.get(name),
        )
        for name in candidate_features
    }
    values = pd.DataFrame(
        {name: transformed(within[name], chosen[name]) for name in candidate_features}
    )
    all_factors = variance_inflation(values)
    if selected_features is not None:
        kept, reasons = list(selected_features), {}
        why = "kept: named in selected_features"
    elif in_stages:
        reasons = said_by_stages(candidate_features)
        standing = [name for name in candidate_features if name not in reasons]
        kept, others = select_features(values[standing], max_variance_inflation, in_stages=True)
        reasons |= others
        why = "kept: the lifecycle stage does not say it"
    else:
        kept, reasons = select_features(values, max_variance_inflation)
        why = "kept: no variance inflation above the limit among the features kept"
    rows = []
    for name in candidate_features:
        centre, scale = scaling(values[name].to_numpy(), scaler)
        edges = sorted(set(np.quantile(raw[name], np.arange(1, 10) / 10).round(6).tolist()))
        # Values equal to an edge lie above it, as SQL counts them.
        bins = np.searchsorted(edges, raw[name].round(6), side="right")
        shares = np.bincount(bins, minlength=len(edges) + 1) / len(raw)
        factor = float(all_factors[name])
        rows.append(
            {
                "feature": name,
                "lower_limit": limits[name][0],
                "upper_limit": limits[name][1],
                "transform": chosen[name],
                "skewness": round(float(skew(within[name])), 6)
                if np.ptp(within[name]) > 0
                else 0.0,
                "centre": centre,
                "scale": scale,
                "variance_inflation": round(factor, 4) if np.isfinite(factor) else factor,
                "is_selected": name in kept,
                "reason": why if name in kept else reasons.get(name, "not in selected_features"),
                "deciles": json.dumps(edges),
                "decile_shares": json.dumps(shares.round(12).tolist()),
            }
        )
    return pd.DataFrame(rows)


def said_by_stages(candidate_features: Sequence[str]) -> dict[str, str]:
    """Find the candidates that are left out within lifecycle stages, with the reason.

    The average stays where total or number of orders is no candidate; something always stays.

    >>> list(said_by_stages(["num_orders", "avg_order_value", "days_since_last_order"]))
    ['days_since_last_order']
    """
    total_and_orders = {"total_amount", "num_orders"} <= set(candidate_features)
    left_out = {
        name: reason
        for name, reason in SAID_BY_STAGES.items()
        if name in candidate_features and (name != "avg_order_value" or total_and_orders)
    }
    return left_out if len(left_out) < len(candidate_features) else {}


def describe_feature_sets(
    sample: pd.DataFrame,
    *,
    segmentation: str,
    before: pd.DataFrame,
    **settings: Any,
) -> pd.DataFrame:
    """Describe the features for everybody and, where stages can be made, within the stages.

    ``sample`` has ``lifecycle_stage`` beside the candidates; ``segmentation`` is the var;
    ``before`` rows of ``clustering_features`` of the version before; ``settings`` those of
    ``describe_features``. Within stages ``LOGGED_IN_STAGES`` are logged, and all stages share one
    scaling, since inertia is compared between them. Returns the columns of ``clustering_features``
    but the version.
    """

    def described(stage: str, **how: Any) -> pd.DataFrame:
        rows = before[before["stage"] == stage]
        earlier = rows if len(rows) else None
        return describe_features(sample, before=earlier, **how, **settings).assign(stage=stage)

    everybody = described(EVERYBODY)
    if segmentation == "plain" or (sample["lifecycle_stage"] == "unknown").all():
        return everybody
    in_stages = described(EVERY_STAGE, always_logged=LOGGED_IN_STAGES, in_stages=True)
    return pd.concat([everybody, in_stages], ignore_index=True)


def jittered(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Spread whole numbers evenly over their step, so that ties are not taken for modes.

    ``values`` are raw whole numbers (orders, days), of any shape, before ``log1p`` and scaling.
    Each moves by less than 0.5 to either side: a 1 becomes anything from 0.5 to 1.5, so rounding
    gives the values back. The dip test assumes a continuous distribution; without this it finds
    a mode in every whole number that many customers share.

    >>> jittered(np.array([1, 1, 2]), np.random.default_rng(0)).round().tolist()
    [1.0, 1.0, 2.0]
    """
    return values + rng.uniform(-0.5, 0.5, size=np.shape(values))


def scaled(values: np.ndarray, feature: Mapping[Any, Any]) -> np.ndarray:
    """Coordinate of raw values: a row of the features gives limits, transform, centre and scale.

    >>> limits = {"lower_limit": np.nan, "upper_limit": 5.0}
    >>> row = {**limits, "transform": "none", "centre": 3.0, "scale": 2.0}
    >>> scaled(np.array([3.0, 7.0]), row).tolist()
    [0.0, 1.0]
    """
    within = winsorised(values, feature["lower_limit"], feature["upper_limit"])
    coordinate: np.ndarray = (
        transformed(within, feature["transform"]) - feature["centre"]
    ) / feature["scale"]
    return coordinate


def coordinates(
    sample: pd.DataFrame, features: pd.DataFrame, *, random_seed: int | None = None
) -> np.ndarray:
    """Coordinates of the selected features, shape (customers, selected features).

    ``features`` are rows of ``clustering_features``. With a ``random_seed``, values of features
    that are all whole numbers are ``jittered`` first; limits hold after that, too.
    """
    columns: list[np.ndarray] = []
    for row in features[features["is_selected"]].to_dict("records"):
        values = sample[row["feature"]].to_numpy(dtype=float)
        if random_seed is not None and (values == np.round(values)).all():
            rng = np.random.default_rng([random_seed, len(columns)])
            values = jittered(values, rng)
        columns.append(scaled(values, row))
    return np.column_stack(columns)
