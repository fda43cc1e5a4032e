"""Pointing the project at one's own orders, with vars alone: CSV, Parquet, an attached database."""

from pathlib import Path

import duckdb
import pytest
from conftest import STAGING_AND_METRICS, VARS, Build, Builder

COLUMNS = {
    "customer_id": "Customer",
    "order_id": "Invoice",
    "ordered_at": "Date",
    "amount": "Amount",
}

ORDERS = """
    select
        printf('%05d', i % 40) as "Customer",
        printf('%06d', i) as "Invoice",
        timestamp '2024-01-01 12:00:00' + to_days((i * 7 % 300)::int) as "Date",
        5.25 + (i * i % 90) as "Amount"
    from range(400) as t (i)
"""


def write(path: str | Path, sql: str = ORDERS, options: str = "") -> None:
    duckdb.connect().sql(f"copy ({sql}) to '{path}' {options}")


def test_csv_keeps_leading_zeros_that_sniffing_would_lose(build: Builder) -> None:
    numbers_first = f"from ({ORDERS}) order by \"Customer\" like '0%'"
    write("orders.csv", numbers_first)
    result = build(
        data_tests=True, orders_location="orders.csv", order_columns=COLUMNS, dataset="mine"
    )
    assert result.success, result.log
    ids = result.query("select distinct customer_id from segments.customer_segments")
    assert set(ids["customer_id"]) == {f"{i:05d}" for i in range(40)}
    assert result.value("select dataset from staging.as_of") == "mine"
    consent = result.query("select distinct consent_status from marketing.marketing_targets")
    assert list(consent["consent_status"]) == ["unknown"]


def test_parquet_glob_and_csv_give_the_same_metrics(build: Builder, tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    write("orders.csv", options="(delimiter ';')")
    write("parts/a.parquet", f'from ({ORDERS}) where "Amount" < 50')
    write("parts/b.parquet", f'from ({ORDERS}) where "Amount" >= 50')
    metrics = "from metrics.customer_metrics order by customer_id"
    csv = build(*STAGING_AND_METRICS, orders_location="orders.csv", order_columns=COLUMNS).query(
        metrics
    )
    parquet = build(
        *STAGING_AND_METRICS, orders_location="parts/*.parquet", order_columns=COLUMNS
    ).query(metrics)
    assert len(csv) == 40
    assert csv.equals(parquet)


def test_lines_and_orders_agree_where_each_order_is_one_line(build: Builder) -> None:
    write("orders.parquet")
    location = {"orders_location": "orders.parquet", "order_columns": COLUMNS}
    metrics = "from metrics.customer_metrics order by customer_id"
    by_line = build(*STAGING_AND_METRICS, **location, rows_are="order_lines").query(metrics)
    by_order = build(*STAGING_AND_METRICS, **location, rows_are="orders")
    assert by_order.success, by_order.log
    assert by_line.equals(by_order.query(metrics))


def test_a_repeated_order_id_is_found_unless_the_check_is_off(build: Builder) -> None:
    write("orders.parquet", f"{ORDERS} union all from ({ORDERS}) limit 405")
    location = {
        "orders_location": "orders.parquet",
        "order_columns": COLUMNS,
        "rows_are": "orders",
    }
    checked = build(*STAGING_AND_METRICS, data_tests=True, **location)
    assert not checked.success
    assert "order_ids_are_the_key" in checked.log
    assert build(*STAGING_AND_METRICS, data_tests=True, **location, check_order_ids=False).success


def test_an_attached_database_serves_orders_and_customers(build: Builder) -> None:
    with duckdb.connect("shop.db") as shop:
        shop.sql(f"create schema sales; create table sales.orders as {ORDERS}")
        shop.sql(
            "create table sales.people as select distinct \"Customer\" as id, 'no' as ok"
            " from sales.orders where \"Customer\" < '00010'"
        )
    result = build(
        attached_databases={"erp": "shop.db"},
        orders_location="erp.sales.orders",
        order_columns=COLUMNS,
        customers_location="erp.sales.people",
        customer_columns={"customer_id": "id", "has_consent": "ok"},
    )
    assert result.success, result.log
    refused = "select count(*) from marketing.marketing_targets where consent_status = 'refused'"
    assert result.value(refused) == 10


def test_expressions_cast_and_what_they_cannot_is_excluded(build: Builder) -> None:
    write(
        "orders.csv",
        f"""
        select "Customer", "Invoice", strftime("Date", '%d.%m.%Y') as "Date",
            replace("Amount"::varchar, '.', ',') || ' EUR' as "Amount"
        from ({ORDERS})
        union all select '00001', '999999', '31.02.2024', '5,00 EUR'
        union all select '00001', '999998', '01.02.2024', 'free'
        """,
    )
    result = build(
        *STAGING_AND_METRICS,
        orders_location="orders.csv",
        order_columns=COLUMNS
        | {
            "ordered_at": "strptime(Date, '%d.%m.%Y')",
            "amount": "cast(replace(replace(Amount, ' EUR', ''), ',', '.') as decimal(18, 2))",
        },
    )
    assert result.success, result.log
    ledger = result.query("from staging.order_exclusions where num_rows > 0")
    rows = dict(zip(ledger["exclusion_reason"], ledger["num_rows"], strict=True))
    assert rows == {"accepted": 400, "unreadable_date": 1, "unreadable_amount": 1}


def test_the_sample_may_be_mapped_by_expressions_too(build: Builder, sample_build: Build) -> None:
    columns = VARS["order_columns"] | {"amount": "2 * cast(amount as double)"}
    doubled = build(*STAGING_AND_METRICS, order_columns=columns)
    assert doubled.success, doubled.log
    total = "select sum(total_amount) from metrics.customer_metrics"
    assert doubled.value(total) == 2 * sample_build.value(total)


def test_repeated_rows_are_kept_and_counted_without_a_line_id(build: Builder) -> None:
    write("orders.parquet", f"{ORDERS} union all from ({ORDERS}) where \"Invoice\" < '000025'")
    result = build(*STAGING_AND_METRICS, orders_location="orders.parquet", order_columns=COLUMNS)
    ledger = result.query("from staging.order_exclusions where exclusion_reason = 'accepted'")
    assert ledger["num_rows"].item() == 425
    assert ledger["num_repeated_rows"].item() == 25


@pytest.mark.parametrize(("zone", "day"), [("UTC", "2024-10-26"), ("Asia/Tokyo", "2024-10-27")])
def test_days_are_those_of_the_shops_zone(build: Builder, zone: str, day: str) -> None:
    evening = "(\"Date\" + interval 6 hour) at time zone 'UTC'"
    write("orders.parquet", f'select * replace ({evening} as "Date") from ({ORDERS})')
    result = build(
        *STAGING_AND_METRICS, orders_location="orders.parquet", order_columns=COLUMNS, timezone=zone
    )
    assert result.success, result.log
    assert str(result.value("select latest_order_date from staging.as_of"))[:10] == day


def test_a_window_moves_older_customers_to_a_segment_of_their_own(build: Builder) -> None:
    result = build(data_tests=True, as_of_date="2026-01-01", metrics_window_days=180)
    assert result.success, result.log
    older = """
        select count(*) from segments.customer_segments where segment_id = 'no_order_in_window'
    """
    assert result.value(older) > 100


def test_rows_that_start_with_a_hash_are_no_comments(build: Builder) -> None:
    with Path("orders.csv").open("w") as file:
        file.write("Invoice,Customer,Date,Amount\n")
        for i in range(300):
            hash_mark = "#" if i % 10 == 0 else ""
            file.write(f"{hash_mark}{i},c{i % 50},2024-01-{1 + i % 28:02d},{i}.5\n")
    result = build(*STAGING_AND_METRICS, orders_location="orders.csv", order_columns=COLUMNS)
    accepted = "select num_rows from staging.order_exclusions where exclusion_reason = 'accepted'"
    assert result.value(accepted) == 300


def test_quotes_are_quotes_however_late_the_first_one_comes(build: Builder) -> None:
    with Path("orders.csv").open("w") as file:
        file.write("Customer,Invoice,Date,Amount\n")
        for i in range(30_000):
            customer = f'"c{i % 50}"' if i > 25_000 else f"c{i % 50}"
            file.write(f"{customer},{i},2024-01-{1 + i % 28:02d},{i % 97}.5\n")
    result = build(*STAGING_AND_METRICS, orders_location="orders.csv", order_columns=COLUMNS)
    assert result.value("select count(*) from metrics.customer_metrics") == 50


def test_ids_of_floating_point_are_whole_and_never_nan(build: Builder) -> None:
    ids = "case when i % 10 = 0 then 'nan'::double else 10000 + i % 40 end"
    write(
        "orders.parquet",
        f'select * replace ({ids} as "Customer") from ({ORDERS.replace("select", "select i,")})',
    )
    result = build(*STAGING_AND_METRICS, orders_location="orders.parquet", order_columns=COLUMNS)
    customers = result.query("select customer_id from metrics.customer_metrics")["customer_id"]
    assert set(customers) == {str(10000 + i) for i in range(40) if i % 10}
    missing = (
        "select num_rows from staging.order_exclusions where exclusion_reason like 'miss%cust%'"
    )
    assert result.value(missing) == 40


def test_statuses_compare_in_the_alphabet_they_are_written_in(build: Builder) -> None:
    status = "case when \"Invoice\"::int % 5 = 0 then 'İptal' else 'Ödendi' end"
    write("orders.csv", f'select *, {status} as "State" from ({ORDERS})')
    result = build(
        *STAGING_AND_METRICS,
        orders_location="orders.csv",
        order_columns=COLUMNS | {"status": "State"},
        excluded_statuses=["İPTAL"],
    )
    excluded = "select num_rows from staging.order_exclusions where exclusion_reason like 'exc%'"
    assert result.value(excluded) == 80


def test_consent_and_contacts_that_cannot_be_read_mean_no(build: Builder) -> None:
    write("orders.csv")
    consent = ["", "yes", "1.0", "nein", "0.0", "Opt-out", "FALSE\t"]
    contact = ["", "", "05.04.2024"]
    with Path("people.csv").open("w") as file:
        file.write("id,ok,last\n")
        for i, ok in enumerate(consent):
            file.write(f"{i:05d},{ok},\n")
        for i, last in enumerate(contact, start=10):
            file.write(f"{i:05d},yes,{last}\n")
    result = build(
        orders_location="orders.csv",
        order_columns=COLUMNS,
        customers_location="people.csv",
        customer_columns={"customer_id": "id", "has_consent": "ok", "last_contacted_on": "last"},
    )
    assert result.success, result.log
    targets = result.query("from marketing.marketing_targets order by customer_id")
    targets = targets.set_index("customer_id")
    assert (
        targets["consent_status"].head(7).tolist()
        == ["unknown", "given", "given"] + ["refused"] * 4
    )
    assert targets.loc["00012", "suppressed_reason"] == "unreadable_contact"
    assert not targets.loc[["00003", "00004", "00005", "00006", "00012"], "is_eligible"].any()


def test_line_ids_that_count_within_orders_are_suspected(build: Builder) -> None:
    write("orders.csv", f"select *, i % 3 as line from ({ORDERS.replace('select', 'select i,')})")
    result = build(
        "--select",
        "+input_alarms",
        "+excluded_order_lines",
        orders_location="orders.csv",
        order_columns=COLUMNS | {"line_id": "line"},
    )
    alarms = result.query("from metrics.input_alarms").set_index("alarm")["sentence"]
    assert "order_id || '-' || line" in alarms["excluded_rows: repeated_line_id"]
    assert (
        result.query("from staging.excluded_order_lines")["exclusion_reason"]
        .eq("repeated_line_id")
        .all()
    )
