"""Bad input: one sentence that says what is wrong and what to do, and the results stay."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from conftest import (
    NO_DATA_TESTS,
    PROJECT,
    QUICK,
    Build,
    build_models,
    build_with_data_tests,
    copy_of_the_project,
    run_dbt,
)

COLUMNS = {"customer_id": "c", "order_id": "o", "ordered_at": "d", "amount": "a"}
LOCATION = QUICK | {"orders_location": "good.csv", "order_columns": COLUMNS}
GOOD = """
    select 'c' || i % 50 as c, i as o, date '2024-01-01' + (i % 97)::int as d, 1.0 + i % 31 as a
    from range(500) t (i)
"""


def write(path: str, sql: str) -> None:
    duckdb.connect().sql(f"copy ({sql}) to '{path}'")


def results(build: Build) -> dict[str, Any]:
    """Every table of the last three layers, as a hash of its rows."""
    with duckdb.connect(str(build.database)) as connection:
        tables = connection.sql(
            "select schema_name || '.' || table_name from duckdb_tables()"
            " where schema_name in ('clustering', 'segments', 'marketing')"
        ).fetchall()
        return {
            table: connection.sql(f"select count(*), bit_xor(hash(t)) from {table} as t").fetchall()
            for (table,) in tables
        }


# What else is wrong with vars and files, test_vars and test_sources ask without a build.
CASES = {
    "no file": (
        {"orders_location": "none.csv"},
        "orders_location: no file matches 'none.csv'. Check the path",
    ),
    "no column": (
        {"order_columns": COLUMNS | {"amount": "price * 2"}},
        "order_columns: the expression for 'amount' names a column 'price' that doesn't exist",
    ),
    "no such field": (
        {"order_columns": COLUMNS | {"phone": "c"}},
        "order_columns: there is no field 'phone'. The fields are customer_id, order_id,",
    ),
    "Parquet without rows": (
        {"orders_location": "empty.parquet"},
        "orders_location: 'empty.parquet' has a header but no row. Export it again",
    ),
    "a folder": (
        {"orders_location": "orders"},
        "orders_location: no table 'orders' is known",
    ),
    "no table": (
        {"orders_location": "erp.main.orders"},
        "orders_location: no database 'erp' is attached. Name its file in attached_databases",
    ),
    "no customers file": (
        {"customers_location": "none.csv"},
        "customers_location: no file matches 'none.csv'. Check the path",
    ),
    "fewer customers than segments": (
        {"orders_location": "few.csv"},
        "Too few customers: 2 can be clustered, and 3 segments are the least asked for. Bring more",
    ),
    "all customers alike": (
        {"orders_location": "alike.csv"},
        "The customers are all alike: 50 customers have 1 different combination(s) of total_",
    ),
    "no order accepted": (
        {"orders_location": "nobody.csv"},
        "No order was accepted: of 50 rows most were excluded as missing_customer_id (40 rows).",
    ),
    "as-of date before all orders": (
        {"as_of_date": "1999-01-01"},
        "No order was accepted: of 500 rows most were excluded as future_date (500 rows).",
    ),
    "customers that can't be read": (
        {"customers_location": "ragged.csv", "customer_columns": {"customer_id": "c"}},
        "ragged.csv",
    ),
    "customers who never ordered": (
        {"customers_location": "good.csv", "customer_columns": {"customer_id": "'x' || c"}},
        "listed_customers_are_customers_who_order",
    ),
    "two-digit years": (
        {"order_columns": COLUMNS | {"ordered_at": "strftime(d::date, '%d-%m-%y')"}},
        "No order was accepted: of 500 rows most were excluded as unreadable_date (500 rows). The"
        " values are like 2024-01-01, 2024-01-02, 2024-01-03. Text is read with the year first",
    ),
    "as-of date and nothing readable": (
        {"as_of_date": "2024-02-01", "order_columns": COLUMNS | {"ordered_at": "'never'"}},
        "No order was accepted: of 500 rows most were excluded as unreadable_date (500 rows).",
    ),
    "no column of one's own": (
        {"custom_order_columns": {"kind": "category"}},
        "custom_order_columns: the expression for 'kind' names a column 'category' that doesn't",
    ),
    "no var": (
        {"order_column": {}},
        "There is no var 'order_column'. Did you mean 'order_columns'? The vars are dataset,",
    ),
    "no feature": (
        {"candidate_features": ["num_order"]},
        "candidate_features: there is no metric 'num_order'. The metrics are total_amount,",
    ),
}


ACTIONS = ", ".join(
    row.split(",")[0]
    for row in (PROJECT / "seeds" / "actions.csv").read_text(encoding="utf-8").splitlines()[1:]
)

DATA_TESTS = ["listed_customers_are_customers_who_order"]
"""Sentences that are names of data tests; the others come from guards."""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Build, dict[str, Any]]]:
    """A good build of good orders, with the results that must stay, amid bad files."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        folder = tmp_path_factory.mktemp("bad_input")
        monkeypatch.chdir(folder)
        write("good.csv", GOOD)
        write("few.csv", f"from ({GOOD}) limit 2")
        write("alike.csv", f"select c, o, '2024-01-01' as d, 5 as a from ({GOOD}) limit 50")
        write(
            "nobody.csv",
            f"""
            select case when o >= 40 then c end as c, o, case when o < 40 then d end as d, a
            from ({GOOD}) limit 50
            """,
        )
        write("empty.parquet", f"from ({GOOD}) limit 0")
        Path("ragged.csv").write_text("c,x\n" + "c1,1\n" * 9 + 'c2,2,3,4,"5\n')
        good = build_models(folder / "shop.duckdb", LOCATION)
        assert good.success, good.log
        tables = results(good)
        assert len(tables) >= 8
        yield good, tables


@pytest.mark.parametrize("case", CASES)
def test_one_clear_sentence_and_nothing_replaced(
    shop: tuple[Build, dict[str, Any]], case: str, capfd: pytest.CaptureFixture[str]
) -> None:
    good, tables = shop
    variables, sentence = CASES[case]

    selection = [] if sentence in DATA_TESTS else NO_DATA_TESTS
    bad = build_with_data_tests(good.database, LOCATION | variables, *selection)

    assert not bad.success
    assert sentence in bad.log
    assert "Traceback" not in bad.log
    assert "Traceback" not in "".join(capfd.readouterr())
    assert results(bad) == tables


@pytest.mark.parametrize(
    ("guards", "fault", "sentence"),
    [
        (
            "seed_guards",
            "update segments.segment_archetypes set action = 'winback' where archetype = 'lapsed'",
            f"segment_archetypes.csv: action is one of those in actions.csv ({ACTIONS}); see"
            " lapsed.",
        ),
        (
            "seed_guards",
            "delete from segments.segment_archetypes where archetype = 'no_order'",
            "segment_archetypes.csv: a row for no_order is missing; customers who can't be",
        ),
        (
            "seed_guards",
            "update marketing.targeting_rules set action = 'wnback' where action = 'win_back'",
            f"targeting_rules.csv: action is one of those in actions.csv ({ACTIONS}); see"
            " about_to_lapse, best_and_cooling, lapsed.",
        ),
        (
            "seed_guards",
            "delete from marketing.actions where action in ('none', 'retain')",
            "actions.csv: a row for none, retain is missing; segments without an archetype take",
        ),
        (
            "clustering_guards",
            "update metrics.customer_metrics set num_orders = null where customer_id = 'c1'",
            "candidate_features: num_orders has no value, or no finite one, for 1 of the customers",
        ),
    ],
    ids=["action", "missing row", "rule's action", "missing actions", "missing value"],
)
def test_each_guard_says_what_is_wrong(
    shop: tuple[Build, dict[str, Any]], tmp_path: Path, guards: str, fault: str, sentence: str
) -> None:
    """The tables that the guards look at, spoilt after the build."""
    spoilt = shop[0].copy(tmp_path)
    with duckdb.connect(str(spoilt)) as connection:
        connection.sql(fault)
    refused = run_dbt(spoilt, ["run", "--select", guards], LOCATION)
    assert not refused.success
    assert sentence in refused.log
    assert "Traceback" not in refused.log


def of_the_old_form(text: str) -> str:
    """Archetypes as an earlier version of this project had them."""
    names = text.splitlines()[0].replace("name,claims", "segment,recency,frequency,value")
    rows = [re.sub(r"^(\w+,[^,]+),[^,]*,", r"\1,,,,", row) for row in text.splitlines()[1:]]
    return "\n".join([names, *rows]) + "\n"


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (
            lambda text: re.sub("(?m)^(lapsed,[^,]+),lapsed", r"\1,lapsd", text),
            "segment_archetypes.csv: claims are words of claims.csv with a space between them (new,"
            " active, cooling, lapsed, engaged, quiet, once, frequent, repeat, first_order_lately,"
            " top_value, high_value, big_basket); see lapsed (lapsd).",
        ),
        (
            of_the_old_form,
            "segment_archetypes.csv: the column 'name' is missing; there are archetype, segment,"
            " recency, frequency, value, description, strategy, action. Names are claims now:"
            " rename segment to name, and in place of recency, frequency and value write a column"
            " claims,"
            " words of claims.csv like 'lapsed once', nothing for the segments by rule.",
        ),
        (
            lambda text: text.replace("lapsed,Lapsed customers,", "lapsed,Active customers,"),
            "segment_archetypes.csv: each archetype has a name of its own; see active, lapsed.",
        ),
    ],
    ids=["claim", "old form", "names"],
)
def test_a_fault_in_a_seed_is_told_and_nothing_replaced(
    shop: tuple[Build, dict[str, Any]],
    tmp_path: Path,
    spoil: Callable[[str], str],
    sentence: str,
) -> None:
    good, tables = shop
    project = copy_of_the_project(tmp_path / "project")
    path = project / "seeds" / "segment_archetypes.csv"
    text = path.read_text()
    spoilt = spoil(text)
    assert spoilt != text
    path.write_text(spoilt)

    bad = build_with_data_tests(good.database, LOCATION, project=project)

    assert not bad.success
    assert sentence in bad.log
    assert "Traceback" not in bad.log
    seed = "segments.segment_archetypes"
    assert results(bad) | {seed: None} == tables | {seed: None}
