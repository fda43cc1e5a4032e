"""Numbers and names as people write them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from textwrap import wrap

from babel.numbers import format_compact_decimal, format_decimal, get_currency_symbol

LOCALE = "en"

LEFT_TO_RIGHT = {"L", "EN", "ES", "ET", "CS", "NSM", "B", "S", "WS", "ON"}
"""Kinds of characters (Unicode's bidirectional classes) that leave a sentence as it is."""

METRICS = {
    "total_amount": "Total amount",
    "num_orders": "Orders",
    "avg_order_value": "Average order",
    "days_since_last_order": "Days since last order",
    "tenure_days": "Days since first order",
    "returned_amount": "Returned amount",
}

IN_MONEY = ("amount", "order_value")
"""How names of metrics end that are amounts of money."""


def words(key: str) -> str:
    """Write a key as words.

    >>> words("excluded_status")
    'Excluded status'
    """
    return key.replace("_", " ").capitalize()


def metric_name(metric: str) -> str:
    """Name a metric as people do.

    >>> metric_name("num_orders"), metric_name("num_categories"), metric_name("avg_discount")
    ('Orders', 'Number of categories', 'Average discount')
    """
    said = metric.replace("num_", "number_of_", 1) if metric.startswith("num_") else metric
    said = said.replace("avg_", "average_", 1) if said.startswith("avg_") else said
    return METRICS.get(metric, words(said))


def in_plain_words(text: str) -> str:
    """Write the names of metrics and settings in a sentence as words.

    >>> in_plain_words("left out: beside num_orders the variance inflation is 12")
    'left out: beside orders the variance inflation is 12'
    """
    return re.sub(r"\b[a-z]+(?:_[a-z]+)+\b", lambda name: metric_name(name.group()).lower(), text)


def is_in_money(metric: str) -> bool:
    """Whether a metric is an amount in the shop's currency."""
    return metric.endswith(IN_MONEY)


def whole(number: float) -> str:
    """Write a count.

    >>> whole(541909)
    '541,909'
    """
    return str(format_decimal(round(number), locale=LOCALE))


def period(first: date, last: date) -> str:
    """Name a month, or the days of what is none; ``last`` is the day after.

    >>> period(date(2024, 2, 1), date(2024, 3, 1)), period(date(2024, 2, 1), date(2024, 2, 9))
    ('February 2024', '2024-02-01 to 2024-02-09')
    """
    is_month = first.day == last.day == 1 and (last - first).days < 32
    return f"{first:%B %Y}" if is_month else f"{first:%Y-%m-%d} to {last:%Y-%m-%d}"


def compact(number: float) -> str:
    """Write a large number in brief.

    >>> compact(8300065), compact(8123)
    ('8.3M', '8,123')
    """
    if abs(number) < 100_000:
        return whole(number)
    return str(format_compact_decimal(number, fraction_digits=1, locale=LOCALE))


def figure(number: float) -> str:
    """Write a measured number: whole from 100 on, two decimals below, two digits when small.

    >>> figure(1234.6), figure(12.346), figure(0.0123), figure(-0.0001)
    ('1,235', '12.35', '0.012', '0')
    """
    if 0.0005 <= abs(number) < 0.095:
        return format(Decimal(f"{number:.2g}"), "f")
    pattern = "#,##0" if abs(number) >= 100 else "#,##0.##"
    return str(format_decimal(round(number, 2) + 0.0, format=pattern, locale=LOCALE))


def percent(share: float) -> str:
    """Write a share of 1, with decimals where it is nearly none or nearly all.

    >>> percent(0.659), percent(0.033), percent(0.0002), percent(0.00001)
    ('66%', '3.3%', '0.02%', 'under 0.01%')
    >>> percent(0.9957), percent(0.99997), percent(1)
    ('99.6%', 'over 99.9%', '100%')
    """
    if 0 < abs(share) < 0.00005:
        return "under 0.01%"
    if 0.9995 <= share < 1:
        return "over 99.9%"
    digits = "#" if abs(share) < 0.00095 else ""
    is_plain = 0.0995 <= abs(share) < 0.995 or abs(share) >= 1
    pattern = "#,##0%" if is_plain else f"#,##0.#{digits}%"
    return str(format_decimal(share, format=pattern, locale=LOCALE))


def money(number: float, currency: str | None, *, brief: bool = False) -> str:
    r"""Write an amount, after its currency's sign if there is one.

    >>> money(1234.5, "EUR"), money(8300065, "CHF", brief=True), money(-2.5, None)
    ('€1,234', 'CHF\xa08.3M', '-2.50')
    >>> money(0.00123, "BTC"), money(5, "eur")
    ('BTC\xa00.0012', '€5')
    """
    size = abs(number)
    if brief:
        text = compact(size)
    elif 0 < size < 0.095:
        text = format(Decimal(f"{size:.2g}"), "f")
    else:
        pattern = "#,##0" if size >= 100 or size == round(size) else "#,##0.00"
        text = format_decimal(size, format=pattern, locale=LOCALE)
    is_code = currency and len(currency) == 3 and currency.isascii() and currency.isalpha()
    code = currency.upper() if currency and is_code else currency
    sign = get_currency_symbol(code, locale=LOCALE) if code else ""
    gap = "\u00a0" if sign and sign[-1].isalnum() else ""
    minus = "-" if number < 0 and text != "0" else ""
    return f"{minus}{sign}{gap}{text}"


def count(number: float, one: str, many: str | None = None) -> str:
    """Write a count with its noun.

    >>> count(1, "row"), count(2000, "row")
    ('1 row', '2,000 rows')
    """
    return f"{whole(number)} {one if round(number) == 1 else many or one + 's'}"


def without_settings(text: str) -> str:
    """Leave out sentences that name settings or tables, which nobody knows who reads a report.

    >>> without_settings("Half of them are left out (a_b.csv). Check order_columns. Look.")
    'Half of them are left out (a_b.csv). Look.'
    """
    sentences = re.split(r"(?<=[.:]) (?=[A-Z])", text)
    kept = [s for s in sentences if not re.search(r"\b[a-z]+_[a-z_]+\b(?![.][a-z])", s)]
    return " ".join(kept or sentences[:1])


def listed(items: Sequence[str]) -> str:
    """Join items as a sentence does.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    items = list(items)
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def isolated(name: str) -> str:
    r"""Keep a name that is written from right to left from turning the sentence around it.

    >>> isolated("Lapsed"), isolated("\u05dc\u05e7") == "\u2068\u05dc\u05e7\u2069"
    ('Lapsed', True)
    """
    turns = any(unicodedata.bidirectional(sign) not in LEFT_TO_RIGHT for sign in name)
    return f"\u2068{name}\u2069" if turns else name


def headings(names: Sequence[str], width: int = 8) -> list[str]:
    r"""Break names into lines, as many for each, so that they end at the same height.

    Lines before a short name hold a space of no width: empty ones would take no height.

    >>> headings(["Orders", "Average order"])
    ['\u200b\nOrders', 'Average\norder']
    """
    broken = [in_lines(name, width, lines=4) for name in names]
    most = max(name.count("\n") for name in broken)
    return ["\u200b\n" * (most - name.count("\n")) + name for name in broken]


def in_lines(text: str, width: int = 18, lines: int = 3) -> str:
    r"""Break a name into lines for a plot, and cut what is too long for a few of them.

    >>> in_lines("High-value loyal customers")
    'High-value loyal\ncustomers'
    """
    return "\n".join(wrap(text, width, max_lines=lines, placeholder=" …"))
