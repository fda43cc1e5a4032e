"""Exports of shop systems, read by the vars in ``examples``: orders, people, money to the cent."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from conftest import PROJECT, STAGING_AND_METRICS, Build, Builder
from exports import FORMATS, Order, Truth, orders_of_a_shop, write_olist

from customer_segmentation.cli import main

EXAMPLES = PROJECT / "examples"

INIT = ("init", "--project-dir", str(PROJECT))


@pytest.fixture(scope="module")
def orders() -> list[Order]:
    return orders_of_a_shop()


def example(name: str) -> dict[str, Any]:
    """The vars of an example."""
    variables: dict[str, Any] = yaml.safe_load((EXAMPLES / f"{name}.yml").read_text())
    return variables


def found(result: Build) -> Truth:
    """What a build made of an export."""
    assert result.success, result.log
    row = result.query(
        """
        select
            count(*) filter (where amount > 0) as num_orders,
            count(distinct customer_id) filter (where amount > 0) as num_customers,
            cast(sum(amount) as varchar) as amount
        from staging.orders
        """
    ).iloc[0]
    return Truth(int(row["num_orders"]), int(row["num_customers"]), Decimal(row["amount"]))


def proposed(path: Path, *further: str) -> tuple[dict[str, Any], str]:
    """Vars that ``init`` proposes, and what it says."""
    output = path.with_suffix(".yml")
    said = CliRunner().invoke(main, [*INIT, str(path), "--output", str(output), *further])
    assert said.exit_code == 0, said.output
    return yaml.safe_load(output.read_text()), said.output


@pytest.mark.parametrize("name", FORMATS)
def test_a_known_export_is_recognised_and_right_on_the_first_try(
    name: str, orders: list[Order], build: Builder, tmp_path: Path
) -> None:
    path = FORMATS[name].write(orders, tmp_path / "export.csv")
    variables, said = proposed(path)
    assert f", known as an export of {name}." in said
    assert variables["order_columns"] == example(name)["order_columns"]
    result = build(*STAGING_AND_METRICS, data_tests=True, **variables)
    assert found(result) == FORMATS[name].truth(orders)
    ledger = result.query("select exclusion_reason, num_rows from staging.order_exclusions")
    assert ledger["num_rows"].sum() == len(path.read_text(FORMATS[name].encoding).splitlines()) - 1


RENAMED = {
    "shopify": {"Name": "Order", "Total": "Grand total", "Cancelled at": "Voided at"},
    "woocommerce": {"order_total": "total", "billing_email": "e-mail", "date": "created"},
    "superstore": {"Order Date": "OrderDate", "Customer ID": "ClientNo"},
}


@pytest.mark.parametrize("name", RENAMED)
def test_an_unknown_export_is_guessed(
    name: str, orders: list[Order], build: Builder, tmp_path: Path
) -> None:
    """The same with columns of other names, of which no example knows."""
    path = FORMATS[name].write(orders, tmp_path / "export.csv")
    header, rest = path.read_text(FORMATS[name].encoding).split("\n", 1)
    names = [RENAMED[name].get(column, column) for column in header.strip().split(",")]
    path.write_text(",".join(names) + "\n" + rest, FORMATS[name].encoding)
    variables, said = proposed(path)
    assert "known as an export" not in said
    assert "Read the comments: each is a guess." in said
    assert found(build(*STAGING_AND_METRICS, **variables)) == FORMATS[name].truth(orders)


def test_what_cannot_be_told_is_said(tmp_path: Path) -> None:
    """Two totals, two currencies, statuses of another language, days that read both ways."""
    rows = [
        f"{i % 30},B{i},{1 + i % 12:02}/{1 + i % 9:02}/2024,{10 + i},{9 + i},"
        f"{'EUR' if i % 9 else 'CHF'},{'storniert' if i % 8 == 0 else 'bezahlt'}"
        for i in range(90)
    ]
    path = tmp_path / "shop.csv"
    path.write_text("Kunde,Beleg,Datum,Betrag,Umsatz,Currency,Status\n" + "\n".join(rows) + "\n")
    variables, said = proposed(path)
    for question in (
        "The days can be read in 2 ways. How is it meant?",
        "Several columns may be what was paid. Which is it?\n"
        "  1  Betrag (as in 10, 11, 12)  (taken, unasked)\n",
        "The amounts are in several currencies, which are never added up. Which one counts?"
        " (currency_rates_location converts them all)\n"
        "  1  EUR: 80 rows; 0 customers have none of it  (taken, unasked)\n"
        "  2  CHF: 10 rows; 20 customers have none of it\n",
        "Is an order of the status 'storniert' a purchase?\n  1  yes  (taken, unasked)\n",
    ):
        assert question in said
    assert variables["currency"] == "EUR"
    assert variables["rows_are"] == "orders"
    assert "# As in " in path.with_suffix(".yml").read_text()
    again = CliRunner().invoke(main, [*INIT, str(path), "--output", str(path.with_suffix(".yml"))])
    assert "shop.yml' is there already. Name another file with --output." in again.output


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a,b\n1,2\n", "looks like a customer's id or e-mail address. Its columns are a, b."),
        ("customer_id,b\n1,2\n", "has days that can be read. Its columns are customer_id, b."),
        (
            "customer_id,day\n1,2024-01-01\n",
            "looks like an amount. Its columns are customer_id, day",
        ),
        ("customer_id,day\n", "has no rows. Export it again with its orders."),
    ],
    ids=["nobody", "no days", "no amount", "no rows"],
)
def test_an_export_that_lacks_something_says_what(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "export.csv").write_text(text)
    refused = CliRunner().invoke(main, [*INIT, str(tmp_path / "export.csv")])
    assert refused.exit_code == 1
    assert sentence in refused.output


def test_a_plain_table_of_orders_is_not_taken_for_an_example(tmp_path: Path) -> None:
    """Of the examples that read databases, too, the columns have names that anybody's have."""
    path = tmp_path / "lines.csv"
    path.write_text(
        "id,customer_id,order_id,created_at,quantity,unit_price\n"
        + "".join(
            f"{i},c{i % 9},o{i // 2},2024-01-{1 + i % 28:02},{1 + i % 3},{i}.5\n" for i in range(60)
        )
    )
    variables, said = proposed(path)
    assert "known as an export" not in said
    assert "attached_databases" not in variables


@pytest.mark.parametrize(
    ("stamps", "zone"),
    [
        (["2024-01-05 10:00:00 -0500", "2024-07-05 10:00:00 -0500"], "Etc/GMT+5"),
        (["2024-01-05 10:00:00 -0500", "2024-07-05 10:00:00 -0400"], "America/New_York"),
        (["2024-01-05T10:00:00+01:00", "2024-07-05T10:00:00+02:00"], "Europe/Berlin"),
        (["2024-01-05T10:00:00+00:00", "2024-07-05T10:00:00+00:00"], None),
        (["2024-01-05 10:00:00", "2024-07-05 10:00:00"], None),
    ],
)
def test_days_are_counted_where_the_shop_is(
    tmp_path: Path, stamps: list[str], zone: str | None
) -> None:
    path = tmp_path / "shop.csv"
    rows = [f"c{i % 7},{i},{stamps[i % len(stamps)]},{5 + i}" for i in range(60)]
    path.write_text("customer_id,order_id,ordered_at,amount\n" + "\n".join(rows) + "\n")
    variables, _ = proposed(path)
    assert variables.get("timezone") == zone


def test_consent_in_the_orders_is_taken(tmp_path: Path, build: Builder) -> None:
    """Blank on further lines of an order; who once refused has refused."""
    path = tmp_path / "shop.csv"
    says = {0: "yes", 1: "no", 2: "", 3: "yes"}
    rows = [f"c{i % 4},{i},2024-01-{1 + i % 28:02},{5 + i},{says[i % 4]}" for i in range(60)]
    rows += ["c3,99,2024-02-01,5,no"]
    path.write_text("customer_id,order_id,day,amount,Accepts Marketing\n" + "\n".join(rows) + "\n")
    variables, _ = proposed(path)
    result = build("--select", "+stg_customers", **variables)
    assert result.success, result.log
    known = result.query(
        """
        select customer_id, coalesce(cast(has_consent as varchar), 'unknown') as says
        from staging.stg_customers order by all
        """
    )
    assert dict(zip(known["customer_id"], known["says"], strict=True)) == {
        "c0": "true", "c1": "false", "c2": "unknown", "c3": "false",
    }  # fmt: skip


def test_amounts_of_other_currencies_are_in_no_sum(
    orders: list[Order], build: Builder, tmp_path: Path
) -> None:
    path = FORMATS["woocommerce"].write(orders, tmp_path / "export.csv")
    result = build("--select", "+status_values", *STAGING_AND_METRICS[1:], **proposed(path)[0])
    assert result.success, result.log
    sums = result.query(
        """
        select
            (select sum(amount) from staging.status_values where counted_as = 'purchase'),
            (select sum(amount) from staging.order_exclusions where exclusion_reason = 'accepted'),
            (select sum(amount) from staging.order_exclusions where exclusion_reason like 'other%'),
            (select sum(amount) from staging.excluded_order_lines where currency_code = 'USD') > 100
        """
    )
    truth = FORMATS["woocommerce"].truth(orders).amount
    assert [Decimal(str(value)) for value in sums.iloc[0][:3]] == [truth, truth, 0]
    assert sums.iloc[0].iloc[3]


def test_init_away_from_the_project_says_where_to_run_it(tmp_path: Path) -> None:
    refused = CliRunner().invoke(main, ["init", "orders.csv", "--project-dir", str(tmp_path)])
    assert refused.exit_code == 1
    assert "is not the folder of this project. Run it there, or name the folder:" in refused.output


def test_addresses_are_not_written_into_the_vars(orders: list[Order], tmp_path: Path) -> None:
    path = FORMATS["shopify"].write(orders, tmp_path / "export.csv")
    proposed(path)
    assert "customer1@" not in path.with_suffix(".yml").read_text()


def test_olists_files_are_joined(orders: list[Order], build: Builder, tmp_path: Path) -> None:
    database = write_olist(orders, tmp_path, (EXAMPLES / "olist.sql").read_text())
    variables = example("olist") | {"attached_databases": {"olist": str(database)}}
    kept = [order for order in orders if order.counts]
    assert found(build(*STAGING_AND_METRICS, data_tests=True, **variables)) == Truth(
        len(kept), len({order.email for order in kept}), sum((o.total for o in kept), Decimal(0))
    )


def test_amounts_of_several_currencies_are_never_added_up(
    orders: list[Order], build: Builder, tmp_path: Path
) -> None:
    path = FORMATS["woocommerce"].write(orders, tmp_path / "export.csv")
    variables = example("woocommerce") | {"orders_location": str(path)}
    refused = build(*STAGING_AND_METRICS, **variables)
    assert not refused.success
    assert "the amounts are in 2 currencies, which are never added up: EUR (" in refused.log

    (tmp_path / "rates.csv").write_text(
        "currency,month,rate\nEUR,2024-01-01,1\n"
        + "".join(
            f"{code},{year}-{month:02},{rate}\n"
            for code, rate in (("EUR", 1), ("usd", "0.9"))
            for year in (2024, 2025)
            for month in range(1, 13)
            if (code, year, month) != ("EUR", 2024, 1)
        )
    )
    converted = build(
        *STAGING_AND_METRICS[:2],
        "+currency_values",
        *STAGING_AND_METRICS[2:],
        **variables,
        currency="EUR",
        currency_rates_location=str(tmp_path / "rates.csv"),
    )
    assert converted.success, converted.log
    kinds = converted.query("select value, counted_as from staging.currency_values order by value")
    assert kinds.to_numpy().tolist() == [["EUR", "converted"], ["USD", "converted"]]
    counted = [order for order in orders if order.status in ("paid", "partly refunded")]
    amount = converted.value("select sum(amount) from staging.orders")
    assert amount == sum(
        (o.total - o.refunded) * (Decimal("0.9") if o.currency == "USD" else 1) for o in counted
    )


COLUMNS = {"customer_id": "who", "order_id": "number", "ordered_at": "day", "amount": "paid"}


def read(build: Builder, tmp_path: Path, text: str, **variables: Any) -> Build:
    """Build staging and metrics of a small CSV."""
    (tmp_path / "orders.csv").write_text(text)
    columns = COLUMNS | variables.pop("further", {})
    selected = (*STAGING_AND_METRICS[:2], "+input_alarms", *STAGING_AND_METRICS[2:])
    return build(
        *selected,
        orders_location=str(tmp_path / "orders.csv"),
        order_columns=columns,
        **variables,
    )


def accepted(result: Build) -> list[tuple[Any, ...]]:
    """Customer, order, day, amount and lines of each order."""
    assert result.success, result.log
    rows = result.query(
        """
        select customer_id, order_id, cast(order_date as varchar), cast(amount as double), num_lines
        from staging.orders order by all
        """
    )
    return [tuple(row) for row in rows.itertuples(index=False)]


def reasons(result: Build) -> dict[str, int]:
    """How many rows were left out, by reason."""
    rows = result.query("from staging.order_exclusions where num_rows > 0")
    return dict(zip(rows["exclusion_reason"], rows["num_rows"], strict=True))


LINES = """who,number,day,paid,state
a,1,2024-01-01,10,paid
,1,,5,
b,2,2024-01-02,10,cancelled
b,2,2024-01-02,5,
c,3,2024-01-03,7,paid
"""


def test_what_the_first_line_says_holds_for_the_order(build: Builder, tmp_path: Path) -> None:
    result = read(build, tmp_path, LINES, further={"status": "state"})
    assert accepted(result) == [("a", "1", "2024-01-01", 15, 2), ("c", "3", "2024-01-03", 7, 1)]
    assert reasons(result) == {"accepted": 3, "excluded_status": 2}


def test_a_status_of_single_lines_is_that_of_the_line(build: Builder, tmp_path: Path) -> None:
    """Most orders have none, so that it is no field of the order."""
    few = "who,number,day,paid,state\n" + "".join(
        f"a,{number},2024-01-0{number},10,\na,{number},2024-01-0{number},5,{state}\n"
        for number, state in ((1, "cancelled"), (2, ""), (3, ""))
    )
    result = read(build, tmp_path, few, further={"status": "state"})
    assert [row[3:] for row in accepted(result)] == [(10, 1), (15, 2), (15, 2)]
    alarms = result.query("select alarm from metrics.input_alarms")["alarm"]
    assert "status_on_one_line" in set(alarms)


def test_a_number_of_several_customers_fills_nothing(build: Builder, tmp_path: Path) -> None:
    shared = "who,number,day,paid\na,1,2024-01-01,10\nb,1,2024-01-02,10\n,1,,5\n"
    result = read(build, tmp_path, shared)
    assert [row[:2] for row in accepted(result)] == [("a", "1"), ("b", "1")]
    assert reasons(result) == {"accepted": 2, "missing_customer_id": 1}


def test_an_orders_total_counts_once_and_several_are_none(build: Builder, tmp_path: Path) -> None:
    totals = """who,number,day,paid,back
a,1,2024-01-01,30,10
a,1,2024-01-01,30,10
b,2,2024-01-02,20,
b,2,2024-01-02,,
c,3,2024-01-03,20,
c,3,2024-01-03,25,
d,4,2024-01-04,much,
e,5,2024-01-05,9,nine
e,5,2024-01-05,,
"""
    result = read(
        build, tmp_path, totals, rows_are="lines_with_order_total",
        further={"refunded_amount": "back"},
    )  # fmt: skip
    assert accepted(result) == [("a", "1", "2024-01-01", 20, 2), ("b", "2", "2024-01-02", 20, 2)]
    assert reasons(result) == {"accepted": 4, "several_order_totals": 2, "unreadable_amount": 3}
    assert result.value("select sum(gross_amount) - sum(returned_amount) from staging.orders") == 40
    assert result.value("select sum(returned_amount) from staging.orders") == 10


def test_rows_that_are_no_orders_are_in_the_ledger(build: Builder, tmp_path: Path) -> None:
    kinds = "who,number,day,paid,kind\na,1,2024-01-01,10,sale\na,2,2024-01-02,1.234,payout\n"
    result = read(build, tmp_path, kinds, order_rows="kind = 'sale'", rows_are="orders")
    assert accepted(result) == [("a", "1", "2024-01-01", 10, 1)]
    assert reasons(result) == {"accepted": 1, "no_order_row": 1}
    refused = read(build, tmp_path, kinds, order_rows="sort = 'sale'")
    assert "order_rows: the condition names a column 'sort' that doesn't exist" in refused.log


def test_refunds_are_no_return_where_returns_are_left_out(build: Builder, tmp_path: Path) -> None:
    refund = "who,number,day,paid,back\na,1,2024-01-01,10,4\na,2,2024-01-02,10,four\n"
    further = {"further": {"refunded_amount": "back"}}
    assert [row[3] for row in accepted(read(build, tmp_path, refund, **further))] == [6]
    left_out = read(build, tmp_path, refund, **further, returns="exclude")
    assert [row[3] for row in accepted(left_out)] == [10]


def test_one_row_an_order_needs_no_order_id(build: Builder, tmp_path: Path) -> None:
    rows = "who,number,day,paid\na,1,2024-01-01,10\nb,2,2024-01-02,20\n"
    result = read(build, tmp_path, rows, rows_are="orders", further={"order_id": None})
    assert [row[0] for row in accepted(result)] == ["a", "b"]


@pytest.mark.parametrize(
    ("rates", "sentence"),
    [
        ("EUR,2024-01,1\nEUR,2024-01-15,2\n", "EUR has several rates for 2024-01. Give one for"),
        ("EUR,2024-01,none\n", "the row 'EUR, 2024-01, none' is no rate. Give currency (EUR)"),
    ],
    ids=["two of a month", "no number"],
)
def test_rates_that_are_none_stop_the_build(
    build: Builder, tmp_path: Path, rates: str, sentence: str
) -> None:
    (tmp_path / "rates.csv").write_text(f"currency,month,rate\n{rates}")
    refused = read(
        build, tmp_path, LINES, further={"currency": "'EUR'"}, currency="EUR",
        currency_rates_location=str(tmp_path / "rates.csv"),
    )  # fmt: skip
    assert not refused.success
    assert sentence in refused.log


def test_a_row_without_a_rate_says_so(build: Builder, tmp_path: Path) -> None:
    (tmp_path / "rates.csv").write_text("currency,month,rate\nUSD,2024-01,0.5\n")
    rows = "who,number,day,paid,money\na,1,2024-01-31,10,usd\na,2,2024-02-01,10,USD\n"
    rows += "a,3,2024-01-01,3,\n"
    result = read(
        build, tmp_path, rows, further={"currency": "money"}, currency="EUR", rows_are="orders",
        currency_rates_location=str(tmp_path / "rates.csv"),
    )  # fmt: skip
    assert [row[3] for row in accepted(result)] == [5]
    assert reasons(result) == {"accepted": 1, "missing_currency_rate": 2}
