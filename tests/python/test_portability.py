"""What the SQL of the models asks of an engine that other engines can't do, or do differently.

The models are written once, for DuckDB, and sqlglot can write most of them for other engines. Each
idiom below either has no counterpart there or is translated into something else without a word;
docs/portability.md lists them with the models that need them.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable

import pytest
import sqlglot
from conftest import PROJECT, Build
from sqlglot import exp

Idioms = dict[str, set[str]]

PAGE = PROJECT / "docs" / "portability.md"


def is_function(*names: str) -> Callable[[exp.Expression], bool]:
    """A function that sqlglot passes on under its DuckDB name."""
    return lambda node: isinstance(node, exp.Anonymous) and node.name.lower() in names


def ends_as_a_day(node: exp.Expression) -> bool:
    return isinstance(node, exp.Column) and node.name.endswith("_date")


def generators(select: exp.Expression) -> int:
    found = [item.find(exp.Unnest, exp.Explode) for item in select.expressions]
    return sum(item is not None for item in found)


TEXTS = ("customer_id", "order_id", "line_id", "status")
"""Columns whose length is that of a text."""

LOUD: dict[str, Callable[[exp.Expression], bool]] = {
    "unpivot": lambda node: isinstance(node, exp.Pivot),
    "error()": is_function("error"),
    "isfinite()": is_function("isfinite"),
    "timezone()": is_function("timezone"),
    "list_position()": lambda node: (
        isinstance(node, exp.ArrayPosition) or is_function("list_position")(node)
    ),
    "row()": is_function("row"),
    "several quantiles at once": lambda node: (
        isinstance(node, exp.PercentileCont | exp.Quantile) and node.find(exp.Array) is not None
    ),
    "any_value with filter": lambda node: (
        isinstance(node, exp.Filter) and isinstance(node.this, exp.AnyValue | exp.IgnoreNulls)
    ),
    "two unnest side by side": lambda node: isinstance(node, exp.Select) and generators(node) > 1,
    "json cast to a list": lambda node: (
        isinstance(node, exp.Cast)
        and node.to.is_type(exp.DataType.Type.ARRAY, exp.DataType.Type.LIST)
        and not isinstance(node.this, exp.Array)
    ),
    "try()": lambda node: isinstance(node, exp.Try),
    "group by all": lambda node: isinstance(node, exp.Group) and bool(node.args.get("all")),
}
"""Idioms that fail on another engine."""

SILENT: dict[str, Callable[[exp.Expression], bool]] = {
    "list() with an order": lambda node: (
        isinstance(node, exp.ArrayAgg) and isinstance(node.this, exp.Order)
    ),
    "list index": lambda node: (
        (isinstance(node, exp.Bracket) and not node.expressions[0].is_string)
        or is_function("list_extract")(node)
    ),
    "len() of a list": lambda node: (
        isinstance(node, exp.Length)
        and not (isinstance(node.this, exp.Column) and node.this.name in TEXTS)
        and not isinstance(node.this, (exp.Literal, exp.RegexpReplace))
    ),
    "skewness()": lambda node: isinstance(node, exp.Skewness) or is_function("skewness")(node),
    "difference of days": lambda node: (
        isinstance(node, exp.Sub) and ends_as_a_day(node.this) and ends_as_a_day(node.expression)
    ),
    "typeof()": lambda node: isinstance(node, exp.Typeof),
    "hash()": is_function("hash"),
    "quotient cast to decimal": lambda node: (
        isinstance(node, exp.Cast)
        and node.to.is_type(exp.DataType.Type.DECIMAL)
        and isinstance(node.this, exp.Div)
    ),
}
"""Idioms that another engine understands differently."""

KNOWN_FUNCTIONS = {"error", "isfinite", "timezone", "hash", "list_extract", "list_position"}


def idioms_of(sql: str) -> set[str]:
    tree = sqlglot.parse_one(sql, read="duckdb")
    nodes = list(tree.walk())
    found = {name for name, is_it in (LOUD | SILENT).items() if any(is_it(node) for node in nodes)}
    unknown = {
        node.name.lower()
        for node in nodes
        if isinstance(node, exp.Anonymous) and node.name.lower() not in KNOWN_FUNCTIONS
    }
    return found | {f"{name}()" for name in unknown}


@pytest.mark.parametrize(
    ("sql", "idiom"),
    [
        ("unpivot t on a, b into name n value v", "unpivot"),
        ("select error('no')", "error()"),
        ("select isfinite(x) from t", "isfinite()"),
        ("select timezone('UTC', x) from t", "timezone()"),
        ("select list_position(l, 1) from t", "list_position()"),
        ("select quantile_cont(x, [0.1, 0.9]) from t", "several quantiles at once"),
        ("select any_value(x) filter (where y) from t", "any_value with filter"),
        ("select unnest(a) as x, unnest(b) as y from t", "two unnest side by side"),
        ("select cast(x as double[]) from t", "json cast to a list"),
        ("select try(x) from t", "try()"),
        ("select a, count(*) from t group by all", "group by all"),
        ("select list(x order by y) from t", "list() with an order"),
        ("select a[1] from t", "list index"),
        ("select a[i] from t", "list index"),
        ("select len(edges) from t", "len() of a list"),
        ("select skewness(x) from t", "skewness()"),
        ("select order_date - first_date from t", "difference of days"),
        ("select typeof(x) from t", "typeof()"),
        ("select hash(t) from t", "hash()"),
        ("select cast(a / b as decimal(18, 4)) from t", "quotient cast to decimal"),
        ("select list_reduce(a, b) from t", "list_reduce()"),
    ],
)
def test_an_idiom_is_found(sql: str, idiom: str) -> None:
    assert idiom in idioms_of(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "select datediff('day', first_date, last_date), length(status) from t",
        "select a['name'], max(x) filter (where y), left(x, 1) from t group by a",
    ],
)
def test_what_other_engines_can_do_too_is_none(sql: str) -> None:
    assert idioms_of(sql) == set()


def test_the_page_lists_the_idioms_that_models_need(sample_build: Build) -> None:
    manifest = json.loads((sample_build.database.parent / "target" / "manifest.json").read_text())
    found: Idioms = defaultdict(set)
    for node in manifest["nodes"].values():
        if node["resource_type"] == "model" and node["language"] == "sql":
            for idiom in idioms_of(node["compiled_code"]):
                found[idiom].add(node["name"])
    rows = re.findall(r"^\| `?([^|`]+?)`? \|([^|]*)\|", PAGE.read_text(), re.MULTILINE)
    listed = {idiom: set(re.findall(r"`(\w+)`", models)) for idiom, models in rows if "`" in models}
    assert listed == dict(found)
