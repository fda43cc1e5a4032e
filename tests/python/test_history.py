"""The past and what comes next: days, causes and dates, held against orders that were planted."""

from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
from conftest import PROJECT, Build, Builder

import customer_segmentation
from customer_segmentation.database import Database
from customer_segmentation.exporting import FURTHER

pytestmark = pytest.mark.slow

SEED = PROJECT / "seeds" / "raw_orders.csv"
COLUMNS = {
    "customer_id": "upper(customer_id)", "order_id": "order_id", "ordered_at": "ordered_at",
    "amount": "amount", "status": "status",
}  # fmt: skip
DAYS = ("2025-09-01", "2025-11-01", "2026-01-01")
NUM_PLANTED = 40


def write_orders(path: Path, until: str, planted: str = "select null where false") -> None:
    """The sample's orders that are known on a day, and more."""
    duckdb.sql(
        f"""
        copy (
            select * from read_csv('{SEED}', all_varchar = true)
            where coalesce(try_cast(ordered_at as timestamp) < date '{until}', false)
            union all by name
            {planted}
        ) to '{path}'
        """
    )


@pytest.fixture(scope="module")
def told() -> dict[str, pd.DataFrame]:
    """What each build told, by its day."""
    return {}


def shop_of_three_builds(build: Builder, folder: Path, told: dict[str, pd.DataFrame]) -> Build:
    """A first build, a refit two months later, and late orders another two months later.

    They are dated to before the refit, for customers who were lapsed then.
    """
    orders = folder / "orders.parquet"
    further: dict[str, Any] = {
        "orders_location": str(orders), "order_columns": COLUMNS, "dataset": "three",
    }  # fmt: skip
    for number, day in enumerate(DAYS):
        planted = "select null where false"
        if number == 2:
            lapsed = told[DAYS[1]].query("lifecycle_stage == 'lapsed'")["customer_id"]
            ids = ", ".join(f"('{name}')" for name in sorted(lapsed)[:NUM_PLANTED])
            planted = f"""
                select
                    name as customer_id, 'late' || name as order_id,
                    '2025-10-20 12:00:00' as ordered_at, '500' as amount, 'completed' as status
                from (values {ids}) as late (name)
            """
        write_orders(orders, day, planted)
        result = build(**further, as_of_date=day, refit=number == 1)
        assert result.success, result.log
        told[day] = result.query("from segments.customer_segments order by customer_id")
    return result


def test_each_change_has_its_day_and_its_cause(
    build: Builder, tmp_path: Path, told: dict[str, pd.DataFrame]
) -> None:
    shop = shop_of_three_builds(build, tmp_path, told)
    changes = shop.query("from segments.customer_segment_changes order by customer_id, changed_on")
    assert set(changes["cause"]) == {
        "ordered", "goods returned", "time passed", "model changed", "corrected",
    }  # fmt: skip
    days = shop.query(
        """
        select
            customer_id, day, amount > 0 as has_ordered, num_orders, total_amount,
            lag(num_orders, 1, 0) over w as previous_orders,
            lag(total_amount, 1, 0) over w as previous_amount
        from metrics.customer_days
        window w as (partition by customer_id order by day)
        """
    )
    days["changed_on"] = days["day"] + pd.Timedelta(days=1)
    joined = changes.merge(days, "left", on=["customer_id", "changed_on"])
    came = joined["day"].notna()
    more = (joined["num_orders"] > joined["previous_orders"]) | (
        joined["total_amount"] > joined["previous_amount"]
    )
    assert (came & more)[joined["cause"] == "ordered"].all()
    assert (came & ~more)[joined["cause"] == "goods returned"].all()
    assert (joined["changed_on"] == DAYS[1])[joined["cause"] == "model changed"].all()
    # Those to whom nothing came changed by time, or by the model on its day.
    nothing = ~came & (joined["cause"] != "corrected")
    assert set(joined.loc[nothing, "cause"]) == {"time passed", "model changed"}
    assert (joined.loc[nothing & (joined["changed_on"] != DAYS[1]), "cause"] == "time passed").all()
    # One chain: each begins where the one before ended.
    chain = changes[changes["cause"] != "corrected"]
    before = chain.groupby("customer_id")["segment_id"].shift()
    assert (before.isna() | (before == chain["previous_segment_id"])).all()

    # What was told on each day is what was served on it, but for what is corrected.
    corrected = changes[changes["cause"] == "corrected"].set_index("customer_id")
    assert (corrected["changed_on"] == DAYS[1]).all()
    history = shop.query(
        "select customer_id, served_segment_id, as_of_date::varchar as day"
        " from segments.segment_history"
    )
    planted = set(
        sorted(told[DAYS[1]].query("lifecycle_stage == 'lapsed'")["customer_id"])[:NUM_PLANTED]
    )
    for day in DAYS:
        served = history[history["day"] == day].set_index("customer_id")["served_segment_id"]
        then = told[day].set_index("customer_id")["segment_id"].reindex(served.index)
        differ = set(served.index[(served != then) & then.notna()])
        assert differ == (set(corrected.index) if day == DAYS[1] else set()), day
    assert set(corrected.index) <= planted
    assert len(corrected) > 5
    now = told[DAYS[2]].set_index("customer_id")
    last = changes.groupby("customer_id").last()
    assert (now.loc[last.index, "segment_id"] == last["segment_id"]).all()
    since = now.loc[last.index, "segment_since"]
    assert (since == last["changed_on"]).all()
    assert now.drop(last.index)["segment_since"].isna().all()

    # A build of the same again keeps them, and a customer who is forgotten is in none.
    gone = corrected.index[0]
    orders = tmp_path / "orders.parquet"
    kept = duckdb.sql(f"from '{orders}' where upper(customer_id) != '{gone}'").df()
    duckdb.sql(f"copy kept to '{orders}'")
    again = build(
        orders_location=str(orders), order_columns=COLUMNS, dataset="three",
        as_of_date=DAYS[2],
    )  # fmt: skip
    assert again.success, again.log
    assert len(kept)
    causes = again.query(
        "select * from segments.customer_segment_changes where cause = 'corrected'"
    )
    assert set(causes["customer_id"]) == set(corrected.index) - {gone}


@pytest.mark.parametrize(
    "further",
    [{}, {"segmentation": "plain"},
     {"segmentation": "plain",
      "candidate_features": ["num_orders", "days_since_last_order", "tenure_days"]}],
    ids=["stages", "plain", "plain, two that move"],
)  # fmt: skip
def test_the_countdown_is_what_the_python_scorers_say_day_by_day(
    further: dict[str, Any], build: Builder, tmp_path: Path
) -> None:
    """Every customer on every day of a year ahead, scored by the package instead of SQL."""
    result = build(data_tests=True, **further)
    assert result.success, result.log
    shop = customer_segmentation.load(result.copy(tmp_path / "copy"))
    today = result.query("from segments.customer_segments where is_clusterable").iloc[::5]
    moving = ["days_since_last_order", "tenure_days", "silence_days"]
    ahead = result.query(
        """
        select customer_id, spell_from, served_until, segment_id
        from clustering.cluster_spells
        where served_until >= (select as_of_date from staging.as_of)
        """
    )
    num_changes = 0
    for days in range(0, 366, 7):
        day = today["as_of_date"].iloc[0] + pd.Timedelta(days=days)
        then = today.assign(**{name: today[name] + days for name in moving})
        said = ahead[(ahead["spell_from"] <= day) & (ahead["served_until"] >= day)]
        said = said.set_index("customer_id")["segment_id"].reindex(then["customer_id"])
        scored = shop.score(then)["cluster_id"].astype(int).astype(str)
        assert said.tolist() == scored.tolist(), day
        num_changes += int((scored.to_numpy() != today["segment_id"].to_numpy()).sum())
    assert num_changes > 100
    countdown = result.query("from segments.segment_countdown where changes_on is not null")
    first = ahead.merge(countdown, on="customer_id", suffixes=("_then", ""))
    first = first[first["spell_from"] == first["changes_on"]]
    assert len(first) == len(countdown)
    assert (first["segment_id_then"] == first["next_segment_id"]).all()
    assert (first["days_until_change"] > 0).all()


def test_today_may_be_before_the_fit(build: Builder, tmp_path: Path) -> None:
    """Then the version that scores stands for the time before it, and the tests of data hold."""
    assert build(refit=False).success
    again = build(data_tests=True, as_of_date="2025-10-15")
    assert again.success, again.log
    assert again.value("select min(as_of_date) < max(as_of_date) from segments.segment_history")
    # The last whole month and what has passed of this one.
    with Database(again.copy(tmp_path / "copy")) as database:
        changes = database.read(FURTHER["segment_changes_since_last_month"])
    since = again.query(
        "select customer_id from segments.customer_segment_changes"
        " where changed_on > date '2025-09-01'"
    )
    assert sorted(changes["customer_id"]) == sorted(since["customer_id"])
    assert (changes["changed_on"] < "2025-10-01").any()
    assert again.value("select max(changed_on)::varchar from segments.customer_segment_changes") < (
        "2025-10-16"
    )
