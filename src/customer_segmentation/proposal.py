"""A proposal of vars for an export: what each column seems to be, why, and what can't be told.

An export of a known shop system is recognised by its columns: the vars in ``examples`` whose
expressions find all of theirs are the proposal. Any other is guessed from names and values: the
names that exports use, in the order of how much they say, of the columns whose values are of the
kind (days, amounts, codes).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import yaml

from customer_segmentation.sources import (
    Problem,
    Source,
    columns_named,
    look_at_location,
    relation_of,
    text,
)

NAMES = {
    "customer_id": (
        "customer_unique_id", "customer_id", "customer_no", "customer_number", "customer",
        "client_id", "client_no", "client_number", "client", "user_id", "buyer_id", "member_id",
        "account_id", "contact_id", "household_id", "kundennummer", "kunden_nr", "kunden_id",
        "kunde", "cust_id",
    ),
    "email": (
        "customer_email", "billing_email", "email", "email_address", "e_mail", "mail",
    ),
    "order_id": (
        "order_id", "order_no", "order_number", "order", "invoice_no", "invoice_id",
        "invoice_number", "invoice", "transaction_id", "receipt_no", "receipt_id", "receipt",
        "basket_id", "ticket_id", "bestellnummer", "bestell_nr", "belegnummer", "beleg_nr",
        "beleg", "id", "name",
    ),
    "ordered_at": (
        "ordered_at", "order_date", "order_datetime", "order_created_at",
        "order_purchase_timestamp", "purchase_date", "created_at", "date_created", "created",
        "created_date", "invoice_date", "transaction_date", "date_paid", "paid_at", "paid_date",
        "completed_at", "processed_at", "bestelldatum", "rechnungsdatum", "datum", "date",
        "day", "timestamp", "order_time",
    ),
    "total": (
        "order_total", "grand_total", "total_price", "order_amount", "order_value",
        "total_amount", "total_paid", "amount_paid", "total", "amount", "payment_value",
        "net_sales", "net_revenue", "revenue", "sales", "line_total", "item_total",
        "gross_sales", "spend", "value", "gesamtbetrag", "gesamtsumme", "gesamt", "betrag",
        "summe", "umsatz", "subtotal",
    ),
    "quantity": (
        "quantity", "qty", "units", "item_quantity", "lineitem_quantity", "menge", "anzahl",
    ),
    "unit_price": (
        "unit_price", "item_price", "price_per_unit", "lineitem_price", "price", "einzelpreis",
        "preis",
    ),
    "refunded_amount": (
        "refunded_amount", "amount_refunded", "refunded_total", "total_refunded",
        "refund_amount", "refund_total", "refunded", "refunds", "refund", "erstattet",
    ),
    "status": (
        "order_status", "status", "financial_status", "payment_status", "order_state", "state",
        "bestellstatus",
    ),
    "cancelled_at": (
        "cancelled_at", "canceled_at", "cancelled_on", "cancellation_date", "voided_at",
    ),
    "currency": (
        "order_currency", "currency", "currency_code", "waehrung",
    ),
    "has_consent": (
        "accepts_marketing", "accepts_email_marketing", "buyer_accepts_marketing",
        "marketing_consent", "email_consent", "has_consent", "marketing_opt_in", "newsletter",
    ),
    "line_id": (
        "line_id", "order_line_id", "line_item_id", "order_item_id", "item_id", "row_id",
    ),
}  # fmt: skip
"""Words of columns by what they are, the clearest first."""

ZONES = (
    "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles",
    "America/Sao_Paulo", "Europe/London", "Europe/Berlin", "Europe/Helsinki", "Asia/Kolkata",
    "Australia/Sydney", "Pacific/Auckland",
)  # fmt: skip
"""A zone for each rule of summer time that many shops follow; others have a fixed difference."""

OTHER_AMOUNTS = {"tax", "taxes", "shipping", "discount", "fee", "tip", "count", "items", "refunded",
                 "refund", "number", "id", "quantity", "points", "weight", "cost"}  # fmt: skip
"""A column with such a word in its name is another amount than what was paid."""

OF_A_CUSTOMER = {"name", "segment", "group", "type", "country", "city", "phone", "note",
                 "service", "rating", "age", "gender", "since", "description", "reference",
                 "email"}  # fmt: skip
"""A column with such a word in its name says something else of a customer than who it is."""

PLAIN_NAMES = {"customer_id", "order_id", "ordered_at", "amount", "status", "line_id"}

DAYS = {
    "%d/%m/%y": "day, month, year of two digits",
    "%m/%d/%y": "month, day, year of two digits",
    "%d.%m.%y": "day, month, year of two digits",
    "%d.%m.%Y": "day, month, year",
    "%d/%m/%Y": "day, month, year",
    "%m/%d/%Y": "month, day, year",
    "%d-%m-%Y": "day, month, year",
    "%m-%d-%Y": "month, day, year",
    "%Y%m%d": "the year first, without separators",
    "%b %d, %Y": "the month's name first",
    "%d %b %Y": "the month's name in the middle",
    "%B %d, %Y": "the month's name first",
}
"""Forms of days that the cleaning does not read by itself."""

TIMES = ("", " %H:%M:%S", " %H:%M", "T%H:%M:%S", " %I:%M:%S %p", ", %I:%M:%S %p", " %I:%M %p",
         ", %H:%M:%S", ", %H:%M")  # fmt: skip

NUMBER = r"\s*[(+-]?\s*(\p{Sc}|[A-Z]{3})?\s*[+-]?[0-9][0-9.,'\s]*\s*(\p{Sc}|[A-Z]{3})?\)?\s*"


@dataclass
class Question:
    """What can't be told: a sentence, and what each answer sets; the first is taken."""

    sentence: str
    answers: dict[str, tuple[str, Any]]
    """By label: a var, a field of order_columns after a dot (.amount), or no_purchase."""


@dataclass
class Proposal:
    """Vars for an export, with why each is so."""

    variables: dict[str, Any]
    why: dict[str, str] = field(default_factory=dict)
    """By var, or by field of order_columns after a dot."""
    questions: list[Question] = field(default_factory=list)
    known_as: str | None = None
    """The name of the example that fits."""

    @property
    def columns(self) -> dict[str, str | None]:
        """Its order_columns."""
        columns: dict[str, str | None] = self.variables["order_columns"]
        return columns

    def answer(self, question: Question, label: str) -> None:
        """Take an answer."""
        name, value = question.answers[label]
        if name == "no_purchase":
            status = self.columns["status"]
            self.columns["status"] = (
                f"case {status} when {text(value)} then 'cancelled' else {status} end"
            )
        elif name.startswith("."):
            self.columns[name[1:]] = value
            if name == ".customer_id" and "customer_columns" in self.variables:
                self.variables["customer_columns"]["customer_id"] = value
        elif name:
            self.variables[name] = value


def words(name: str) -> str:
    """Write a column's name in small letters with underscores: CustomerID is customer_id."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return re.sub(r"[\W_]+", "_", apart).strip("_").lower()


def quoted(column: str) -> str:
    """Write a column as SQL."""
    if re.fullmatch(r"[A-Za-z_]\w*", column) and column.lower() not in ("order", "date", "group"):
        return column
    return '"' + column.replace('"', '""') + '"'


class Export:
    """The rows of a file, as text."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, location: str, copies: Path) -> None:
        """Find out how it is read. Raises ``Problem`` if it can't be."""
        self.connection = connection
        self.location = location
        source = Source("orders", location, {})
        files = look_at_location(connection, source, copies)
        self.columns = list(dict.fromkeys(name for file in files for name in file.columns))
        connection.execute(f"create or replace temp view export as {relation_of(files)}")
        self.num_rows = int(self.number("count(*)"))
        if not self.num_rows:
            raise Problem(f"'{location}' has no rows. Export it again with its orders.")

    @property
    def name(self) -> str:
        """A name for the shop, after the file."""
        return words(Path(self.location).stem) or "shop"

    def number(self, aggregate: str, source: str = "export") -> float:
        """Compute an aggregate over all rows; 0 where there is none."""
        ((found,),) = self.connection.execute(f"select {aggregate} from {source}").fetchall()
        return float(found or 0)

    def filled(self, expression: str) -> str:
        """Give the text of an expression, null where it is empty."""
        return f"nullif(trim(cast(try({expression}) as varchar)), '')"

    def share(self, condition: str, expression: str) -> float:
        """Say of which share of the values that are there a condition holds."""
        is_there = f"{self.filled(expression)} is not null"
        return self.number(f"avg(cast({condition} as integer)) filter (where {is_there})")

    def samples(self, expression: str, num: int = 3) -> list[str]:
        """Give the values that are met most often; addresses without their names."""
        rows = self.connection.execute(
            f"select {self.filled(expression)} as value from export where value is not null"
            f" group by value order by count(*) desc, value limit {num}"
        ).fetchall()
        return [re.sub(r"^(.).*(?=@)", r"\1…", str(value)) for (value,) in rows]

    @cached_property
    def by_words(self) -> dict[str, str]:
        """Columns by their names in small letters."""
        return {words(column): column for column in reversed(self.columns)}

    def called(self, what: str) -> Iterator[str]:
        """Give the columns that are called so, those with just such a name first."""
        given = set()
        for name in NAMES[what]:
            if (column := self.by_words.get(name)) is not None:
                given.add(column)
                yield column
        for name in NAMES[what]:
            parts = set(name.split("_"))
            # A single word such as id is in many names.
            if name in ("id", "name", "order", "value", "state", "date", "day", "total"):
                continue
            for column in self.columns:
                if column not in given and parts <= set(words(column).split("_")):
                    given.add(column)
                    yield column

    def is_amount(self, column: str) -> bool:
        """Whether nearly all values look like amounts."""
        return not OTHER_AMOUNTS & set(words(column).split("_")) and self.are_numbers(column)

    def are_numbers(self, column: str) -> bool:
        """Whether nearly all values are numbers, with a currency perhaps."""
        value = self.filled(quoted(column))
        return self.share(f"regexp_full_match({value}, {text(NUMBER)})", quoted(column)) > 0.95

    def as_number(self, column: str) -> str:
        """Give the expression that makes a number of a column's text."""
        read = value = quoted(column)
        if self.share(f"regexp_matches({self.filled(value)}, ',[0-9]{{1,2}}$')", value) > 0.5:
            read = f"replace(replace({value}, '.', ''), ',', '.')"
        return f"cast({read} as decimal(18, 4))"


def recognised(export: Export, examples: Path) -> Proposal | None:
    """Find the example whose columns the export has, the one that names most of them."""
    known = {column.casefold() for column in export.columns}
    best: tuple[int, Proposal] | None = None
    for path in sorted(examples.glob("*.yml")):
        variables = yaml.safe_load(path.read_text(encoding="utf-8"))
        named = {
            column.casefold()
            for expression in variables.get("order_columns", {}).values()
            for column in columns_named(export.connection, str(expression))
        }
        # Databases are no exports, and the sample's own names are anybody's.
        if "attached_databases" in variables or named <= PLAIN_NAMES or not named <= known:
            continue
        if best is not None and len(named) <= best[0]:
            continue
        when = export.filled(str(variables["order_columns"]["ordered_at"]))
        if export.number(f"count({when}) / count(*)") > 0.9:
            best = len(named), Proposal(variables, known_as=path.stem)
    return best[1] if best else None


def day_of(export: Export, column: str) -> tuple[str, str, list[str]] | None:
    """Say how the days of a column are read: expression, why, and other forms that fit as well."""
    name = quoted(column)
    value = export.filled(name)
    iso = f"try_cast(replace(left({value}, 10), '/', '-') as date) is not null"
    if export.share(iso, name) > 0.95:
        return name, "days with the year first", []
    fits: list[tuple[str, str]] = []
    for day, how in DAYS.items():
        for time in TIMES:
            form = day + time
            # Of a year of two digits %Y makes the year 24.
            read = f"coalesce(year(try_strptime({value}, {text(form)})) > 1970, false)"
            if export.share(read, name) > 0.98:
                fits.append((f"try_strptime({name}, {text(form)})", f"{how} ({form})"))
                break
    if not fits:
        return None
    # Read in the wrong order, days are strewn over more of the calendar.
    fits.sort(key=lambda fit: export.number(f"date_diff('day', min({fit[0]}), max({fit[0]}))"))
    expression, how = fits[0]
    return expression, how, [other for other, _ in fits[1:]]


def propose(export: Export, examples: Path, known: dict[str, Any]) -> Proposal:
    """Propose vars for an export; ``known`` are the project's defaults."""
    proposal = recognised(export, examples) or guessed(export)
    variables = proposal.variables
    variables["dataset"] = export.name
    variables["orders_location"] = export.location
    about_currency(export, proposal)
    about_statuses(export, proposal, known)
    about_time_zone(export, proposal)
    about_consent(export, proposal)
    return proposal


def guessed(export: Export) -> Proposal:
    """Guess what each column is, from its name and its values."""
    proposal = Proposal({"order_columns": {}})
    columns = proposal.columns
    why = proposal.why

    customer = who_ordered(export, proposal)
    columns["customer_id"] = customer
    order = next((c for c in export.called("order_id") if is_order_id(export, c, customer)), None)
    columns["order_id"] = quoted(order) if order else None
    why[".order_id"] = "" if order else "no column looks like it: each row is taken for an order"
    named = (*export.called("ordered_at"), *export.columns)
    found = next((day for name in named if (day := day_of(export, name))), None)
    if not found:
        raise Problem(
            f"No column of '{export.location}' has days that can be read. Its columns are"
            f" {', '.join(export.columns)}."
        )
    columns["ordered_at"], why[".ordered_at"], others = found
    if others:
        proposal.questions.append(
            Question(
                f"The days can be read in {1 + len(others)} ways. How is it meant?",
                {reading: (".ordered_at", reading) for reading in (found[0], *others)},
            )
        )
    what_was_paid(export, proposal, order)
    for name in ("refunded_amount", "line_id", "currency"):
        columns_so = export.called(name)
        if name == "refunded_amount":
            columns_so = filter(export.are_numbers, columns_so)
        column = next(columns_so, None)
        if name == "line_id" and column:
            value = export.filled(quoted(column))
            if export.number(f"count({value}) - count(distinct {value})"):
                column = None
        if column:
            columns[name] = quoted(column)
    status = next(
        (c for c in export.called("status") if export.number(f"count(distinct {quoted(c)})") <= 40),
        None,
    )
    cancelled = next(export.called("cancelled_at"), None)
    if status or cancelled:
        columns["status"] = quoted(status) if status else "null"
        if cancelled:
            otherwise = f"then {columns['status']} else 'cancelled' end"
            columns["status"] = f"case when {quoted(cancelled)} is null {otherwise}"
            why[".status"] = f"what has a '{cancelled}' is cancelled, whatever else it says"
    return proposal


def who_ordered(export: Export, proposal: Proposal) -> str:
    """Find the customer: an id, or the hash of an address where ids are missing for guests."""

    def is_address(column: str) -> bool:
        return (
            export.share(f"{export.filled(quoted(column))} like '%_@_%._%'", quoted(column)) > 0.9
        )

    def is_id(column: str) -> bool:
        return not (OF_A_CUSTOMER & set(words(column).split("_")) or is_address(column))

    number = next(filter(is_id, export.called("customer_id")), None)
    address = next(filter(is_address, (*export.called("email"), *export.columns)), None)
    if number is None and address is None:
        raise Problem(
            f"No column of '{export.location}' looks like a customer's id or e-mail address. Its"
            f" columns are {', '.join(export.columns)}. Name it in order_columns by hand, as in"
            " {customer_id: buyer}."
        )
    hashed = f"md5(lower(trim({quoted(address)})))" if address else ""
    if number is None:
        proposal.why[".customer_id"] = (
            "a hash of the e-mail address, in small letters: it has no id"
        )
        return hashed
    value = export.filled(quoted(number))
    known = export.number(f"count(nullif({value}, '0'))")
    if address and export.number(f"count({export.filled(quoted(address))})") > 1.01 * known:
        proposal.why[".customer_id"] = (
            f"a hash of the e-mail address, in small letters: '{number}' is missing for guests"
        )
        proposal.questions.append(
            Question(
                "Guests are known by their e-mail address. Who is a customer?",
                {
                    f"everybody by the address ({address})": (".customer_id", hashed),
                    f"only who has an id ({number})": (
                        ".customer_id",
                        f"nullif({quoted(number)}, '0')",
                    ),
                },
            )
        )
        return hashed
    if export.number(f"count(distinct {value}) - count(distinct lower({value}))"):
        proposal.why[".customer_id"] = "in small letters, since ids are written in both"
        return f"lower({quoted(number)})"
    return quoted(number)


def is_order_id(export: Export, column: str, customer: str) -> bool:
    """Whether a column can be the order's number: filled, and not the customer's or a constant."""
    value = export.filled(quoted(column))
    if quoted(column) == customer or export.number(f"count({value}) / count(*)") < 0.95:
        return False
    orders = export.number(f"count(distinct {value})")
    return orders >= max(2, export.number(f"count(distinct {customer})"))


def what_was_paid(export: Export, proposal: Proposal, order: str | None) -> None:
    """Find the amount, and whether it is that of the order or of a line."""
    columns, why = proposal.columns, proposal.why
    totals = [column for column in export.called("total") if export.is_amount(column)]
    quantity = next((c for c in export.called("quantity") if export.are_numbers(c)), None)
    price = next((c for c in export.called("unit_price") if export.are_numbers(c)), None)
    rows_are, of_order = "orders", []
    if order:
        number = export.filled(quoted(order))
        repeats = export.number(f"count({number}) - count(distinct {number})") > 0
        if repeats:
            rows_are = "order_lines"
            of_order = [c for c in totals if stands_for_order(export, quoted(c), number)]
    of_line = [c for c in totals if c not in of_order and words(c) != "subtotal"]
    if of_order:
        rows_are = "lines_with_order_total"
        choice = of_order
    else:
        choice = of_line or totals
    if not choice and quantity and price:
        columns["amount"] = f"{export.as_number(quantity)} * {export.as_number(price)}"
        why[".amount"] = "quantity times unit price; no column has the total"
    elif choice:
        columns["amount"] = quoted(choice[0])
        if len(choice) > 1:
            proposal.questions.append(
                Question(
                    "Several columns may be what was paid. Which is it?",
                    {
                        f"{column} (as in {', '.join(export.samples(quoted(column)))})": (
                            ".amount",
                            quoted(column),
                        )
                        for column in choice[:4]
                    },
                )
            )
    elif price:
        columns["amount"] = quoted(price)
        why[".amount"] = "no column has a total or a quantity"
    else:
        raise Problem(
            f"No column of '{export.location}' looks like an amount. Its columns are"
            f" {', '.join(export.columns)}. Name it in order_columns by hand: {{amount: paid}}."
        )
    proposal.variables["rows_are"] = rows_are
    why["rows_are"] = {
        "orders": "no order id is there twice" if order else "there is no order id",
        "order_lines": "order ids repeat, and amounts differ within an order",
        "lines_with_order_total": "order ids repeat, and an order has one amount, on its lines or"
        " on one of them",
    }[rows_are]


def stands_for_order(export: Export, column: str, order: str) -> bool:
    """Whether orders of several rows have one value of a column, on all of them or on one."""
    orders = (
        f"(select count(distinct {export.filled(column)}) as num_values,"
        f" count({export.filled(column)}) as num_filled, count(*) as num_rows"
        f" from export group by {order} having count(*) > 1) as orders"
    )
    return (
        export.number("avg(cast(num_values = 1 as integer))", orders) > 0.95
        # Lines of equal price are no total: it would have to be nearly always so.
        and export.number("count(*)", orders) >= 3
    )


def about_currency(export: Export, proposal: Proposal) -> None:
    """Name the currency, or ask which of several is kept."""
    if not (column := proposal.columns.get("currency")):
        return
    customer = export.filled(str(proposal.columns["customer_id"]))
    codes = export.connection.execute(
        f"""
        select
            upper({export.filled(column)}) as code,
            count(*) as num_rows,
            (select count(distinct {customer}) from export) - count(distinct {customer}) as num_lost
        from export
        where code is not null
        group by code
        order by num_rows desc, code
        """
    ).fetchall()
    if not codes or len(codes) > 50:
        proposal.columns["currency"] = None
        return
    proposal.variables["currency"] = codes[0][0]
    if len(codes) > 1:
        proposal.why["currency"] = (
            "rows in other currencies are left out, and in the ledger; to convert them, name a CSV"
            " with the columns currency, month (2024-01) and rate in currency_rates_location"
        )
        proposal.questions.append(
            Question(
                "The amounts are in several currencies, which are never added up. Which one counts?"
                " (currency_rates_location converts them all)",
                {
                    f"{code}: {rows:,} rows; {lost:,} customers have none of it": ("currency", code)
                    for code, rows, lost in codes[:5]
                },
            )
        )


def about_statuses(export: Export, proposal: Proposal, known: dict[str, Any]) -> None:
    """Ask of the statuses that are not known whether they are purchases."""
    if not (column := proposal.columns.get("status")):
        return

    def plain(status: str) -> str:
        return re.sub("[ _-]", "_", status.strip().lower()).removeprefix("wc_")

    of = {
        kind: [v for v in export.samples(column, 100) if plain(v) in set(map(plain, known[kind]))]
        for kind in ("excluded_statuses", "counted_statuses")
    }
    unknown = [v for v in export.samples(column, 100) if not any(v in vs for vs in of.values())]
    if of["excluded_statuses"]:
        proposal.why[".status"] = "; ".join(
            [*filter(None, [proposal.why.get(".status")]),
             f"not counted as purchases: {', '.join(of['excluded_statuses'])}"]
        )  # fmt: skip
    for value in unknown[:8]:
        proposal.questions.append(
            Question(
                f"Is an order of the status '{value}' a purchase?",
                {"yes": ("", None), "no": ("no_purchase", value)},
            )
        )


def about_time_zone(export: Export, proposal: Proposal) -> None:
    """Find whose time the timestamps are in, where they say how far it is from UTC."""
    when = export.filled(str(proposal.columns["ordered_at"]))
    offset = "' ?([+-][0-9]{2}):?([0-9]{2})$', '\\1:\\2'"
    stamps = (
        f"(select try_cast(regexp_replace({when}, {offset}) as timestamptz) as instant,"
        f" try_cast(left({when}, 19) as timestamp) as local_time from export"
        f" where regexp_matches({when}, ':[0-9]{{2}} ?[+-][0-9]{{2}}(:?[0-9]{{2}})?$')) as stamps"
    )
    if export.number("count(instant)", stamps) < 0.98 * export.number(f"count({when})"):
        return
    hours = export.connection.execute(
        f"select distinct date_diff('hour', instant at time zone 'UTC', local_time) as hours"
        f" from {stamps} where instant is not null order by hours"
    ).fetchall()
    if not hours or hours == [(0,)]:
        return
    fixed = f"Etc/GMT{-hours[0][0]:+d}" if len(hours) == 1 else ""
    for zone in filter(None, (*ZONES, fixed)):
        is_so = f"instant at time zone '{zone}' = local_time"
        if export.number(f"avg(cast({is_so} as integer))", stamps) == 1:
            proposal.variables["timezone"] = zone
            proposal.why["timezone"] = (
                "days are counted as the shop counts them: its timestamps are those of this zone"
                + (" (whose name has the sign the other way round)" if zone == fixed else "")
            )
            return
    proposal.why["orders_location"] = (
        "its timestamps say how far they are from UTC, and days are counted there unless timezone"
        " names the shop's zone"
    )


def about_consent(export: Export, proposal: Proposal) -> None:
    """Take consent from the orders, if they say whether a customer accepts marketing."""
    column = next(export.called("has_consent"), None)
    if column and export.number(f"count(distinct {export.filled(quoted(column))})") <= 10:
        proposal.variables["customers_location"] = export.location
        proposal.variables["customer_columns"] = {
            "customer_id": proposal.columns["customer_id"],
            "has_consent": quoted(column),
        }
        proposal.why["customers_location"] = (
            "the orders say who accepts marketing; whoever once refused has refused"
        )


def sentence(why: str) -> str:
    """Write a reason as a sentence."""
    return f"{why[:1].upper()}{why[1:]}."


def scalar(value: Any) -> str:
    """Write a value as YAML on one line."""
    dumped: str = yaml.safe_dump(value, width=10_000, allow_unicode=True)
    return dumped.removesuffix("\n...\n").strip()


def lines_of(proposal: Proposal, export: Export) -> Sequence[str]:
    """Write the vars as YAML, with why each is so and three values of each field."""
    variables = proposal.variables
    lines = [f"# Proposed for '{Path(export.location).name}'. Read the comments: each is a guess."]
    if proposal.known_as:
        lines = [
            f"# For '{Path(export.location).name}', known as an export of {proposal.known_as};"
            f" examples/{proposal.known_as}.yml explains the fields.",
            "# The dataset is the shop's name in the report.",
        ]
    for name, value in variables.items():
        if name != "order_columns" and value is not None:
            if name in proposal.why:
                lines.append(f"# {sentence(proposal.why[name])}")
            if isinstance(value, dict):
                lines.append(f"{name}:")
                lines += [f"  {key}: {scalar(item)}" for key, item in value.items()]
            else:
                lines.append(f"{name}: {scalar(value)}")
    lines.append("order_columns:")
    for name, expression in proposal.columns.items():
        if expression is None:
            continue
        if proposal.why.get(f".{name}"):
            lines.append(f"  # {sentence(proposal.why[f'.{name}'])}")
        if values := export.samples(expression):
            lines.append(f"  # As in {' | '.join(value[:40] for value in values)}")
        lines.append(f"  {name}: {scalar(expression)}")
    return lines
