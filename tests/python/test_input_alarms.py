"""Alarms ring where an export deserves it; clean shops and those below the limits are silent."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from conftest import NO_DATA_TESTS, NO_UNIT_TESTS, Build, run_dbt

from shops import clean_shop

COLUMNS = {
    "customer_id": "customer", "order_id": "order_no", "ordered_at": "day", "amount": "amount",
    "status": "status",
}  # fmt: skip


def alarms(folder: Path, files: dict[str, pd.DataFrame], **variables: Any) -> dict[str, str]:
    """Build up to the alarms; each alarm that rings, with the warning of the build."""
    for name, frame in files.items():
        frame.to_csv(folder / name, index=False)
    if "people.csv" in files:
        variables |= {
            "customers_location": str(folder / "people.csv"),
            "customer_columns": {"customer_id": "customer", "has_consent": "consent"},
        }
    build = run_dbt(
        folder / "shop.duckdb",
        ["build", *NO_UNIT_TESTS, *NO_DATA_TESTS, "--select", "+input_alarms"],
        {"orders_location": str(folder / "orders*.csv"), "order_columns": COLUMNS} | variables,
    )
    assert build.success, build.log
    told = {}
    rows = build.query("select alarm, sentence, coalesce(examples, []) from metrics.input_alarms")
    for alarm, sentence, examples in rows.itertuples(index=False):
        (told[alarm],) = {message for message in build.messages if sentence in message}
        for example in examples:
            assert example in told[alarm].split(sentence)[1], "who builds is told"
            as_a_word = rf"(?<!\w){re.escape(example)}(?!\w)"
            assert not re.search(as_a_word, sentence), "the report publishes the sentence"
    return told


def spoilt(shop: pd.DataFrame, share: float) -> dict[str, Any]:
    """The ways in which rows go wrong, each in ``share`` of the rows (or orders, or customers)."""
    rows = shop.astype(object)
    every = max(round(1 / share), 1)
    place = pd.Series(range(len(rows)))
    rows.loc[place % every == 1, "day"] = "31.12.2023"
    rows.loc[place % every == 2, "amount"] = "twelve"
    # On all lines of an order, since the others would say who it was.
    rows.loc[pd.factorize(rows["order_no"])[0] % every == 3, "customer"] = "NULL"
    return {"orders.csv": rows}


SHOP = clean_shop(3)
NUM = len(SHOP)


def with_unknown_words() -> dict[str, pd.DataFrame]:
    people = pd.DataFrame({"customer": SHOP["customer"].unique()})
    people["consent"] = ["yes", "no", "jawohl"] * (len(people) // 3) + ["yes"] * (len(people) % 3)
    return {"orders.csv": SHOP.assign(status="Storniert"), "people.csv": people}


def with_a_guest_account(share: float) -> dict[str, pd.DataFrame]:
    orders = SHOP["order_no"].unique()
    guests = set(orders[:: max(round(1 / share), 1)])
    customer = SHOP["customer"].mask(SHOP["order_no"].isin(guests), "0")
    return {"orders.csv": SHOP.assign(customer=customer)}


def with_ids_in_two_forms() -> dict[str, pd.DataFrame]:
    shop = clean_shop(0)
    shop["customer"] = "c" + shop["customer"].str.replace(r"\D", "", regex=True)
    upper = pd.factorize(shop["order_no"])[0] % 7 == 0
    shop.loc[upper, "customer"] = shop.loc[upper, "customer"].str.upper()
    return {"orders.csv": shop}


def with_totals_on_each_line() -> dict[str, pd.DataFrame]:
    return {"orders.csv": SHOP.assign(amount=SHOP.groupby("order_no")["amount"].transform("sum"))}


def with_numbers_that_start_again() -> dict[str, pd.DataFrame]:
    number = SHOP.groupby(SHOP["day"].str[:7])["order_no"].transform(lambda o: pd.factorize(o)[0])
    return {"orders.csv": SHOP.assign(order_no=number)}


def with_numbers_per_customer_and_year() -> dict[str, pd.DataFrame]:
    groups = [SHOP["customer"], SHOP["day"].str[:4]]
    number = SHOP.groupby(groups)["order_no"].transform(lambda orders: pd.factorize(orders)[0])
    return {"orders.csv": SHOP.assign(order_no=SHOP["customer"] + "-" + number.astype(str))}


def with_a_status_on_few_lines() -> dict[str, pd.DataFrame]:
    few = (pd.factorize(SHOP["order_no"])[0] % 9 == 0) & ~SHOP["order_no"].duplicated()
    return {"orders.csv": SHOP.assign(status=pd.Series("cancelled", SHOP.index).where(few))}


def with_two_currencies() -> dict[str, pd.DataFrame]:
    sign = pd.Series(["€", "$"])[SHOP.index % 2].to_numpy()
    return {"orders.csv": SHOP.assign(amount=sign + SHOP["amount"].map("{:.2f}".format))}


def with_a_bad_month() -> dict[str, pd.DataFrame]:
    month = SHOP["day"].str.startswith(SHOP["day"].str[:7].value_counts().index[-1])
    return {"orders.csv": SHOP.assign(amount=SHOP["amount"].astype(object).mask(month, "n/a"))}


def with_a_bad_file() -> dict[str, pd.DataFrame]:
    bad = SHOP.head(40).assign(day="04.05.2022")
    return {"orders.csv": SHOP, "orders_2.csv": bad.drop(columns="status")}


def twice() -> dict[str, pd.DataFrame]:
    return {"orders.csv": SHOP, "orders_again.csv": SHOP.head(NUM // 4)}


def of_one_day() -> dict[str, pd.DataFrame]:
    shop = SHOP.drop_duplicates("customer").head(60)
    return {"orders.csv": shop.assign(day="2024-01-01", amount=shop["amount"])}


def with_strays() -> dict[str, pd.DataFrame]:
    strays = SHOP.head(2).assign(day=["0001-01-01", "2030-01-01"], order_no=["A", "B"])
    return {"orders.csv": pd.concat([SHOP, strays])}


def with_cut_ids() -> dict[str, pd.DataFrame]:
    first = SHOP["customer"].unique()[:3]
    return {"orders.csv": SHOP.replace({"customer": dict.fromkeys(first, "4.4E+11")})}


RINGING: dict[str, tuple[Callable[[], dict[str, pd.DataFrame]], set[str]]] = {
    "spoilt rows": (
        lambda: spoilt(SHOP, 0.05),
        {
            f"excluded_rows: {reason}"
            for reason in ("unreadable_date", "unreadable_amount", "missing_customer_id")
        },
    ),
    "unknown words": (with_unknown_words, {"unknown_status", "unknown_consent: has_consent"}),
    "a guest account": (
        lambda: with_a_guest_account(0.25),
        {"one_customer: num_orders", "one_customer: total_amount"},
    ),
    "ids in two forms": (with_ids_in_two_forms, {"similar_customer_ids"}),
    "totals on each line": (with_totals_on_each_line, {"totals_on_each_line"}),
    "numbers that start again": (
        with_numbers_that_start_again,
        {"orders_of_several_customers"},
    ),
    "numbers per customer": (with_numbers_per_customer_and_year, {"orders_over_several_days"}),
    "a status on few lines": (with_a_status_on_few_lines, {"status_on_one_line"}),
    "two currencies": (with_two_currencies, {"several_currencies: amount"}),
    "a bad month": (with_a_bad_month, {"excluded_in_one_place: unreadable_amount"}),
    "a bad file": (
        with_a_bad_file,
        {"excluded_in_one_place: unreadable_date", "column_missing_in_a_file"},
    ),
    "an export twice": (twice, {"repeated_rows"}),
    "one day": (
        of_one_day,
        {
            "nobody_orders_twice", "few_customers", "short_history",
            "metric_without_spread: num_orders",
            "metric_without_spread: days_since_last_order",
        },
    ),
    "stray days": (with_strays, {"isolated_days"}),
    "cut ids": (with_cut_ids, {"ids_in_scientific_notation: customer_id"}),
}  # fmt: skip


@pytest.mark.parametrize("case", RINGING)
def test_an_alarm_rings_where_it_should_and_no_other_does(tmp_path: Path, case: str) -> None:
    make, expected = RINGING[case]
    assert set(alarms(tmp_path, make())) == expected


def test_the_build_shows_what_could_not_be_read(tmp_path: Path) -> None:
    """Also of a column that an expression reads, as it stands in the file."""
    columns = COLUMNS | {"ordered_at": "cast(day as timestamp)"}
    found = alarms(tmp_path, spoilt(SHOP, 0.05), order_columns=columns)
    assert "Seen: 31.12.2023." in found["excluded_rows: unreadable_date"]
    assert "Seen: twelve." in found["excluded_rows: unreadable_amount"]
    assert "4.7 % of the rows" in found["excluded_rows: unreadable_amount"], "less those of nobody"


@pytest.mark.parametrize("seed", range(int(os.environ.get("CLEAN_SHOPS", "2"))))
def test_clean_shops_are_silent(tmp_path: Path, seed: int) -> None:
    assert alarms(tmp_path, {"orders.csv": clean_shop(seed)}) == {}


@pytest.mark.parametrize(
    "files",
    [lambda: spoilt(SHOP, 0.02), lambda: with_a_guest_account(0.04)],
    ids=["spoilt rows", "a guest account"],
)
def test_below_the_limits_they_are_silent(
    tmp_path: Path, files: Callable[[], dict[str, pd.DataFrame]]
) -> None:
    assert alarms(tmp_path, files()) == {}


def test_the_sample_rings_for_what_is_planted_in_it(sample_build: Build) -> None:
    rows = sample_build.query("from metrics.input_alarms")
    assert list(rows["alarm"]) == ["isolated_days"]
