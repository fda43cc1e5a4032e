"""Features: the transform, the scaling and the selection that the table states, and why."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.stats import skew
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler

from customer_segmentation.features import (
    choose_transform,
    coordinates,
    describe_features,
    limits_of,
    scaling,
    select_features,
    variance_inflation,
)

SKEWED = np.random.RandomState(0).gamma(2, size=2000)
SKEWNESS = float(skew(SKEWED))
METRICS = ["total_amount", "num_orders", "avg_order_value", "days_since_last_order"]


def shop(customers: int = 800, random_seed: int = 0) -> pd.DataFrame:
    """Orders, average and recency are independent; the total is orders times average."""
    random = np.random.RandomState(random_seed)
    orders = np.ceil(random.lognormal(1.5, 0.9, customers))
    average = random.lognormal(4, 0.6, customers)
    return pd.DataFrame(
        {
            "total_amount": orders * average,
            "num_orders": orders,
            "avg_order_value": average,
            "days_since_last_order": random.randint(1, 400, customers),
        }
    )


def described(sample: pd.DataFrame, **changes: object) -> pd.DataFrame:
    settings: dict[str, object] = {
        "candidate_features": METRICS,
        "selected_features": None,
        "feature_transforms": {},
        "feature_limits": {},
        "scaler": "standard",
        "max_skewness": 1,
        "max_variance_inflation": 10,
    }
    return describe_features(sample, **(settings | changes)).set_index("feature")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "transform"),
    [
        (np.random.RandomState(0).lognormal(size=500), "log1p"),
        (np.random.RandomState(0).normal(50, 5, size=500), "none"),
        (-np.random.RandomState(0).lognormal(size=500), "none"),
        (np.random.RandomState(0).lognormal(size=500) - 5, "none"),
        (np.full(500, 3.0), "none"),
    ],
    ids=["skewed", "symmetric", "skewed to the left", "negative", "constant"],
)
def test_transform_is_chosen_by_skewness(values: np.ndarray, transform: str) -> None:
    assert choose_transform(values, 1) == transform


@pytest.mark.parametrize(
    ("max_skewness", "before", "transform"),
    [
        (SKEWNESS + 0.1, "log1p", "log1p"),
        (SKEWNESS - 0.1, "none", "none"),
        (SKEWNESS + 0.6, "log1p", "none"),
        (SKEWNESS - 0.6, "none", "log1p"),
    ],
    ids=["just below keeps", "just above keeps", "far below changes", "far above changes"],
)
def test_a_refit_changes_a_transform_only_for_a_clear_reason(
    max_skewness: float, before: str, transform: str
) -> None:
    assert choose_transform(SKEWED, max_skewness, before) == transform


@pytest.mark.parametrize(
    ("name", "scaler"),
    [("standard", StandardScaler()), ("robust", RobustScaler()), ("minmax", MinMaxScaler())],
)
def test_scaling_is_that_of_scikit_learn(name: str, scaler: object) -> None:
    values = np.random.RandomState(0).lognormal(size=300)
    centre, scale = scaling(values, name)
    expected = scaler.fit_transform(values.reshape(-1, 1)).ravel()  # type: ignore[attr-defined]
    np.testing.assert_allclose((values - centre) / scale, expected, atol=1e-9)


@pytest.mark.parametrize("scaler", ["standard", "robust", "minmax"])
def test_a_constant_feature_has_scale_one(scaler: str) -> None:
    assert scaling(np.full(10, 3.0), scaler) == (3.0, 1.0)


def test_variance_inflation_is_that_of_the_regressions() -> None:
    values = np.log1p(shop())
    factors = variance_inflation(values)
    for column in values:
        others = values.drop(columns=column).assign(one=1.0)
        residuals = values[column] - others @ np.linalg.lstsq(others, values[column])[0]
        explained = 1 - residuals.var() / values[column].var()
        assert factors[column] == pytest.approx(1 / (1 - explained), rel=1e-6)


def test_variance_inflation_is_infinite_for_what_the_others_determine() -> None:
    values = shop()[["num_orders", "avg_order_value"]].assign(twice=lambda f: 2 * f["num_orders"])
    factors = variance_inflation(values)
    assert factors["twice"] == factors["num_orders"] == np.inf
    assert factors["avg_order_value"] < 2


def test_the_total_goes_first_and_says_why() -> None:
    features = described(shop())
    assert list(features.index[features["is_selected"]]) == METRICS[1:]
    assert features.loc["total_amount", "variance_inflation"] > 10
    assert "above 10" in features.loc["total_amount", "reason"]


def test_without_the_total_the_largest_inflation_goes() -> None:
    values = np.log1p(shop()).drop(columns="total_amount")
    values["copy"] = values["num_orders"] + np.random.RandomState(1).normal(0, 0.01, len(values))
    kept, reasons = select_features(values, 10)
    assert len(reasons) == 1
    assert set(reasons) <= {"copy", "num_orders"}
    assert len(kept) == 3


def test_names_and_transforms_can_be_given() -> None:
    features = described(
        shop(),
        selected_features=["total_amount", "days_since_last_order"],
        feature_transforms={"days_since_last_order": "log1p", "total_amount": "none"},
    )
    assert list(features.index[features["is_selected"]]) == [
        "total_amount",
        "days_since_last_order",
    ]
    assert features.loc["days_since_last_order", "transform"] == "log1p"
    assert features.loc["total_amount", "transform"] == "none"
    assert features.loc["num_orders", "reason"] == "not in selected_features"


def test_limits_are_values_that_customers_have_in_any_order() -> None:
    values = np.array([5.0, 1, 2, 2, 3, 8, 13, 21, 34, 55])
    for order in (values, values[::-1]):
        assert limits_of(order, [0.1, 0.9]) == (1.0, 34.0)
        assert limits_of(order, [0.11, 0.85]) == (2.0, 34.0)
        assert limits_of(order, [0, 1]) == (1.0, 55.0)
    np.testing.assert_array_equal(limits_of(values, [None, 0.5]), [np.nan, 5.0])
    np.testing.assert_array_equal(limits_of(values, None), [np.nan, np.nan])


def test_everything_but_the_deciles_is_of_the_winsorised_values() -> None:
    sample = shop()
    sample.loc[0, "avg_order_value"] = 1e6
    limits = {"avg_order_value": [0.05, 0.9], "num_orders": [None, 0.8]}
    features = described(sample, feature_limits=limits)
    by_hand = sample.assign(
        **{
            name: sample[name].clip(
                *(features.loc[name, side] for side in ("lower_limit", "upper_limit"))
            )
            for name in limits
        }
    )
    assert by_hand["avg_order_value"].max() < 1000
    expected = described(by_hand)
    columns = ["transform", "skewness", "centre", "scale", "variance_inflation", "is_selected"]
    pd.testing.assert_frame_equal(features[columns], expected[columns], check_exact=True)
    assert (
        features.loc["avg_order_value", "centre"]
        != described(sample).loc["avg_order_value", "centre"]
    )
    of_drift = ["deciles", "decile_shares"]
    pd.testing.assert_frame_equal(features[of_drift], described(sample)[of_drift])
    none = features.loc[["total_amount", "days_since_last_order"]]
    assert none[["lower_limit", "upper_limit"]].isna().all(axis=None)
    assert np.isnan(features.loc["num_orders", "lower_limit"])

    points = coordinates(sample, features.reset_index())
    np.testing.assert_array_equal(points, coordinates(by_hand, expected.reset_index()))
    jittered = coordinates(sample, features.reset_index(), random_seed=1)
    selected = list(features.index[features["is_selected"]])
    orders = selected.index("num_orders")
    # Nobody is jittered beyond a limit.
    assert jittered[:, orders].max() == points[:, orders].max()


def test_without_a_scaler_coordinates_are_the_transformed_values() -> None:
    sample = shop()
    features = described(sample, scaler="none", selected_features=["days_since_last_order"])
    assert (features["centre"] == 0).all()
    assert (features["scale"] == 1).all()
    assert features.loc["days_since_last_order", "transform"] == "none"
    points = coordinates(sample, features.reset_index())
    np.testing.assert_array_equal(points, sample[["days_since_last_order"]])


def test_deciles_divide_the_sample() -> None:
    features = described(shop())
    assert len(json.loads(features.loc["avg_order_value", "deciles"])) == 9
    shares = json.loads(features.loc["avg_order_value", "decile_shares"])
    np.testing.assert_allclose(shares, np.full(10, 0.1), atol=0.01)
    few = json.loads(features.loc["num_orders", "deciles"])
    assert len(few) == len(set(few)) < 9
    assert sum(json.loads(features.loc["num_orders", "decile_shares"])) == pytest.approx(1)


def test_coordinates_use_what_the_table_states() -> None:
    sample = shop()
    features = described(sample).reset_index()
    points = coordinates(sample, features)
    assert points.shape == (len(sample), 3)
    np.testing.assert_allclose(points.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(points.std(axis=0), 1, atol=1e-9)


def test_only_whole_numbers_are_jittered() -> None:
    sample = shop()
    features = described(sample).reset_index()
    points, jittered = coordinates(sample, features), coordinates(sample, features, random_seed=1)
    selected = list(features.loc[features["is_selected"], "feature"])
    moved = dict(zip(selected, (points != jittered).all(axis=0), strict=True))
    assert moved == {
        "num_orders": True,
        "avg_order_value": False,
        "days_since_last_order": True,
    }
    np.testing.assert_array_equal(jittered, coordinates(sample, features, random_seed=1))
