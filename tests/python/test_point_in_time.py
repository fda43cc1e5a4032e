"""What a past day knows: built as of that day, customer_metrics has the rows of the history."""

from __future__ import annotations

import datetime
import random
from pathlib import Path

import pandas as pd
import pytest
from conftest import PROJECT, STAGING_AND_METRICS, Build, build_models


def with_later_lines(orders: pd.DataFrame) -> pd.DataFrame:
    """Orders whose lines come on several days: later ones, returns and corrections."""
    chance = random.Random(5)
    days = pd.to_datetime(orders["ordered_at"], errors="coerce")
    amounts = pd.to_numeric(orders["amount"], errors="coerce")
    firsts = orders.assign(day=days, value=amounts.abs()).dropna(subset=["day", "value"])
    firsts = firsts[firsts["day"] < "2026"].drop_duplicates("order_id")
    later = []
    for row in firsts.to_dict("records"):
        kind, day = chance.random(), 0
        changes = (
            [0.5]
            if kind < 0.1
            else [-chance.choice([0.3, 1, 1, 2])]
            if kind < 0.2
            else [-1.5, 2, -5][: chance.choice([2, 3])]
            if kind < 0.3
            else []
        )
        for change in changes:
            day += chance.randrange(1, 60)
            moment = row["day"] + datetime.timedelta(days=day, hours=chance.randrange(5))
            if moment < pd.Timestamp("2026"):
                line = f"X{len(later):06d}", f"{moment:%Y-%m-%d %H:%M:%S}"
                later.append(
                    row
                    | dict(zip(("line_id", "ordered_at"), line, strict=True))
                    | {"amount": f"{row['value'] * change:.2f}"}
                )
    columns = list(orders)
    return pd.concat([orders, pd.DataFrame(later)[columns]]).sample(frac=1, random_state=1)


@pytest.mark.parametrize(
    ("window", "days"),
    [(None, ["2025-01-01", "2025-08-01"]), (100, ["2025-03-01"])],
)
def test_a_build_as_of_a_past_day_gives_the_rows_of_the_history(
    tmp_path: Path, window: int | None, days: list[str]
) -> None:
    orders = pd.read_csv(PROJECT / "seeds" / "raw_orders.csv", dtype=str, keep_default_na=False)
    with_later_lines(orders).to_csv(tmp_path / "orders.csv", index=False)
    variables = {"orders_location": str(tmp_path / "orders.csv"), "metrics_window_days": window}
    whole = build_models(tmp_path / "whole.duckdb", variables, *STAGING_AND_METRICS)
    assert whole.success, whole.log[-2000:]
    assert whole.value("select count(*) from metrics.order_changes where num_orders < 0") > 100
    assert whole.value("select count(*) from metrics.order_changes where not stays_positive") > 300
    assert whole.value("select count(*) from metrics.metric_days") == 15
    for day in days:
        past = build_models(
            Path(tmp_path, f"{day}.duckdb"),
            variables | {"as_of_date": day, "history_months": 0},
            *STAGING_AND_METRICS,
        )
        assert past.success, past.log[-2000:]
        rows = past.query("from metrics.customer_metrics order by customer_id")
        known = whole.query(
            f"from metrics.customer_metrics_history where as_of_date = date '{day}'"
            " order by customer_id"
        )
        assert len(rows) > 900
        assert rows["num_orders"].sum() > (3000 if window is None else 300)
        pd.testing.assert_frame_equal(known, rows)


def test_the_newest_day_is_customer_metrics(sample_build: Build) -> None:
    pd.testing.assert_frame_equal(
        sample_build.query("from metrics.customer_metrics order by customer_id"),
        sample_build.query(
            """
            select customer_metrics_history.* from metrics.customer_metrics_history
            semi join staging.as_of using (as_of_date) order by customer_id
            """
        ),
    )
    months = sample_build.query(
        """
        select as_of_date from metrics.metric_days
        where not is_for_choosing and not is_for_grading order by as_of_date
        """
    )
    assert len(months) == 13
    assert set(months["as_of_date"].dt.day) == {1}
