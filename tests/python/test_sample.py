"""The sample shop: the same bytes every time, and the mess that it promises."""

import csv
from pathlib import Path

import pytest

from customer_segmentation.sample import ARCHETYPES, generate, generate_continuous, main

PROJECT = Path(__file__).parents[2]
SEEDS = PROJECT / "seeds"
FILES = ["seeds/raw_orders.csv", "seeds/raw_customers.csv", "examples/continuous_shop.csv"]


def test_regenerating_gives_the_bytes_of_the_files(tmp_path: Path) -> None:
    main(["--folder", str(tmp_path)])
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (PROJECT / name).read_bytes()


def test_another_seed_gives_another_shop() -> None:
    assert generate(1).orders != generate(2).orders
    assert generate_continuous(1) != generate_continuous(2)


def test_the_files_stay_small() -> None:
    assert sum((PROJECT / name).stat().st_size for name in FILES) < 1.5e6


@pytest.fixture(scope="module")
def lines() -> list[dict[str, str]]:
    with (SEEDS / "raw_orders.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("customer_id", ""),
        ("customer_id", "guest"),
        ("ordered_at", "n/a"),
        ("ordered_at", "2099-12-31 00:00:00"),
        ("amount", "12,50"),
        ("amount", "0.00"),
        ("status", "Cancelled "),
        ("status", "returned"),
    ],
)
def test_the_mess_is_there(lines: list[dict[str, str]], field: str, value: str) -> None:
    assert any(line[field] == value for line in lines)


def test_line_ids_repeat_and_ids_leave_ascii(lines: list[dict[str, str]]) -> None:
    assert len({line["line_id"] for line in lines}) < len(lines)
    assert any(not line["customer_id"].isascii() for line in lines)


def test_every_archetype_is_planted() -> None:
    planted = list(generate().planted.values())
    for archetype in ARCHETYPES:
        assert planted.count(archetype.name) == archetype.customers
