"""Two shops that are made up: one of planted groups, the sample, and one without any groups.

``python -m customer_segmentation.sample`` writes ``seeds/raw_orders.csv``,
``seeds/raw_customers.csv`` and ``examples/continuous_shop.csv``. The same seed gives the same
bytes, on any machine. Which archetype was planted in which customer stays in memory, for the tests:
no model may read the answer.

The sample
    Orders of planted archetypes over two years, with the mess of real exports, as below.

The continuous shop
    Clean orders of customers who differ by degrees only: how often they order, how long they stay
    and what they spend are each drawn from one distribution with one hump.

How customers behave
    Gaps between orders follow a gamma distribution (shape 3, so steadier than a Poisson process),
    baskets a log-normal one. See :data:`ARCHETYPES` for rates, baskets and when customers stop.

What is messy
    Missing and placeholder customers, unreadable dates and amounts, rows that repeat a line id,
    cancelled orders, partial returns and returns of everything, one order dated 2099, zero amounts,
    stray white space and case in ids, ids outside ASCII; in the customer file, several spellings of
    yes and no, unknown consent, customers listed twice and customers not listed.
"""

from __future__ import annotations

import argparse
import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

START = datetime(2024, 1, 1)
END = datetime(2026, 1, 1)
DAYS = (END - START).days

ORDER_COLUMNS = (
    "line_id", "order_id", "customer_id", "ordered_at", "amount", "status", "category", "discount",
)  # fmt: skip
CATEGORIES = ("garden", "kitchen", "paper", "textiles", "toys")
CUSTOMER_COLUMNS = ("customer_id", "has_consent", "is_unsubscribed", "last_contacted_on")


@dataclass(frozen=True)
class Archetype:
    """How one kind of customer buys. Days count from the start of the two years."""

    name: str
    customers: int
    days_between_orders: float | None
    """Mean gap; None: a single order."""
    basket: float
    """Median order value."""
    first_order: tuple[int, int]
    """Earliest and latest day of the first order."""
    last_order: tuple[int, int]
    """Earliest and latest day on which the customer stops buying."""


ARCHETYPES = (
    Archetype("loyal_high_value", 140, 28, 130, (0, 365), (DAYS, DAYS)),
    Archetype("loyal_small_basket", 160, 33, 28, (0, 365), (DAYS, DAYS)),
    Archetype("infrequent_engaged", 260, 120, 65, (0, 365), (DAYS, DAYS)),
    Archetype("lapsed_regular", 240, 50, 60, (0, 120), (280, 450)),
    Archetype("recent_one_time", 200, None, 35, (DAYS - 60, DAYS), (DAYS, DAYS)),
    Archetype("lapsed_one_time", 180, None, 45, (0, 420), (DAYS, DAYS)),
)


@dataclass(frozen=True)
class Sample:
    """Two CSV texts, and the planted truth that only tests may see."""

    orders: str
    customers: str
    planted: dict[str, str]
    """Clean customer id: archetype's name."""


def _csv(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def _order_days(random: np.random.RandomState, archetype: Archetype) -> list[float]:
    """Days of one customer's orders, ascending; at least one."""
    day = random.uniform(*archetype.first_order)
    if archetype.days_between_orders is None:
        return [min(day, DAYS - 0.01)]
    stop = random.uniform(*archetype.last_order)
    days = []
    while day < stop:
        days.append(day)
        day += random.gamma(3, archetype.days_between_orders / 3)
    return days


def generate(seed: int = 20260101) -> Sample:
    """Make the sample shop.

    ``numpy.random.RandomState`` is used because its streams are frozen: later versions of NumPy
    give the same numbers.
    """
    random = np.random.RandomState(seed)
    # Of its own, so that what no metric of the project reads leaves the rest of the shop as it was.
    extras = np.random.RandomState(seed + 1)
    planted: dict[str, str] = {}
    purchases: list[tuple[float, str, float]] = []  # day, customer, order value
    returns_everything: set[str] = set()

    number = 0
    for archetype in ARCHETYPES:
        for position in range(archetype.customers):
            number += 1
            # Every 150th id is outside ASCII: a name the shop's till accepted.
            customer = f"ÅSÉ-客{number:04d}" if number % 150 == 0 else f"C{number:05d}"
            planted[customer] = archetype.name
            if archetype.name == "lapsed_one_time" and position < 6:
                returns_everything.add(customer)
            for day in _order_days(random, archetype):
                value = archetype.basket * np.exp(random.normal(0, 0.35))
                purchases.append((day, customer, float(value)))

    for _ in range(220):
        purchases.append((random.uniform(0, DAYS), "guest", float(random.lognormal(3.6, 0.5))))
    purchases.sort()

    lines: list[list[str]] = []

    discount = "no"

    def add_line(order: str, customer: str, day: float, amount: str, status: str) -> None:
        moment = START + timedelta(seconds=int(day * 86400))
        lines.append(
            [
                f"L{len(lines) + 1:06d}",
                order,
                customer,
                f"{moment:%Y-%m-%d %H:%M:%S}",
                amount,
                status,
                CATEGORIES[extras.randint(len(CATEGORIES))],
                discount,
            ]
        )

    for order_number, (day, customer, value) in enumerate(purchases, start=1):
        order = f"O{order_number:06d}"
        discount = "yes" if extras.uniform() < 0.15 else "no"
        status = "completed"
        if customer not in returns_everything and random.uniform() < 0.02:
            status = ("cancelled", "Cancelled ", "CANCELLED")[random.randint(3)]
        parts = 1 + int(random.uniform() < 0.25)
        split = random.uniform(0.3, 0.7) if parts == 2 else 1.0
        for share in (split, 1 - split)[:parts]:
            add_line(order, customer, day, f"{value * share:.2f}", status)
        if random.uniform() < 0.01:
            add_line(order, customer, day, "0.00", status)  # a free gift
        if customer in returns_everything:
            add_line(f"R{order_number:06d}", customer, min(day + 9, DAYS - 0.01), "", "returned")
            lines[-1][4] = f"-{sum(float(line[4]) for line in lines if line[1] == order):.2f}"
        elif status == "completed" and random.uniform() < 0.03:
            back = random.uniform(0.2, 1) * value
            late = min(day + random.uniform(2, 25), DAYS - 0.01)
            add_line(f"R{order_number:06d}", customer, late, f"-{back:.2f}", "returned")

    _make_messy(random, lines, returns_everything)
    customers = _customers(random, list(planted))
    return Sample(_csv(ORDER_COLUMNS, lines), _csv(CUSTOMER_COLUMNS, customers), planted)


def _make_messy(random: np.random.RandomState, lines: list[list[str]], untouched: set[str]) -> None:
    """Spoil some lines in place, and append repeated ones and the order from the future."""
    clean = [number for number, line in enumerate(lines) if line[2] not in untouched]
    chosen = random.permutation(clean)
    position = 0

    def some(count: int) -> list[list[str]]:
        nonlocal position
        position += count
        return [lines[number] for number in chosen[position - count : position]]

    for line in some(140):
        line[2] = ("", " ", "  ")[random.randint(3)]
    for line in some(50):
        line[3] = ("n/a", "", "2024-13-45 00:00:00", "yesterday")[random.randint(4)]
    for line in some(50):
        line[4] = ("", "12,50", "abc", "NaN")[random.randint(4)]
    for line in some(300):
        line[2] = (line[2].lower(), f" {line[2]}", f"{line[2]}  ")[random.randint(3)]
    for line in some(90):  # the export ran twice
        lines.append(list(line))
    for line in some(10):  # a line id used for two different amounts
        lines.append([*line[:4], f"{abs(float(line[4])) + 1:.2f}", *line[5:]])
    future = list(some(1)[0])
    lines.append(
        ["L999999", "O999999", future[2], "2099-12-31 00:00:00", "49.90", "completed", *future[6:]]
    )


def _customers(random: np.random.RandomState, ids: list[str]) -> list[list[str]]:
    """Consent and contact rows for most customers, some twice."""
    yes, no = ("true", "yes", "1", "TRUE"), ("false", "no", "0", "False")
    rows = []
    for customer in ids:
        if random.uniform() < 0.06:
            continue
        draw = random.uniform()
        consent = (
            "" if draw < 0.05 else no[random.randint(4)] if draw < 0.2 else yes[random.randint(4)]
        )
        unsubscribed = yes[random.randint(4)] if random.uniform() < 0.05 else no[random.randint(4)]
        contacted = ""
        if random.uniform() < 0.4:
            contacted = f"{END - timedelta(days=1 + int(random.uniform(0, 200))):%Y-%m-%d}"
        rows.append([customer, consent, unsubscribed, contacted])
        if random.uniform() < 0.01:  # listed twice, the second time unsubscribed
            rows.append([customer.lower(), consent, yes[random.randint(4)], ""])
    return rows


def generate_continuous(seed: int = 20260101, customers: int = 1500) -> str:
    """Make the continuous shop; returns a CSV text of a line per order.

    A customer orders at random (Poisson) at a rate of their own (gamma), until they leave (at a
    time that is exponential; two fifths leave after the first order), as in the Pareto/NBD model
    (Schmittlein, Morrison and Colombo 1987); order values are log-normal around a level of their
    own.
    """
    random = np.random.RandomState(seed)
    orders: list[tuple[float, str, float]] = []
    for number in range(1, customers + 1):
        day = random.uniform(0, DAYS)
        gap = 60 / max(random.gamma(1.5, 1 / 1.5), 0.05)
        leaves = day if random.uniform() < 0.4 else day + random.exponential(300)
        level = random.normal(np.log(60), 0.6)
        while day < DAYS:
            orders.append((day, f"K{number:05d}", float(np.exp(random.normal(level, 0.4)))))
            day += random.exponential(gap)
            if day > leaves:
                break
    lines = [
        [
            f"O{number:05d}",
            customer,
            f"{START + timedelta(seconds=int(day * 86400)):%Y-%m-%d %H:%M:%S}",
            f"{value:.2f}",
        ]
        for number, (day, customer, value) in enumerate(sorted(orders), start=1)
    ]
    return _csv(["order_id", "customer_id", "ordered_at", "amount"], lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the files of both shops."""
    parser = argparse.ArgumentParser(
        prog="python -m customer_segmentation.sample",
        description="Write the orders and customers of the shops that are made up as CSV files.",
    )
    parser.add_argument(
        "--folder", type=Path, default=Path(), help="the project (default: this folder)"
    )
    parser.add_argument(
        "--seed", type=int, default=20260101, help="random seed (default: 20260101)"
    )
    options = parser.parse_args(arguments)
    sample = generate(options.seed)
    for name, text in (
        ("seeds/raw_orders.csv", sample.orders),
        ("seeds/raw_customers.csv", sample.customers),
        ("examples/continuous_shop.csv", generate_continuous(options.seed)),
    ):
        path = options.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
        print(f"{path}: {text.count(chr(10)) - 1:,} rows, {len(text.encode()) / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
