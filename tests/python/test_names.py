"""Names on whole shops: true of their members, and none where there is nothing to say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from conftest import QUICK, Build, build_models, run_dbt

COLUMNS = {"customer_id": "customer", "order_id": "number", "ordered_at": "day", "amount": "amount"}


def shop(customers: np.ndarray, days: np.ndarray, amounts: np.ndarray) -> pd.DataFrame:
    """Orders, one a row."""
    return pd.DataFrame(
        {
            "customer": [f"C{customer:04d}" for customer in customers],
            "number": [f"O{number}" for number in range(len(customers))],
            "day": (pd.Timestamp("2024-01-01") + pd.to_timedelta(days, "D")).strftime("%Y-%m-%d"),
            "amount": amounts.round(2),
        }
    )


def nobody_twice(rng: np.random.Generator) -> pd.DataFrame:
    return shop(np.arange(400), rng.integers(0, 500, 400), rng.lognormal(3, 1, 400))


def three_plans(rng: np.random.Generator) -> pd.DataFrame:
    """Subscribers who pay one of three prices every thirty days, and none of whom leaves."""
    plan = rng.choice([9.0, 19.0, 49.0], 300)
    start = rng.integers(0, 300, 300)
    orders = [
        (customer, day, plan[customer])
        for customer in range(300)
        for day in range(start[customer], 500, 30)
    ]
    return shop(*(np.array(column) for column in zip(*orders, strict=True)))


def forty_customers(rng: np.random.Generator) -> pd.DataFrame:
    customers = rng.integers(0, 40, 160)
    return shop(customers, rng.integers(0, 400, 160), rng.lognormal(3, 1, 160))


def one_day(rng: np.random.Generator) -> pd.DataFrame:
    return shop(np.arange(200), np.zeros(200), rng.lognormal(3, 1, 200))


def lapsed_regulars(rng: np.random.Generator) -> pd.DataFrame:
    """A third order often and still do, a third did, a third came once, long ago."""
    orders = []
    for customer in range(300):
        kind = customer % 3
        last = (500, 250, 1)[kind]
        days = np.cumsum(rng.gamma(3, 8, 60)) + rng.integers(0, 60)
        days = days[days < last] if kind < 2 else rng.integers(0, 150, 1)
        orders += [(customer, day, rng.lognormal(3, 0.3)) for day in days]
    return shop(*(np.array(column) for column in zip(*orders, strict=True)))


def built(folder: Path, orders: pd.DataFrame) -> tuple[Build, pd.DataFrame]:
    orders.to_csv(folder / "orders.csv", index=False)
    variables = {"orders_location": str(folder / "orders.csv"), "order_columns": COLUMNS}
    selection = ("--select", "+segment_claims", "+customer_segments")
    result = build_models(folder / "shop.duckdb", QUICK | variables, *selection)
    assert result.success, result.log[-2000:]
    names = result.query(
        """
        select * from segments.segment_definitions
        where cluster_id is not null order by cluster_id
        """
    )
    untrue = "select count(*) from segments.segment_claims where is_named and not holds"
    assert result.value(untrue) == 0
    return result, names


@pytest.mark.parametrize("make", [nobody_twice, three_plans, forty_customers, one_day])
def test_names_without_contrast_are_not_given(
    tmp_path: Path, make: Callable[[np.random.Generator], pd.DataFrame]
) -> None:
    """What is true of everybody is in no name, and the test of names holds."""
    result, names = built(tmp_path, make(np.random.default_rng(7)))
    assert names["segment"].is_unique
    everybody = result.query(
        """
        select claim from segments.segment_claims
        where claim not in ('range', 'all claims')
        group by claim having min(share_inside) >= 0.8
        """
    )["claim"]
    assert len(everybody), "something is true of everybody in these shops"
    named = result.query(
        "select claims from segments.segment_names where archetype is null and claims != ''"
    )
    built_of = {claim for claims in named["claims"] for claim in claims.split()}
    contrasts = result.query(
        """
        select claim
        from segments.segment_claims
        inner join segments.segment_definitions using (segment_id)
        where
            is_named and archetype is null and claim not in ('range', 'all claims')
            and not coalesce(share_inside - share_outside >= 0.2, false)
        """
    )
    assert contrasts.empty, built_of


def test_names_say_what_their_members_did(tmp_path: Path) -> None:
    result, names = built(tmp_path, lapsed_regulars(np.random.default_rng(7)))
    customers = result.query(
        """
        select segment, cast(right(customer_id, 4) as integer) % 3 as kind, count(*) as customers
        from segments.customer_segments group by all order by all
        """
    )
    largest = customers.sort_values("customers").drop_duplicates("kind", keep="last")
    by_kind = dict(zip(largest["kind"], largest["segment"], strict=True))
    assert by_kind[0].startswith(("Best customers", "Active"))
    assert by_kind[1].startswith("Lapsed")
    assert by_kind[2].startswith("Lapsed one-time")
    assert result.value("select count(*) from segments.segment_claims where is_named") >= 6
    assert len(names) >= 3


def test_claims_are_counted_again(sample_build: Build) -> None:
    """What segment_claims says of the sample's names, from the facts of each customer."""
    claims = sample_build.query(
        "from segments.segment_claims where is_named and claim not in ('all claims', 'range')"
    )
    assert len(claims) > 8
    facts = sample_build.query(
        "from segments.customer_facts semi join staging.as_of using (as_of_date)"
    )
    for row in claims.to_dict("records"):
        inside = facts["cluster_id"].astype(str) == row["segment_id"]
        holds = facts[f"is_{row['claim']}"]
        assert row["share_inside"] >= 0.8
        assert row["share_inside"] == pytest.approx(holds[inside].mean(), abs=1e-6)
        assert row["share_outside"] == pytest.approx(holds[~inside].mean(), abs=1e-6)


def test_a_name_that_is_not_true_fails_the_build(sample_build: Build, tmp_path: Path) -> None:
    """As somebody might change it by hand, or a fault in the code give it."""
    spoilt = sample_build.copy(tmp_path)
    test = ["build", "--select", "segment_claims", "names_are_true"]
    assert run_dbt(spoilt, test, {}).success
    with duckdb.connect(str(spoilt)) as connection:
        connection.sql(
            "update segments.segment_names set archetype = 'best', claims = 'active top_value'"
            " where archetype = 'lapsed_once'"
        )
    failed = run_dbt(spoilt, test, {})
    assert not failed.success
    assert "Got 3 results" in failed.log, "two claims, and all of them together"
