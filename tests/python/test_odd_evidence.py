"""The report is written whatever the evidence is worth."""

import re
from pathlib import Path

import pytest
from conftest import Builder

from customer_segmentation.database import NotReadable
from customer_segmentation.report.page import write_report
from customer_segmentation.report.shop import Shop

HEADER = "customer_id,order_id,ordered_at,amount\n"


def lines(customers: list[tuple[str, int, float, str]]) -> str:
    """Orders of customers: id, number of orders, amount of each and first day."""
    return "".join(
        f"{customer},{customer}-{order},{day},{amount + order / 100}\n"
        for customer, num_orders, amount, day in customers
        for order in range(num_orders)
    )


SHOPS = {
    "two customers": [("a", 1, 10, "2024-03-01"), ("b", 3, 90, "2024-05-01")],
    "three customers": [
        ("a", 2, 10, "2024-03-01"),
        ("b", 3, 90, "2024-05-01"),
        ("c", 1, 40, "2024-01-01"),
    ],
    "each a segment": [(f"c{i}", i, 10**i, f"2024-0{i}-01") for i in range(1, 10)],
    "all alike": [(f"c{number}", 1, 20, "2024-03-01") for number in range(40)],
    "three kinds": [
        (f"c{number}", 1 + 3 * (number % 3), 20 * (1 + number % 3), f"2024-0{1 + number % 3}-01")
        for number in range(42)
    ],
}


@pytest.mark.parametrize("shop", SHOPS)
def test_the_report_is_written(build: Builder, tmp_path: Path, shop: str) -> None:
    orders = tmp_path / "orders.csv"
    orders.write_text(HEADER + lines(SHOPS[shop]))
    built = build(
        orders_location=str(orders),
        order_columns={name: name for name in HEADER.strip().split(",")},
        segment_count={"two customers": 2, "each a segment": 9}.get(shop, "auto"),
    )
    site = tmp_path / "site"
    copy = Shop(built.copy(tmp_path / "copy"))
    if shop == "all alike":
        assert not built.success
        assert "too few for 3 segments" in built.log
        with pytest.raises(NotReadable, match="not built to its end"):
            write_report(copy, site, lambda text: None)
        return
    assert built.success, built.log
    page = write_report(copy, site, lambda text: None)
    # What isn't known is said in words.
    text = "".join(
        file.read_text(encoding="utf-8").split("<script")[0]
        for file in (page, page.with_name("analysis.html"))
    )
    assert not re.search(r"\b(?:nan|NaN|NaT|inf)\b|\bNone[^ ]", text)
    if shop == "three customers":
        assert "Too few customers differ to tell natural groups from a continuum: these" in text
