"""How much segments foretell beside other ways: against libraries, and planted truths."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm, spearmanr
from sklearn.metrics import r2_score, roc_auc_score

from customer_segmentation.foresight import log_spend
from customer_segmentation.outcomes import (
    MAX_CUSTOMERS,
    add_intervals,
    mean_interval,
    share_interval,
)
from customer_segmentation.quality import Happened, compare_ways, foretold_by_number, measured


@pytest.fixture
def foretold() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    chance = rng.integers(1, 6, 400) / 6
    has_ordered = (rng.random(400) < chance).astype(float)
    revenue = np.where(has_ordered == 1, np.exp(3 * chance + rng.normal(size=400)), 0.0)
    return {
        "chance": chance,
        "spend": 3 * chance**2,
        "has_ordered": has_ordered,
        "revenue": revenue,
    }


def judged(foretold: dict[str, np.ndarray], fold: np.ndarray, weights: np.ndarray) -> np.ndarray:
    happened = Happened(foretold["has_ordered"], foretold["revenue"], fold, weights)
    return measured(foretold["chance"], foretold["spend"], happened)


def test_measures_are_those_of_the_libraries(foretold: dict[str, np.ndarray]) -> None:
    auc, spearman, r2 = judged(foretold, np.zeros(400, dtype=int), np.ones((1, 400)))[:, 0]
    assert auc == pytest.approx(roc_auc_score(foretold["has_ordered"], foretold["chance"]))
    assert spearman == pytest.approx(
        spearmanr(foretold["spend"], foretold["revenue"]).statistic, abs=1e-9
    )
    assert r2 == pytest.approx(r2_score(log_spend(foretold["revenue"]), foretold["spend"]))


def test_customers_drawn_twice_count_twice(foretold: dict[str, np.ndarray]) -> None:
    rng = np.random.default_rng(4)
    weights = rng.integers(0, 3, 400)
    drawn = np.repeat(np.arange(400), weights)
    fold = np.arange(400) % 3
    again = {name: values[drawn] for name, values in foretold.items()}
    assert judged(foretold, fold, weights[np.newaxis].astype(float)) == (
        pytest.approx(judged(again, fold[drawn], np.ones((1, len(drawn)))))
    )


def test_pairs_of_different_folds_are_not_compared() -> None:
    # Between folds the order is wrong, within them right.
    foretold = {
        "chance": np.array([0.1, 0.2, 0.8, 0.9]),
        "spend": np.zeros(4),
        "has_ordered": np.array([0.0, 1.0, 0.0, 1.0]),
        "revenue": np.array([0.0, 1.0, 0.0, 1.0]),
    }
    found = judged(foretold, np.array([0, 0, 1, 1]), np.ones((1, 4)))
    assert found[0, 0] == 1
    assert roc_auc_score(foretold["has_ordered"], foretold["chance"]) == 0.75


def customers(size: int = 1500) -> pd.DataFrame:
    """Customers of four kinds, whom the segments tell apart; RFM groups mix two of them."""
    rng = np.random.default_rng(5)
    kind = rng.integers(0, 4, size)
    has_ordered = rng.random(size) < np.array([0.05, 0.35, 0.65, 0.95])[kind]
    return pd.DataFrame(
        {
            "customer_id": [f"c{number:05}" for number in range(size)],
            "segment_id": kind.astype(str),
            "rfm_code": kind.astype(str),
            "rfm_group": (kind // 2).astype(str),
            "once_or_repeat_by_recency": rng.integers(0, 3, size).astype(str),
            "repurchase_probability": np.array([0.05, 0.35, 0.65, 0.95])[kind],
            "has_ordered_next": has_ordered,
            "revenue_next": has_ordered * np.exp(kind + rng.normal(size=size)),
            "days_since_last_order": -kind + rng.normal(size=size) / 5,
            "total_amount": rng.normal(size=size),
            "num_orders": 1.0,
            "avg_order_value": rng.normal(size=size),
            "own": rng.normal(size=size),
        }
    )


OWN = ["own", "num_orders"]


def test_segments_that_know_more_are_better_and_the_same_ones_level() -> None:
    rows = compare_ways(customers(), OWN, random_seed=1)
    said = rows.set_index(["way", "measure"])["segments_are"]
    assert set(said["rfm_groups"]) == {"better"}
    assert set(said["once_or_repeat_by_recency"]) == {"better"}
    assert set(said["rfm_cells"]) == {"level"}
    gains = rows.set_index(["way", "measure"])["gain_of_segments"]
    assert (gains["rfm_cells"] == 0).all()
    # Falling curves count as well as rising ones, and the best two columns stand there.
    assert set(rows["way"]) >= {"segments", "days_since_last_order", "repurchase_probability"}
    # What does not vary has no rank correlation.
    assert len(rows) == 3 * 7 - 1
    assert ("num_orders", "spearman") not in gains.index
    assert rows.set_index(["way", "measure"])["value"]["days_since_last_order", "auc"] > 0.8


def test_where_the_others_know_more_the_segments_are_worse() -> None:
    swapped = customers().rename(columns={"segment_id": "rfm_group", "rfm_group": "segment_id"})
    rows = compare_ways(swapped, OWN, random_seed=1).set_index("way")
    assert set(rows.loc["rfm_groups", "segments_are"]) == {"worse"}
    assert set(rows.loc["rfm_groups", "num_groups"]) == {4}


def test_intervals_hold_the_figure_and_shrink_with_the_customers() -> None:
    few, many = (compare_ways(customers(size), OWN, random_seed=1) for size in (400, 6400))
    for rows in (few, many):
        assert (rows["value"].between(rows["value_low"], rows["value_high"])).all()
    widths = [
        rows.loc[rows["way"] == "rfm_groups"].eval("gain_high - gain_low").mean()
        for rows in (few, many)
    ]
    assert 2.5 < widths[0] / widths[1] < 6


@pytest.mark.parametrize("ordered", [0, 4, 396, 400])
def test_where_nearly_all_did_the_same_nothing_is_compared(ordered: int) -> None:
    same = customers(400).assign(has_ordered_next=np.arange(400) < ordered)
    assert compare_ways(same, OWN, random_seed=1).empty


def test_a_number_that_says_nothing_foretells_the_mean() -> None:
    happened, fold = np.array([0.0, 1, 1, 2]), np.array([0, 0, 1, 1])
    assert foretold_by_number(np.ones(4), happened, fold).tolist() == [1.5, 1.5, 0.5, 0.5]


def test_the_interval_of_a_share_is_wilsons() -> None:
    z, share, size = norm.ppf(0.975), 0.3, 50
    middle = (share + z**2 / (2 * size)) / (1 + z**2 / size)
    half = z * np.sqrt(share * (1 - share) / size + z**2 / (4 * size**2)) / (1 + z**2 / size)
    assert share_interval(15, 50) == pytest.approx((middle - half, middle + half))


def test_the_interval_of_a_mean_is_as_wide_as_theory_says() -> None:
    values = np.random.default_rng(6).exponential(size=2000)
    low, high = mean_interval(values, values.mean(), 2000, 1)
    assert low < values.mean() < high
    assert high - low == pytest.approx(2 * 1.96 * values.std() / np.sqrt(2000), rel=0.15)
    # Of many customers some are asked, and the interval is as narrow as for all.
    many = np.random.default_rng(6).exponential(size=40_000)
    low, high = mean_interval(many[:MAX_CUSTOMERS], many.mean(), 40_000, 1)
    assert low < many.mean() < high
    assert high - low == pytest.approx(2 * 1.96 * many.std() / np.sqrt(40_000), rel=0.15)
    assert mean_interval(np.zeros(9), 0, 9, 1) == (0, 0)
    assert np.isnan(mean_interval(np.array([3.0]), 3, 1, 1)).all()


def test_each_segment_has_the_interval_of_its_own_customers() -> None:
    key = {"model_version": 1, "as_of_date": pd.Timestamp("2024-03-01")}
    counts = pd.DataFrame(
        [
            {**key, "segment_id": "1", "num_customers": 3, "num_ordered": 3, "revenue": 15},
            {**key, "segment_id": "2", "num_customers": 2, "num_ordered": 0, "revenue": 0},
        ]
    )
    revenues = pd.DataFrame(
        [{**key, "segment_id": segment, "revenue": value} for segment, value in
         [("1", 5.0), ("2", 0.0), ("1", 5.0), ("2", 0.0), ("1", 5.0)]]
    )  # fmt: skip
    rows = add_intervals(counts, revenues, random_seed=1)
    assert rows["revenue_per_customer_low"].tolist() == [5, 0]
    assert rows["revenue_per_customer_high"].tolist() == [5, 0]
    assert rows["share_ordered_high"].tolist() == [1, pytest.approx(0.657620)]
