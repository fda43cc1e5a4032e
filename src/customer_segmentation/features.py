"""Transforms and scaling that SQL can repeat: log1p or nothing, then (value - centre) / scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import skew
from sklearn.preprocessing import StandardScaler

SKEWNESS_LIMIT = 1.0
"""Above it a distribution is called highly skewed (Bulmer, Principles of Statistics, 1979)."""


@dataclass(frozen=True)
class FittedFeature:
    """How one feature becomes a coordinate: ``(transform(value) - centre) / scale``."""

    name: str
    transform: str
    """``log1p`` or ``none``."""
    centre: float
    scale: float

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Coordinates of raw values, in the same shape."""
        return (transformed(values, self.transform) - self.centre) / self.scale


def transformed(values: np.ndarray, transform: str) -> np.ndarray:
    """``values`` after ``log1p`` or ``none``."""
    return np.log1p(values) if transform == "log1p" else values


def choose_transform(values: np.ndarray) -> str:
    """``log1p`` for values that are highly skewed to the right and never negative, else ``none``.

    >>> choose_transform(np.array([1.0, 1, 2, 2, 3, 90]))
    'log1p'
    >>> choose_transform(np.array([1.0, 2, 3, 4, 5, 6]))
    'none'
    """
    if values.min() < 0 or np.ptp(values) == 0:
        return "none"
    return "log1p" if skew(values) > SKEWNESS_LIMIT else "none"


def fit_features(sample: pd.DataFrame, features: list[str]) -> list[FittedFeature]:
    """Choose each feature's transform and fit its scaling.

    ``sample`` holds one row per customer and a numeric column per feature. Centre and scale are
    the mean and the population standard deviation of the transformed values, as in scikit-learn's
    ``StandardScaler`` (a feature without variance keeps scale 1), rounded to 12 decimals because
    they are stored and everything after them is computed from the stored figures.
    """
    fitted = []
    for name in features:
        values = sample[name].to_numpy(dtype=float)
        transform = choose_transform(values)
        scaler = StandardScaler().fit(transformed(values, transform).reshape(-1, 1))
        fitted.append(
            FittedFeature(
                name,
                transform,
                centre=round(float(scaler.mean_[0]), 12),
                scale=round(float(scaler.scale_[0]), 12),
            )
        )
    return fitted


def coordinates(sample: pd.DataFrame, fitted: list[FittedFeature]) -> np.ndarray:
    """Scaled features, shape (customers, features)."""
    return np.column_stack([f.apply(sample[f.name].to_numpy(dtype=float)) for f in fitted])
