"""Segments as rules that people can read: a shallow decision tree on the unscaled metrics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

import numpy as np
import pandas as pd
from sklearn.tree import DecisionTreeClassifier

from customer_segmentation.schemas import SEGMENT_RULES

FEWEST_DIGITS = 3
"""Significant digits of a threshold: enough for a rule, few enough to remember."""

MOVED_BY_ROUNDING = 0.005
"""Share of the customers that rounding may bring to the other side of a threshold."""

Count = Callable[[str], pd.DataFrame]
"""Takes a SQL expression that gives the number of a customer's rule, runs it on everybody and
returns ``rule``, ``segment_id`` and ``num_customers``."""


def readable(threshold: float, values: np.ndarray) -> str:
    """Write a threshold with as few digits as leave the customers on their sides.

    Between whole numbers it becomes the lower of them. ``values`` are the metric's, of everybody.

    >>> readable(2.5, np.array([1.0, 2.0, 3.0]))
    '2'
    >>> readable(1234.567, np.array([1200.5, 1300.25]))
    '1230'
    >>> readable(10033.5, np.arange(10000.0, 10100.0))
    '10033'
    """
    below = (values <= threshold).mean()
    if (values == np.floor(values)).all():
        threshold = float(np.floor(threshold))
    for digits in range(FEWEST_DIGITS, 17):
        rounded = float(f"{threshold:.{digits}g}")
        if abs((values <= rounded).mean() - below) <= MOVED_BY_ROUNDING:
            break
    return format(Decimal(repr(rounded)).normalize() + 0, "f")


def is_or_is_not(condition: str, holds: bool) -> str:
    """Write a condition of equality, or its opposite.

    >>> is_or_is_not("lifecycle_stage = 'new'", False)
    "lifecycle_stage != 'new'"
    """
    return condition if holds else condition.replace(" = ", " != ", 1)


def with_stages(metrics: pd.DataFrame) -> pd.DataFrame:
    """Put a column of 0 and 1 for each lifecycle stage, named by its condition, in its place.

    >>> list(with_stages(pd.DataFrame({"lifecycle_stage": ["new", "lapsed", "new"]})))
    ["lifecycle_stage = 'lapsed'"]
    """
    if "lifecycle_stage" not in metrics:
        return metrics
    stages = metrics["lifecycle_stage"]
    columns = {f"lifecycle_stage = '{stage}'": (stages == stage) for stage in sorted(set(stages))}
    # A stage that everybody is in tells nobody apart; of two stages one says all.
    chosen = list(columns)[: len(columns) if len(columns) > 2 else len(columns) - 1]
    return metrics.drop(columns="lifecycle_stage").assign(
        **{name: columns[name].astype(float) for name in chosen}
    )


def fit_rules(
    metrics: pd.DataFrame, labels: pd.Series, *, num_rules: int, random_seed: int
) -> list[tuple[str, str]]:
    """Grow a decision tree and write each leaf as a SQL condition.

    ``metrics`` has a row per customer and a column per metric, or per condition that holds (1) or
    does not (0); ``labels`` each customer's segment.
    The tree takes the split that helps most, wherever it is, until it has ``num_rules`` leaves
    (CART, Breiman et al. 1984; best first, Shi 2007). Leaves that say the same as their sibling
    are merged, so that there may be fewer. Returns ``(label, condition)`` for each leaf; the
    conditions exclude each other and leave nobody out.
    """
    values = metrics.to_numpy(dtype=float)
    tree = DecisionTreeClassifier(max_leaf_nodes=max(num_rules, 2), random_state=random_seed)
    tree.fit(values, labels)
    nodes = tree.tree_
    majority = tree.classes_[nodes.value[:, 0, :].argmax(axis=1)]

    def leaves(node: int, above: dict[int, str], up_to: dict[int, str]) -> list[tuple[str, str]]:
        left, right = nodes.children_left[node], nodes.children_right[node]
        if left != right:
            feature = int(nodes.feature[node])
            limit = readable(nodes.threshold[node], values[:, feature])
            lower = leaves(left, above, {**up_to, feature: limit})
            upper = leaves(right, {**above, feature: limit}, up_to)
            both_are_leaves = len(lower) == len(upper) == 1
            if not (both_are_leaves and lower[0][0] == upper[0][0]):
                return lower + upper
        bounds = [
            is_or_is_not(name, sign == ">") if " = " in name else f"{name} {sign} {limits[feature]}"
            for feature, name in enumerate(metrics.columns)
            for sign, limits in ((">", above), ("<=", up_to))
            if feature in limits
        ]
        return [(str(majority[node]), " and ".join(bounds) or "true")]

    return leaves(0, {}, {})


def measure_rules(rules: Sequence[tuple[str, str]], count: Count) -> pd.DataFrame:
    """Run the rules as SQL on everybody and say how well each of them fits.

    Returns a row per rule that anybody obeys, ordered by segment and size: ``rule``,
    ``segment_id``, ``condition``, ``num_customers`` who obey it, ``coverage`` (their share of all
    customers), ``precision`` (the share of them who are in the segment), ``recall`` (the share of
    the segment that they are) and ``fidelity`` (the share of all customers for whom the rules give
    the segment, the same in each row; Craven and Shavlik 1996). Shares are from 0 to 1.
    """
    cases = " ".join(f"when {condition} then {i}" for i, (_, condition) in enumerate(rules))
    counts = count(f"case {cases} end")
    table = pd.DataFrame(rules, columns=["segment_id", "condition"])
    obeying = counts.groupby("rule")["num_customers"].sum()
    in_segment = counts.groupby("segment_id")["num_customers"].sum()
    right = counts.set_index(["rule", "segment_id"])["num_customers"]
    total = int(counts["num_customers"].sum())

    table = table[table.index.isin(obeying.index)]
    hits = right.reindex(list(zip(table.index, table["segment_id"], strict=True)), fill_value=0)
    table = table.assign(
        num_customers=obeying.reindex(table.index),
        coverage=lambda rows: (rows["num_customers"] / total).round(6),
        precision=lambda rows: (hits.to_numpy() / rows["num_customers"]).round(6),
        recall=(hits.to_numpy() / in_segment.reindex(table["segment_id"]).to_numpy()).round(6),
        fidelity=round(int(hits.sum()) / total, 6),
    )
    table = table.sort_values(["segment_id", "num_customers"], ascending=[True, False])
    return table.assign(rule=range(1, len(table) + 1)).reset_index(drop=True)


def choose_rules(
    customers: pd.DataFrame,
    count: Count,
    *,
    min_rule_fidelity: float,
    max_rules: int,
    random_seed: int,
) -> pd.DataFrame:
    """Find the fewest rules that tell the segments apart.

    ``customers`` has ``segment_id``, ``segment``, metrics and perhaps ``lifecycle_stage`` of a
    sample; ``count`` measures on everybody. Starts with one rule per segment and adds one at a
    time, until ``fidelity`` is at least ``min_rule_fidelity`` and every segment has a rule. If
    ``max_rules`` are too few for that, returns the most faithful that were seen. Returns the
    columns of ``SEGMENT_RULES``.
    """
    segments = customers.drop_duplicates("segment_id").set_index("segment_id")["segment"]
    metrics = with_stages(customers.drop(columns=["segment_id", "segment"]))
    best = None
    for num_rules in range(min(len(segments), max_rules), max_rules + 1):
        found = fit_rules(
            metrics, customers["segment_id"], num_rules=num_rules, random_seed=random_seed
        )
        rules = measure_rules(found, count)
        if best is None or rules["fidelity"].iloc[0] > best["fidelity"].iloc[0]:
            best = rules
        is_faithful = rules["fidelity"].iloc[0] >= min_rule_fidelity
        if is_faithful and set(rules["segment_id"]) == set(segments.index):
            best = rules
            break
    assert best is not None
    named = best.assign(segment=best["segment_id"].map(segments))
    return named[list(SEGMENT_RULES)].astype(SEGMENT_RULES)
