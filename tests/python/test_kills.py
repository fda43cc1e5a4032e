"""The script that disturbs builds sees what it looks for, and kills a few builds here."""

import random
import time
from pathlib import Path

import duckdb
import pytest
import yaml
from conftest import NO_DATA_TESTS, Build, Builder, continuous_shop

from kills import LIFE, Clean, Disturbed, Shop, disturb, judge
from reading import Read, edition_of, tables_of, things_of


@pytest.mark.parametrize(
    ("opened_again", "kept_open", "counted"),
    [
        (["old", "old", "new"], ["old", "old"], {}),
        (["new"], ["new"], {}),
        (["old", "new", "old"], ["old"], {"mixed editions read": 1}),
        (["old", "half"], ["old"], {"mixed editions read": 1}),
        (["old", "new"], ["old", "new"], {"mixed editions read": 1}),
        (["old", ""], [""], {"failed reads": 2}),
    ],
    ids=["a switch", "all new", "back again", "mixed", "under a connection", "failed"],
)
def test_readers_see_one_edition_after_the_other(
    opened_again: list[str], kept_open: list[str], counted: dict[str, int]
) -> None:
    disturbed = Disturbed(LIFE[1])
    reads = [
        [
            Read(float(i), 0.1, edition, "" if edition else "locked")
            for i, edition in enumerate(some)
        ]
        for some in (opened_again, kept_open)
    ]
    judge(reads, "old", "new", disturbed)
    assert disturbed.counts == {"reads": len(opened_again) + len(kept_open)} | counted


def test_before_a_first_edition_nothing_else_may_be_seen() -> None:
    disturbed = Disturbed(LIFE[0])
    judge([[Read(0.0, 0.1, "new", "")], [Read(0.0, 0.1, "half", "")]], "", "new", disturbed)
    assert disturbed.counts == {"reads": 2, "mixed editions read": 1}


def test_tables_are_the_same_in_any_order_of_rows_and_differ_by_one_value() -> None:
    def tables(rows: str, column: str = "b") -> dict[str, str]:
        with duckdb.connect() as connection:
            connection.execute("create schema metrics; create schema other")
            connection.execute("create table other.t as select random()")
            columns = f"a, {column}, seconds"
            connection.execute(f"create table metrics.t as from (values {rows}) as t ({columns})")
            return tables_of(connection)

    one = tables("(1, 'x', 0.1), (2, null, 0.2), (2, null, 0.2)")
    assert one.keys() == {"metrics.t"}
    assert one == tables("(2, null, 7.5), (1, 'x', 0.1), (2, null, 0.2)")
    assert one != tables("(1, 'x', 0.1), (2, null, 0.2)")
    assert one != tables("(2, 'x', 0.1), (1, null, 0.2), (2, null, 0.2)")
    assert one != tables("(1, 'x', 0.1), (2, null, 0.2), (2, null, 0.2)", "c")


def test_what_a_killed_build_left_is_no_edition(tmp_path: Path) -> None:
    database = tmp_path / "shop.duckdb"
    with duckdb.connect(str(database)) as connection:
        connection.execute("create table a__dbt_tmp20261126 as select 1")
    for name in ("12", "building"):
        (tmp_path / "shop.duckdb.editions" / name).mkdir(parents=True)
    assert things_of(database) == {
        "shop.duckdb", "shop.duckdb.editions", "shop.duckdb.editions/#",
        "shop.duckdb.editions/building", "main.a__dbt_tmp#",
    }  # fmt: skip


def clean_of(database: Path) -> Clean:
    """What a killed build has to come to, with editions beside it that this one lacks."""
    things = {f"shop.duckdb.editions{name}" for name in ("", "/lock", "/#", "/#/shop.duckdb")}
    things |= {"shop.duckdb", "main.editions"}
    with duckdb.connect(str(database)) as connection:
        edition, tables = edition_of(connection), tables_of(connection)
    return Clean(database, edition, tables, things, num_steps=18, disk=0, address_space=0)


def test_killed_builds_leave_what_was_published_and_the_next_one_is_whole(
    continuous_build: Build, build: Builder, tmp_path: Path
) -> None:
    """Three builds in a row are killed: as the copy begins, in the middle, and at the switch."""
    shops = (continuous_shop(), continuous_shop(as_of_date="2026-01-15"))
    # With their keys in order, as the command hands them to dbt: a table holds the mapping.
    life = [yaml.safe_load(yaml.safe_dump(shop)) for shop in shops]
    before = clean_of(continuous_build.copy(tmp_path / "before"))
    database = continuous_build.copy(tmp_path)
    started = time.perf_counter()
    built = build(**life[1])
    # In a process of its own, dbt takes about as long again to start.
    seconds = 2 * (time.perf_counter() - started)
    assert built.success, built.log
    cleans = [before, clean_of(database)]
    assert before.edition != cleans[1].edition

    shop = Shop(tmp_path / "shop", life, False, NO_DATA_TESTS)
    shop.restore(before)
    disturbed = disturb(shop, 1, "kill", random.Random(12188), cleans, [0.0, seconds], in_a_row=3)
    told = f"{disturbed.told}\n{disturbed.sentences}\n{disturbed.problems}"
    neither = {"disturbed", "reads", "too late", "published already"}
    assert not {name: n for name, n in disturbed.counts.items() if n and name not in neither}, told
    assert disturbed.counts["reads"] > 10, told
