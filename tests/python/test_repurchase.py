"""The repurchase curve: exact counts, pooled, never rising; and what a version keeps of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from conftest import QUICK, Build, build_models
from sklearn.isotonic import IsotonicRegression

CELL = ["window_days", "order_class", "gap_class", "silence_from"]
CUTS = np.array([0.125, 0.25, 0.5, 1, 2])


@pytest.fixture(scope="module")
def spells(sample_build: Build) -> pd.DataFrame:
    """Each day with a positive net amount: orders so far, own mean gap, gap to the next, age."""
    days = sample_build.query(
        """
        select customer_id, cast(ordered_at as date) as day, sum(amount) as amount
        from staging.stg_order_lines where exclusion_reason is null
        group by all having sum(amount) > 0 order by all
        """
    )
    as_of = pd.Timestamp(sample_build.value("select as_of_date from staging.as_of"))
    group = days.groupby("customer_id")["day"]
    position = group.cumcount() + 1
    so_far = (days["day"] - group.transform("min")).dt.days
    return pd.DataFrame(
        {
            "orders": position,
            "mean_gap": so_far / (position - 1).where(position > 1),
            "gap": (group.shift(-1) - days["day"]).dt.days,
            "observed": (as_of - days["day"]).dt.days,
        }
    )


@pytest.fixture(scope="module")
def curve(sample_build: Build) -> pd.DataFrame:
    return sample_build.query(
        f"from metrics.repurchase_curve semi join staging.as_of using (as_of_date)"
        f" order by {', '.join(CELL)}"
    )


def counted(spells: pd.DataFrame, window: int, edges: list[int]) -> pd.DataFrame:
    """Day by day: who was silent that long with a whole window known, and who ordered within."""
    orders = np.array([1, 2, 3, 5, 10, 20, 50])
    rows: dict[tuple[int, int, int], np.ndarray] = {}
    for spell in spells.itertuples():
        order_class = int(orders[np.searchsorted(orders, spell.orders, "right") - 1])
        gap_class = (
            0
            if np.isnan(spell.mean_gap)
            else 1 + int(np.searchsorted(CUTS * window, spell.mean_gap, "right"))
        )
        gap = np.inf if np.isnan(spell.gap) else spell.gap
        for day in range(1, spell.observed - window + 1):
            if day > gap:
                break
            edge = edges[int(np.searchsorted(edges, day, "right")) - 1]
            ordered = gap <= day + window - 1
            counts = rows.setdefault((order_class, gap_class, edge), np.zeros(5, dtype=int))
            counts += [
                day == edge,
                1,
                ordered,
                day == spell.observed - window,
                ordered and day == spell.observed - window,
            ]
    names = [
        "num_at_risk",
        "days_at_risk",
        "days_followed",
        "num_a_window_ago",
        "num_ordered_since",
    ]
    index = pd.MultiIndex.from_tuples(list(rows), names=CELL[1:])
    return pd.DataFrame(list(rows.values()), index=index, columns=names)


@pytest.mark.parametrize("window", [30, 365])
def test_counts_are_those_of_a_walk_day_by_day(
    spells: pd.DataFrame, curve: pd.DataFrame, window: int
) -> None:
    measured = curve[curve["window_days"] == window].set_index(CELL[1:])
    edges = sorted(measured.index.unique("silence_from"))
    assert edges[0] == 1
    expected = counted(spells.sample(frac=1, random_state=1), window, edges)
    assert len(expected) > 60
    expected = expected.reindex(measured.index, fill_value=0)
    pd.testing.assert_frame_equal(measured[list(expected)], expected, check_dtype=False)


def pooled(cells: pd.DataFrame) -> pd.Series:
    """The chance of each cell of one window, without the rule that it never rises."""
    counts = ["num_at_risk", "days_at_risk", "days_followed"]

    def share(sums: pd.DataFrame) -> pd.Series:
        return (sums["days_followed"] / sums["days_at_risk"]).fillna(0)

    of_all = cells.groupby("silence_from")[counts].sum()
    seen = share(of_all).where(of_all["num_at_risk"] >= 20).ffill()
    by_orders = cells.groupby(["order_class", "silence_from"])[counts].sum()
    coarse = (
        by_orders["num_at_risk"] * share(by_orders)
        + 20 * seen.reindex(by_orders.index.get_level_values("silence_from")).to_numpy()
    ) / (by_orders["num_at_risk"] + 20)
    parent = coarse.reindex(
        pd.MultiIndex.from_frame(cells[["order_class", "silence_from"]])
    ).to_numpy()
    return (cells["num_at_risk"] * share(cells) + 20 * parent) / (cells["num_at_risk"] + 20)


def test_chances_are_drawn_towards_coarser_classes_and_never_rise(curve: pd.DataFrame) -> None:
    assert curve["window_days"].nunique() == 7
    for _, cells in curve.groupby("window_days"):
        raw = pooled(cells).round(6)
        rises = 0
        for _, cell in cells.assign(raw=raw).groupby(["order_class", "gap_class"]):
            falling = IsotonicRegression(increasing=False).fit_transform(
                np.arange(len(cell)), cell["raw"], sample_weight=cell["num_at_risk"] + 1
            )
            np.testing.assert_allclose(cell["repurchase_probability"], falling, atol=2e-6)
            assert (cell["repurchase_probability"].diff().dropna() <= 0).all()
            rises += int((cell["raw"].diff() > 0).sum())
        assert rises, "so the rule has something to do"


def test_silence_alone_never_improves_a_stage(sample_build: Build) -> None:
    """Every class of the frozen curves, as the days go by without an order."""
    curves = sample_build.query("from clustering.version_curves")
    short, long = (
        curves[curves["window_days"] == window].set_index(CELL[1:])["repurchase_probability"]
        for window in (60, 90)
    )
    ranks = []
    for order_class, gap_class in short.index.droplevel("silence_from").unique():
        for longer_gap in {0} if gap_class == 0 else set(range(1, 7)):
            near, far = short[order_class, gap_class], long[order_class, longer_gap]
            stages = []
            for day in range(1, 700):
                chance = near[near.index <= day].iloc[-1]
                longer = max(chance, far[far.index <= day].iloc[-1])
                stages.append(0 if chance >= 0.5 else 2 if longer < 0.2 else 1)
            assert stages == sorted(stages)
            ranks.append(tuple(sorted(set(stages))))
    assert {0, 1, 2} == set().union(*ranks)


def test_the_window_is_the_one_that_half_of_the_orders_are_followed_in(
    sample_build: Build, spells: pd.DataFrame
) -> None:
    windows = sample_build.query("from metrics.repurchase_windows").set_index("window_days")
    history = spells["observed"].max()
    assert set(windows["history_days"]) == {history}
    can_be = [window for window in windows.index if history >= 3 * window]
    assert 0 < len(can_be) < len(windows)
    picked = windows.index[windows["is_window"]].tolist()
    assert picked == [min(can_be, key=lambda w: abs(windows["followed_share"][w] - 0.5))] == [60]
    assert windows.index[windows["is_longer_window"]].tolist() == [90]
    old = spells[spells["observed"] >= 60]
    customer = (old["orders"] == 1).cumsum()
    followed = (old["gap"] <= 60).groupby(customer).mean().mean()
    assert windows["followed_share"][60] == pytest.approx(followed, abs=1e-6)
    assert windows["num_at_risk"][60] == (spells["observed"] > 60).sum()


def test_what_was_foretold_a_window_ago_is_compared_with_what_happened(
    sample_build: Build, spells: pd.DataFrame, curve: pd.DataFrame
) -> None:
    """Tenths of the customers of then, each class and silence in the tenth of its middle one."""
    cells = curve[(curve["window_days"] == 60) & (curve["num_a_window_ago"] > 0)]
    ordered = cells.sort_values(["repurchase_probability", *CELL[1:]])
    size = ordered["num_a_window_ago"].to_numpy()
    middle = np.cumsum(size) - size / 2
    grouped = ordered.assign(
        tenth=1 + np.floor(10 * middle / size.sum()).astype(int),
        foretold=ordered["repurchase_probability"] * size,
    ).groupby("tenth")[["num_a_window_ago", "num_ordered_since", "foretold"]]
    expected = grouped.sum()
    found = sample_build.query("from clustering.curve_calibration order by decile")
    then = spells[
        (spells["observed"] > 60)
        & (spells["gap"].isna() | (spells["gap"] >= spells["observed"] - 60))
    ]
    assert found["num_customers"].sum() == len(then) > 900
    assert found["decile"].tolist() == expected.index.tolist()
    assert len(found) >= 8
    assert found["num_customers"].tolist() == expected["num_a_window_ago"].tolist()
    for share, count in (("foretold_share", "foretold"), ("ordered_share", "num_ordered_since")):
        shares = expected[count] / expected["num_a_window_ago"]
        np.testing.assert_allclose(found[share], shares, atol=1e-6)
    error = (found["foretold_share"] - found["ordered_share"]).abs() * found["num_customers"]
    assert found["mean_error"].tolist() == pytest.approx(
        [error.sum() / len(then)] * len(found), abs=2e-6
    )


# ---- A version keeps its curve


def versions(build: Build) -> list[tuple[int, str, int]]:
    rows = build.query(
        "from clustering.model_versions where purpose = 'serves' order by model_version"
    )
    columns = ["model_version", "due_because", "curve_version"]
    return list(rows[columns].itertuples(index=False, name=None))


def frozen(build: Build, version: int) -> tuple[pd.DataFrame, dict[str, float]]:
    """Curve and limits of a version."""
    curve = build.query(
        f"select * exclude (model_version) from clustering.version_curves"
        f" where model_version = {version} order by all"
    )
    limits = build.query(f"from clustering.claim_limits where model_version = {version}")
    return curve, dict(zip(limits["limit_name"], limits["limit_value"], strict=True))


def test_a_refit_keeps_the_curve_until_it_is_asked_changed_or_out_of_date(tmp_path: Path) -> None:
    def again(**variables: Any) -> Build:
        selection = ("--select", "path:models/clustering") if database.exists() else ()
        built = build_models(database, QUICK | {"segment_count": 4} | variables, *selection)
        assert built.success, built.log
        return built

    database = tmp_path / "shop.duckdb"
    first = again()
    assert versions(first) == [(1, "first build", 1)]
    curve, limits = frozen(first, 1)
    assert set(curve["window_days"]) == {60, 90}
    assert limits["repurchase_window_days"] == 60

    with duckdb.connect(str(database)) as connection:
        connection.sql(
            "update clustering.claim_limits set limit_value = 7"
            " where limit_name = 'top_total_amount'"
        )
    kept = again(refit=True)
    assert versions(kept)[1:] == [(2, "refit", 1)]
    kept_curve, kept_limits = frozen(kept, 2)
    pd.testing.assert_frame_equal(kept_curve, curve)
    assert kept_limits == limits | {"top_total_amount": 7}

    anew = again(refit="anew")
    assert versions(anew)[2:] == [(3, "refit, the curve too as asked", 3)]
    assert frozen(anew, 3)[1] == limits

    changed = again(max_lapsed_probability=0.1)
    assert versions(changed)[3:] == [
        (4, "settings changed, the curve too as its settings changed", 4)
    ]
    assert frozen(changed, 4)[1] == limits | {"max_lapsed_probability": 0.1}

    # A curve that gives nobody a chance foretells badly.
    with duckdb.connect(str(database)) as connection:
        connection.sql("update clustering.version_curves set repurchase_probability = 0.0")
    wrong = again(max_lapsed_probability=0.1)
    assert len(versions(wrong)) == 4, "by itself that is no reason for a fit"
    assert wrong.value("select bool_and(is_out_of_date) from clustering.curve_calibration")
    assert set(wrong.query("from clustering.customer_clusters")["lifecycle_stage"]) == {
        "new",
        "lapsed",
    }
    mended = again(max_lapsed_probability=0.1, refit=True)
    assert versions(mended)[4:] == [(5, "refit, the curve too as it was out of date", 5)]
    pd.testing.assert_frame_equal(frozen(mended, 5)[0], curve)
    assert not mended.value("select bool_or(is_out_of_date) from clustering.curve_calibration")
