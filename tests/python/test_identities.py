"""Who is a customer: ids that are one person are merged, each by a rule that can be taken back."""

import random
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from conftest import STAGING_AND_METRICS, Build, Builder

KEY = "a long random text for the tests"
COLUMNS = {
    "customer_id": "account", "email": "address", "order_id": "number", "ordered_at": "day",
    "amount": "paid",
}  # fmt: skip
BUILT = (*STAGING_AND_METRICS[:2], "+input_alarms", *STAGING_AND_METRICS[2:])


def shop_with_planted_people(num_people: int = 300, seed: int = 5) -> pd.DataFrame:
    """Orders of people of whom a fifth have two to five accounts, in several spellings, and guests.

    All accounts of a person have the same e-mail address; ``person`` is the truth.
    """
    source = random.Random(seed)
    rows: list[dict[str, Any]] = []
    for person in range(num_people):
        num_accounts = source.randint(2, 5) if source.random() < 0.2 else 1
        accounts = [f"Account{person}n{place}" for place in range(num_accounts)]
        for _ in range(source.randint(num_accounts, num_accounts + 4)):
            account = source.choice(accounts)
            spelling = source.choice((account, account, account.upper()))
            rows.append({
                "account": source.choice((spelling, spelling, spelling, "guest", "")),
                "address": source.choice((f"p{person}@shop.example", f" P{person}@Shop.example")),
                "number": f"B{len(rows)}",
                "day": f"2024-{source.randint(1, 12):02}-{source.randint(1, 28):02}",
                "paid": source.randint(500, 20000) / 100,
                "person": person,
            })  # fmt: skip
    return pd.DataFrame(rows)


SHOP = shop_with_planted_people()


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUSTOMER_EMAIL_KEY", KEY)


def read(build: Builder, tmp_path: Path, shop: pd.DataFrame = SHOP, **variables: Any) -> Build:
    """Build staging and metrics of a shop."""
    shop.to_csv(tmp_path / "orders.csv", index=False)
    result = build(
        *BUILT,
        orders_location=str(tmp_path / "orders.csv"),
        order_columns=variables.pop("order_columns", COLUMNS),
        rows_are="orders",
        **variables,
    )
    assert result.success, result.log
    return result


def customers(result: Build, shop: pd.DataFrame = SHOP) -> pd.DataFrame:
    """Each order with the person who made it and the customer that it was read as."""
    orders = result.query("select order_id, customer_id, amount from staging.orders")
    return orders.merge(shop, left_on="order_id", right_on="number")


def false_merges(result: Build) -> int:
    """How many customers are several people."""
    return int((customers(result).groupby("customer_id")["person"].nunique() > 1).sum())


def test_planted_people_are_found_and_a_rule_is_taken_back(build: Builder, tmp_path: Path) -> None:
    merged = read(build, tmp_path, merge_customers_by=["email", "id_without_case"])
    found = customers(merged)
    assert len(found) == len(SHOP)
    assert false_merges(merged) == 0
    assert (found.groupby("person")["customer_id"].nunique() == 1).all()
    revenue = found.groupby("person")["amount"].sum().astype(float).round(2)
    assert revenue.equals(SHOP.groupby("person")["paid"].sum().round(2).rename("amount"))
    rules = merged.query("select rule, count(*) as n from staging.identity_merges group by rule")
    assert set(rules["rule"]) == {"email", "id_without_case"}

    accounts = SHOP.loc[~SHOP["account"].isin(["", "guest"]), "account"]
    assert customers(read(build, tmp_path))["customer_id"].nunique() == accounts.nunique()
    by_case = read(build, tmp_path, merge_customers_by=["id_without_case"])
    assert false_merges(by_case) == 0
    assert customers(by_case)["customer_id"].nunique() == accounts.str.lower().nunique()
    assert set(by_case.query("from staging.identity_merges")["rule"]) == {"id_without_case"}


def test_a_row_of_the_list_merges_and_taken_away_does_not(build: Builder, tmp_path: Path) -> None:
    """Ids and addresses; who ordered as a guest is known by an address of the list."""
    rows = [
        ("a", "", 1), ("b", "", 1), ("c", "", 2), ("", "d@shop.example", 1),
        ("guest", "x@y.example", 3),
    ]  # fmt: skip
    shop = pd.DataFrame(
        [
            {"account": account, "address": address, "number": f"B{i}", "day": f"2024-01-0{i + 1}",
             "paid": 10 + i, "person": person}
            for i, (account, address, person) in enumerate(rows)
        ]
    )  # fmt: skip
    listed = tmp_path / "identities.csv"
    listed.write_text("identifier,customer_id\na,one\nb,one\nD@shop.example ,one\n")
    result = read(build, tmp_path, shop, customer_identities_location=str(listed))
    found = customers(result, shop).set_index("number")["customer_id"]
    assert dict(found) == {"B0": "one", "B1": "one", "B2": "c", "B3": "one"}
    listed.write_text("identifier,customer_id\na,one\n")
    again = read(build, tmp_path, shop, customer_identities_location=str(listed))
    found = customers(again, shop).set_index("number")["customer_id"]
    assert dict(found) == {"B0": "one", "B1": "b", "B2": "c"}


@pytest.mark.parametrize(
    ("identities", "alarm"),
    [
        ("a,b\nb,c\nc,a\n", "contradictory_identities"),
        ("a,one\na,two\n", "contradictory_identities"),
        ("".join(f"x{i},one\n" for i in range(40)), "many_ids_of_a_customer"),
        ("a,b\nb,c\n", None),
    ],
    ids=["a ring", "two customers", "forty ids", "a chain"],
)
def test_merges_that_are_probably_wrong_ring(
    build: Builder, tmp_path: Path, identities: str, alarm: str | None
) -> None:
    (tmp_path / "identities.csv").write_text(f"identifier,customer_id\n{identities}")
    shop = pd.DataFrame(
        [
            {"account": account, "address": "", "number": f"B{i}", "day": "2024-01-01",
             "paid": i + 1, "person": 0}
            for i, account in enumerate(["a", "b", "c", *(f"x{i}" for i in range(40))])
        ]
    )  # fmt: skip
    result = read(
        build, tmp_path, shop,
        customer_identities_location=str(tmp_path / "identities.csv"),
    )  # fmt: skip
    names = set(result.query("select alarm from metrics.input_alarms")["alarm"])
    ringing = names & {"contradictory_identities", "many_ids_of_a_customer"}
    assert ringing == ({alarm} if alarm else set())
    if alarm is None:
        assert customers(result, shop)["customer_id"].value_counts()["c"] == 3


def test_addresses_are_kept_nowhere(build: Builder, tmp_path: Path) -> None:
    """Neither they, nor the key, nor a hash that anybody could make."""
    result = read(build, tmp_path, merge_customers_by=["email"])
    stored = result.query(
        "select schema_name, table_name, column_name from duckdb_columns()"
        " where data_type = 'VARCHAR'"
        " and (schema_name, table_name) in (select (schema_name, table_name) from duckdb_tables())"
    )
    assert len(stored) > 30
    for schema, table, column in stored.itertuples(index=False):
        found = f"""from {schema}.{table} where lower("{column}") like '%@shop.example%'"""
        assert result.value(f"select count(*) {found}") == 0, found
    assert result.value(f"select count(*) from duckdb_views() where contains(sql, '{KEY}')") == 0
    written = [path for path in tmp_path.rglob("*") if path.suffix in (".sql", ".json", ".log")]
    assert written
    assert not [path for path in written if KEY.encode() in path.read_bytes()]
    assert KEY not in result.log
    anybodys = "select count(*) from staging.orders where customer_id = sha256('p0@shop.example')"
    assert result.value(anybodys) == 0


def test_without_a_key_nothing_is_hashed(
    build: Builder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUSTOMER_EMAIL_KEY", "short")
    SHOP.to_csv(tmp_path / "orders.csv", index=False)
    refused = build(
        *BUILT, orders_location=str(tmp_path / "orders.csv"), order_columns=COLUMNS,
        merge_customers_by=["email"],
    )  # fmt: skip
    assert not refused.success
    assert "there is none of at least 16 signs. Set CUSTOMER_EMAIL_KEY" in refused.log
