"""Does each change of segment have its true cause, and does growth add up, on shops of any kind.

    python benchmarks/causes.py --shops 20

Each shop is generated: customers who order about as often as those of its kind do, who fall
silent for good, and who send goods back. It is built as of one day, with a refit two months
later, and again two months on, when late orders of before the refit have come in. What moved
a customer is then known without the project's own reasoning, from worlds in which it did not
happen: for every order and return of some customers the shop also has a twin with the same past
but without that event and what follows; one build scores the day of the refit without a refit;
and one, as of the same day, has the late orders. The cause of a change is

- time passed, if nothing came on the day before, or the twin moved there on that day, too;
- model changed, if without the refit the customer would not be there on its day;
- ordered or goods returned, by what came, otherwise;
- corrected, if the build with the late orders tells another segment of that day.

Twins are in every build, so they take part in the fits as all customers do. Growth accounting,
cohorts and transitions are computed again with pandas, from the file of orders and the history.
"""

import argparse
import os
import shutil
import subprocess
import tempfile
from collections import Counter
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import yaml

PROJECT = Path(__file__).resolve().parents[1]
FIRST, REFIT, LAST = date(2025, 9, 1), date(2025, 11, 1), date(2026, 1, 1)
LATE = date(2025, 10, 20)
BEGIN = date(2023, 6, 1)
NUM_LATE = 40
NUM_WITH_TWINS = 250

# Days between orders, how much that differs between customers (shape of a gamma), share who
# order once, days until half of the others are gone, and the median basket.
KINDS = {
    "grocery": (7, 2.0, 0.10, 280, 25),
    "fashion": (60, 1.0, 0.35, 200, 70),
    "furniture": (300, 1.5, 0.60, 1000, 400),
    "subscription": (30, 8.0, 0.05, 200, 20),
    "tourist": (200, 0.7, 0.90, 40, 40),
}


def events_of_a_shop(seed: int, customers: int) -> tuple[str, pd.DataFrame]:
    """Orders and returns, at most one a day for each customer: customer_id, day, amount."""
    kind = list(KINDS)[seed % len(KINDS)]
    gap, shape, once, half_life, basket = KINDS[kind]
    rng = np.random.default_rng([seed, 15])
    num_days = (LAST - BEGIN).days
    rows = []
    for number in range(customers):
        day = float(rng.integers(0, num_days)) if rng.random() < 0.8 else 0.0
        own_gap = gap / rng.gamma(shape, 1 / shape)
        end = day + (0 if rng.random() < once else rng.exponential(half_life / np.log(2)))
        usual = basket * np.exp(0.5 * rng.normal())
        amounts: dict[int, float] = {}
        while day < num_days:
            amount = round(usual * np.exp(0.4 * rng.normal()) + 0.01, 2)
            if int(day) not in amounts:
                amounts[int(day)] = amount
                if rng.random() < 0.12:
                    back = int(day) + int(rng.integers(1, 30))
                    share = 1.0 if rng.random() < 0.5 else rng.uniform(0.2, 0.9)
                    if back < num_days:
                        amounts.setdefault(back, -round(amount * share, 2))
            day += max(1.0, rng.exponential(own_gap))
            if day >= end:
                break
        rows += [(f"c{number:05}", d, amount) for d, amount in amounts.items()]
    events = pd.DataFrame(rows, columns=["customer_id", "day", "amount"])
    events["day"] = [BEGIN + timedelta(days=days) for days in events["day"]]
    return kind, events.sort_values(["customer_id", "day"], ignore_index=True)


def with_twins(events: pd.DataFrame, since: date) -> pd.DataFrame:
    """Add, for each later event of some customers, a customer who has all the earlier ones only."""
    twins = []
    for customer in sorted(events["customer_id"].unique())[:NUM_WITH_TWINS]:
        own = events[events["customer_id"] == customer]
        for day in own["day"][(own["day"] >= since).to_numpy()]:
            before = own[own["day"] < day]
            twins.append(before.assign(customer_id=f"{customer} without {day}"))
    return pd.concat([events, *twins], ignore_index=True)


class Shop:
    """A generated shop's file of orders and its databases."""

    def __init__(self, folder: Path, events: pd.DataFrame):
        self.folder, self.events = folder, events

    def build(self, name: str, day: date, late: pd.DataFrame, **further: Any) -> Path:
        """Build a database with the events that are known on a day."""
        known = pd.concat([self.events, late])
        known = known[(known["day"] < day).to_numpy()].reset_index(drop=True)
        known["order_id"] = "o" + known.index.astype(str)
        orders = self.folder / "orders.csv"
        known.to_csv(orders, index=False)
        database = self.folder / f"{name}.duckdb"
        variables = {
            "orders_location": str(orders), "dataset": "causes", "rows_are": "orders",
            "order_columns": {
                "customer_id": "customer_id", "order_id": "order_id",
                "ordered_at": "day", "amount": "amount",
            },
            "check_order_ids": False, "as_of_date": str(day), "segment_count_by": "evidence",
            "evidence_sample_size": 400, "num_bootstraps": 4, "num_resamples": 0, **further,
        }  # fmt: skip
        environment = os.environ | {
            "DUCKDB_PATH": str(database),
            "DBT_TARGET_PATH": str(self.folder / "target"),
            "DBT_LOG_PATH": str(self.folder),
        }
        command = ["dbt", "--quiet", "build", "--exclude-resource-type", "unit_test"]
        done = subprocess.run(
            [*command, "--vars", yaml.safe_dump(variables)],
            cwd=PROJECT, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise SystemExit(f"{self.folder}: {done.stdout[-3000:]}")
        return database


def query(database: Path, text: str) -> pd.DataFrame:
    """Return a query's rows; days as dates."""
    with duckdb.connect(str(database), read_only=True) as connection:
        frame = connection.sql(text).df()
    for name in frame.columns:
        if name == "day" or name.endswith(("_on", "_date")):
            frame[name] = pd.to_datetime(frame[name]).dt.date
    return frame


def segments_of(database: Path) -> dict[str, str]:
    """Return each customer's segment of the day of a build."""
    frame = query(database, "select customer_id, segment_id from segments.customer_segments")
    return dict(frame.itertuples(index=False, name=None))


def true_cause(
    change: Any, events: dict[tuple[str, date], float], moved: dict[tuple[str, date], str],
    without_refit: dict[str, str],
) -> str:  # fmt: skip
    """Return what moved a customer, by the worlds in which it did not happen."""
    customer, day = change.customer_id, change.changed_on
    amount = events.get((customer, day - timedelta(days=1)))
    twin = customer if amount is None else f"{customer} without {day - timedelta(days=1)}"
    if change.previous_segment_id is None:
        return "ordered"
    if day == REFIT:
        if without_refit.get(twin) == change.segment_id:
            return "time passed"
        if without_refit.get(customer) != change.segment_id:
            return "model changed"
    elif amount is None or moved.get((twin, day)) == change.segment_id:
        return "time passed"
    return "ordered" if amount and amount > 0 else "goods returned"


def wrong_sums(database: Path, events: pd.DataFrame) -> dict[str, int]:
    """Compute growth, cohorts and transitions with pandas; returns values, and how many differ."""
    cents = (events["amount"] * 100).round().astype(int)
    months = pd.PeriodIndex(pd.to_datetime(events["day"]), freq="M")
    by_month = pd.DataFrame({
        "customer_id": events["customer_id"], "month": months, "cents": cents,
        "ordered": (cents > 0).astype(int),
    })  # fmt: skip
    active = by_month.groupby(["customer_id", "month"]).agg(
        cents=("cents", "sum"), ordered=("ordered", "max")
    )
    grid = active.unstack("month", fill_value=0)
    money, ordered = (
        grid[name].reindex(
            columns=pd.period_range(months.min(), months.max(), freq="M"), fill_value=0
        )
        for name in ("cents", "ordered")
    )
    ordered = ordered > 0
    first = ordered.idxmax(axis=1).where(ordered.any(axis=1))
    values = wrong = 0
    growth = query(database, "from metrics.growth_accounting order by month")
    growth.index = pd.PeriodIndex(growth["month"], freq="M")

    def compare(said: Any, true: Any) -> None:
        nonlocal values, wrong
        values += 1
        wrong += round(float(said) * 100) != round(true * 100)

    for month in money.columns:
        now, paid = ordered[month], money[month]
        previous = month - 1
        was = ordered[previous] if previous in money else now & False
        paid_before = money[previous] if previous in money else paid * 0
        new = now & (first == month)
        lost, back = was & ~now, now & ~was & ~new
        change = paid - paid_before
        rest = ~new & ~lost & ~back
        said = growth.loc[month]
        for name, true in {
            "num_active": now.sum(), "num_new": new.sum(), "num_retained": (now & was & ~new).sum(),
            "num_reactivated": back.sum(), "num_lost": lost.sum(), "revenue": paid.sum() / 100,
            "new_revenue": change[new].sum() / 100, "lost_revenue": -change[lost].sum() / 100,
            "reactivated_revenue": change[back].sum() / 100,
            "expansion": change[rest & (change > 0)].sum() / 100,
            "contraction": -change[rest & (change < 0)].sum() / 100,
        }.items():  # fmt: skip
            compare(said[name], true)
        compare(
            said["revenue"] - (growth.loc[previous]["revenue"] if previous in growth.index else 0),
            float(
                said["new_revenue"] + said["reactivated_revenue"] + said["expansion"]
                - said["contraction"] - said["lost_revenue"]
            ),
        )  # fmt: skip
    cohorts = query(database, "from metrics.cohorts")
    for row in cohorts.itertuples():
        cohort, month = pd.Period(row.first_order_month, "M"), pd.Period(row.month, "M")
        members = first == cohort
        compare(row.num_customers, members.sum())
        compare(row.num_active, ordered.loc[members, month].sum())
        compare(row.revenue, money.loc[members, month].sum() / 100)
    history = query(database, "from segments.segment_history")
    days = sorted(history["as_of_date"].unique())
    wide = history.pivot_table(
        index="customer_id", columns="as_of_date", values="segment_id", aggfunc="first"
    )
    transitions = query(database, "from segments.segment_transitions")
    for before, after in pairwise(days):
        known = wide[after].notna()
        within = ((events["day"] >= before) & (events["day"] < after)).to_numpy()
        paid = cents[within].groupby(events["customer_id"][within]).sum()
        moves = pd.DataFrame({
            "from": wide.loc[known, before].fillna("new"), "to": wide.loc[known, after],
            "cents": paid.reindex(wide.index[known]).fillna(0),
        })  # fmt: skip
        true_moves = moves.groupby(["from", "to"])["cents"].agg(["size", "sum"])
        said_moves = transitions[transitions["as_of_date"] == after].set_index(
            ["from_segment_id", "segment_id"]
        )
        compare(len(said_moves), len(true_moves))
        shares = said_moves["share_of_from_segment"].groupby(level=0).sum()
        for share in shares:
            compare(share, 1.0)
        for pair, row in true_moves.iterrows():
            compare(said_moves.loc[pair, "num_customers"], row["size"])
            compare(said_moves.loc[pair, "revenue"], row["sum"] / 100)
    return {"values": values, "wrong values": wrong}


def measure(seed: int, customers: int, folder: Path) -> str:
    """Build one shop's worlds; returns its row of the table."""
    kind, plain = events_of_a_shop(seed, customers)
    events = with_twins(plain, FIRST - timedelta(days=330))
    shop = Shop(folder, events)
    none = events.iloc[:0]
    first = shop.build("shop", FIRST, none)
    shutil.copy(first, folder / "without_refit.duckdb")
    without_refit = segments_of(shop.build("without_refit", REFIT, none, refit=False))
    told = segments_of(shop.build("shop", REFIT, none, refit=True))

    # Late orders of customers who are silent and have no twins: those would need late ones, too.
    last_day = plain.groupby("customer_id")["day"].max()
    silent = sorted(last_day.index[(last_day < LATE - timedelta(days=120)).to_numpy()])
    silent = [c for c in silent if c in told][-NUM_LATE:]
    late = pd.DataFrame({"customer_id": silent, "day": LATE, "amount": 500.0})
    shutil.copy(folder / "shop.duckdb", folder / "with_late.duckdb")
    corrected = segments_of(shop.build("with_late", REFIT, late, refit=False))
    shop_database = shop.build("shop", LAST, late, refit=False)

    changes = query(shop_database, "from segments.customer_segment_changes")
    changes = changes.astype(object).where(changes.notna(), None)
    moved = {
        (row.customer_id, row.changed_on): row.segment_id
        for row in changes.itertuples()
        if row.cause != "corrected"
    }
    known = pd.concat([events, late])
    by_day = {(row.customer_id, row.day): row.amount for row in known.itertuples()}
    # A late order is in the world without the refit only where it is built with it.
    unknown = set(silent)
    with_twin = set(sorted(plain["customer_id"].unique())[:NUM_WITH_TWINS])
    causes: Counter[str] = Counter()
    wrong = skipped = 0
    for change in changes.itertuples():
        came = (change.customer_id, change.changed_on - timedelta(days=1)) in by_day
        if change.cause == "corrected":
            continue
        if (came and change.customer_id not in with_twin) or (
            change.changed_on == REFIT and change.customer_id in unknown
        ):
            skipped += 1
            continue
        true = true_cause(change, by_day, moved, without_refit)
        causes[true] += 1
        if true != change.cause:
            wrong += 1
            print(seed, change, "should be", true, flush=True)
    said = set(changes.loc[changes["cause"] == "corrected", "customer_id"])
    true_corrected = {c for c, segment in told.items() if corrected.get(c) != segment}
    causes["corrected"] = len(true_corrected)
    wrong += len(said ^ true_corrected)
    sums = wrong_sums(shop_database, known[(known["day"] < LAST).to_numpy()].reset_index(drop=True))
    order = ("ordered", "goods returned", "time passed", "model changed", "corrected")
    cells = [kind, f"{len(told):,}", *(f"{causes[c]:,}" for c in order), str(wrong), f"{skipped:,}"]
    cells += [f"{sums['values']:,}", str(sums["wrong values"])]
    return f"| {seed} | " + " | ".join(cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--shops", type=int, default=20)
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--customers", type=int, default=1500)
    options = parser.parse_args()
    print(
        "| shop | kind | customers | ordered | goods returned | time passed | model changed"
        " | corrected | wrong | no twin | values of growth, cohorts, transitions | wrong |\n"
        "|--:|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
    )
    for seed in range(options.start, options.start + options.shops):
        with tempfile.TemporaryDirectory() as folder:
            print(measure(seed, options.customers, Path(folder)), flush=True)


if __name__ == "__main__":
    main()
