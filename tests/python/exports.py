"""Orders as shop systems export them, written from one shop whose truth is known."""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

PAID, PARTLY, REFUNDED, CANCELLED, PENDING = (
    "paid",
    "partly refunded",
    "refunded",
    "cancelled",
    "pending",
)
Row = dict[str, Any]


@dataclass
class Order:
    """An order: what was bought, what came of it, and how the customer's address was typed."""

    number: int
    email: str
    typed_email: str
    is_guest: bool
    when: datetime
    lines: list[tuple[str, int, Decimal]]
    shipping: Decimal
    status: str
    currency: str = "EUR"
    refunded: Decimal = Decimal(0)

    @property
    def total(self) -> Decimal:
        """What was to be paid."""
        return sum((quantity * price for _, quantity, price in self.lines), self.shipping)

    @property
    def counts(self) -> bool:
        """Whether something was bought and kept, in euros."""
        return self.status in (PAID, PARTLY) and self.currency == "EUR"


@dataclass
class Truth:
    """What the orders of an export come to."""

    num_orders: int
    num_customers: int
    amount: Decimal


def cents(number: int) -> Decimal:
    """Give an amount of so many cents."""
    return Decimal(number) / 100


def price_of(source: random.Random) -> Decimal:
    """Draw a price."""
    return cents(source.randint(300, 9000))


def orders_of_a_shop(num_customers: int = 60, seed: int = 14) -> list[Order]:
    """Make the orders of a shop over a year and a half: everything that exports stumble over."""
    source = random.Random(seed)
    orders: list[Order] = []
    start = datetime(2024, 1, 1, 8, tzinfo=UTC)
    for customer in range(num_customers):
        email = f"customer{customer}@shop.example"
        for _ in range(1 + int(source.expovariate(0.4))):
            number = 1001 + len(orders)
            lines = [
                (f"SKU-{source.randrange(40)}", source.randint(1, 3), price_of(source))
                for _ in range(source.choice((1, 1, 2, 3)))
            ]  # fmt: skip
            order = Order(
                number, email, email.upper() if source.random() < 0.2 else email,
                source.random() < 0.3, start + timedelta(minutes=source.randrange(540 * 1440)),
                lines, cents(source.choice((0, 490, 990))),
                source.choices((PAID, PARTLY, REFUNDED, CANCELLED, PENDING), (80, 6, 4, 6, 4))[0],
                source.choices(("EUR", "USD"), (93, 7))[0],
            )  # fmt: skip
            if order.status == REFUNDED:
                order.refunded = order.total
            elif order.status == PARTLY:
                order.refunded = (order.total / 3).quantize(Decimal("0.01"))
            orders.append(order)
    return sorted(orders, key=lambda order: order.when)


def shopify(orders: list[Order]) -> Iterator[Row]:
    """Write what holds for an order on its first line only; days with offsets."""
    zone = timezone(timedelta(hours=-5))
    for order in orders:
        at = f"{order.when.astimezone(zone):%Y-%m-%d %H:%M:%S %z}"
        status = {PARTLY: "partially_refunded", CANCELLED: "paid"}.get(order.status, order.status)
        for place, (sku, quantity, price) in enumerate(order.lines):
            row: Row = {
                "Name": f"#{order.number}", "Email": order.typed_email, "Financial Status": "",
                "Paid at": "", "Fulfillment Status": "", "Accepts Marketing": "",
                "Currency": "", "Subtotal": "", "Shipping": "", "Taxes": "", "Total": "",
                "Discount Code": "", "Discount Amount": "", "Shipping Method": "", "Created at": at,
                "Lineitem quantity": quantity, "Lineitem name": sku, "Lineitem price": price,
                "Lineitem sku": sku, "Billing Name": "", "Notes": "", "Cancelled at": "",
                "Refunded Amount": "", "Vendor": "Shop", "Id": "", "Tags": "", "Source": "",
            }  # fmt: skip
            if place == 0:
                row |= {
                    "Financial Status": status, "Paid at": at, "Accepts Marketing": "yes",
                    "Currency": order.currency, "Subtotal": order.total - order.shipping,
                    "Shipping": order.shipping, "Taxes": "0.00", "Total": order.total,
                    "Discount Amount": "0.00", "Billing Name": "A Person",
                    "Cancelled at": at if order.status == CANCELLED else "",
                    "Refunded Amount": order.refunded, "Id": 5_000_000 + order.number,
                }  # fmt: skip
            yield row


def woocommerce(orders: list[Order]) -> Iterator[Row]:
    """Repeat an order's total on each of its items; guests have customer 0."""
    status = {PAID: "completed", PARTLY: "completed", REFUNDED: "refunded", CANCELLED: "cancelled",
              PENDING: "pending"}  # fmt: skip
    for order in orders:
        for place, (sku, quantity, price) in enumerate(order.lines):
            yield {
                "order_id": order.number, "order_number": order.number,
                "date": f"{order.when:%Y-%m-%d %H:%M:%S}", "status": status[order.status],
                "shipping_total": order.shipping, "tax_total": "0.00", "discount_total": "0.00",
                "order_total": order.total, "refunded_total": order.refunded,
                "order_currency": order.currency, "payment_method": "card",
                "customer_id": 0 if order.is_guest else int(order.email.split("@")[0][8:]) + 7,
                "billing_first_name": "A", "billing_last_name": "Person",
                "billing_email": order.typed_email, "item_id": order.number * 10 + place,
                "item_name": sku, "item_quantity": quantity, "item_total": quantity * price,
            }  # fmt: skip


RATE = Decimal("0.9")
"""Euros for a dollar, where the shop system converts."""


def in_euros(order: Order, amount: Decimal) -> Decimal:
    """Convert as the shop system does."""
    return amount if order.currency == "EUR" else (amount * RATE).quantize(Decimal("0.01"))


def stripe(orders: list[Order]) -> Iterator[Row]:
    """Write a row for each charge, also converted into the currency of the account."""
    status = {
        PARTLY: "Paid",
        REFUNDED: "Refunded",
        CANCELLED: "Failed",
        PENDING: "requires_capture",
    }
    for order in orders:
        yield {
            "id": f"ch_{order.number}", "Description": "", "Seller Message": "Payment complete.",
            "Created (UTC)": f"{order.when:%Y-%m-%d %H:%M}", "Amount": order.total,
            "Amount Refunded": order.refunded, "Currency": order.currency.lower(),
            "Converted Amount": in_euros(order, order.total),
            "Converted Amount Refunded": in_euros(order, order.refunded), "Fee": "0.30",
            "Converted Currency": "eur", "Mode": "Live", "Status": status.get(order.status, "Paid"),
            "Statement Descriptor": "SHOP",
            "Customer ID": "" if order.is_guest else f"cus_{order.email.split('@')[0]}",
            "Customer Email": order.typed_email, "Captured": "true",
        }  # fmt: skip


def magento(orders: list[Order]) -> Iterator[Row]:
    """Write a row for each order of the grid."""
    status = {PAID: "Complete", PARTLY: "Complete", REFUNDED: "Closed", CANCELLED: "Canceled"}
    for order in orders:
        yield {
            "ID": f"{order.number:09d}", "Purchase Point": "Main Website",
            "Purchase Date": f"{order.when:%b %d, %Y, %I:%M:%S %p}", "Bill-to Name": "A Person",
            "Ship-to Name": "A Person", "Grand Total (Base)": in_euros(order, order.total),
            "Grand Total (Purchased)": order.total,
            "Status": status.get(order.status, "Suspected Fraud"),
            "Customer Email": order.typed_email, "Customer Group": "General",
            "Subtotal": order.total - order.shipping, "Payment Method": "card",
            "Total Refunded": in_euros(order, order.refunded),
        }  # fmt: skip


def square(orders: list[Order]) -> Iterator[Row]:
    """Write a row for each payment and each refund, which has its own day; failed ones are none."""
    for order in orders:
        if order.status in (CANCELLED, PENDING) or order.currency != "EUR":
            continue
        events = [("Payment", order.when, order.total)]
        if order.refunded:
            events.append(("Refund", order.when + timedelta(days=3), -order.refunded))
        for event, when, amount in events:
            yield {
                "Date": f"{when.month}/{when.day}/{when:%y}", "Time": f"{when:%H:%M:%S}",
                "Time Zone": "Eastern Time (US & Canada)", "Gross Sales": f"€{amount:,.2f}",
                "Discounts": "€0.00", "Net Sales": f"€{amount:,.2f}".replace("€-", "-€"),
                "Tax": "€0.00", "Tip": "€1.00", "Total Collected": f"€{amount + 1:,.2f}",
                "Source": "Point of Sale", "Transaction ID": f"T{order.number}",
                "Event Type": event,
                "Customer ID": order.email.split("@")[0].upper(),
            }  # fmt: skip


def superstore(orders: list[Order]) -> Iterator[Row]:
    """Write a row for each line; what was sold is sold."""
    row_id = 0
    for order in orders:
        if not order.counts:
            continue
        for sku, quantity, price in order.lines:
            row_id += 1
            yield {
                "Row ID": row_id, "Order ID": f"CA-{order.number}",
                "Order Date": f"{order.when.month}/{order.when.day}/{order.when.year}",
                "Ship Date": "", "Customer ID": order.email.split("@")[0], "Customer Name": "Zoë",
                "Segment": "Consumer", "Product ID": sku, "Sales": quantity * price,
                "Quantity": quantity, "Discount": 0, "Profit": 1,
            }  # fmt: skip


@dataclass(frozen=True)
class Format:
    """How a shop system writes, and what it loses or changes of the truth."""

    rows: Callable[[list[Order]], Iterator[Row]]
    encoding: str = "utf-8"
    converts: bool = False
    """Whether the export has all amounts in euros, too."""
    leaves_out: tuple[str, ...] = field(default=())
    """refunds or shipping."""

    def write(self, orders: list[Order], path: Path) -> Path:
        """Write the export."""
        rows = list(self.rows(orders))
        with path.open("w", encoding=self.encoding, newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        return path

    def truth(self, orders: list[Order]) -> Truth:
        """Say what the export comes to."""
        counted = [o for o in orders if o.counts or (self.converts and o.status in (PAID, PARTLY))]
        amount = Decimal(0)
        for order in counted:
            amount += in_euros(order, order.total)
            if "refunds" not in self.leaves_out:
                amount -= in_euros(order, order.refunded)
            if "shipping" in self.leaves_out:
                amount -= order.shipping
        return Truth(len(counted), len({o.email for o in counted}), amount)


FORMATS = {
    "shopify": Format(shopify),
    "woocommerce": Format(woocommerce),
    "stripe": Format(stripe, converts=True),
    "magento": Format(magento, converts=True),
    "square": Format(square),
    "superstore": Format(superstore, encoding="cp1252", leaves_out=("refunds", "shipping")),
}


def write_olist(orders: list[Order], folder: Path, join: str) -> Path:
    """Write Olist's CSVs and join them as ``join``, a SQL script, does; name the database."""
    status = {CANCELLED: "canceled", PENDING: "created", REFUNDED: "unavailable"}
    kept = [order for order in orders if order.currency == "EUR"]
    tables: dict[str, list[Row]] = {
        "orders": [
            {
                "order_id": f"{o.number:032x}", "customer_id": f"{o.number + 10**6:032x}",
                "order_status": status.get(o.status, "delivered"),
                "order_purchase_timestamp": f"{o.when:%Y-%m-%d %H:%M:%S}",
            }
            for o in kept
        ],
        "customers": [
            {
                "customer_id": f"{o.number + 10**6:032x}",
                "customer_unique_id": o.email.split("@")[0],
                "customer_city": "sao paulo",
            }
            for o in kept
        ],
        "order_payments": [
            {"order_id": f"{o.number:032x}", "payment_sequential": 1 + part, "payment_value": value}
            for o in kept
            for part, value in enumerate((o.total - 1, Decimal(1)))
        ],
    }  # fmt: skip
    for name, rows in tables.items():
        with (folder / f"olist_{name}_dataset.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    database = folder / "olist.duckdb"
    with duckdb.connect(str(database)) as connection:
        connection.execute(f"set file_search_path = '{folder}'")
        connection.execute(join)
    return database
