"""Rules: SQL conditions that say what the table says of them, as few as will do."""

import re
from collections.abc import Callable

import duckdb
import numpy as np
import pandas as pd
import pytest
from conftest import Build, Builder

from customer_segmentation.rules import choose_rules, fit_rules
from customer_segmentation.schemas import SEGMENT_RULES


@pytest.fixture
def customers() -> pd.DataFrame:
    """Four segments in the corners of two metrics, and a little disorder."""
    random = np.random.default_rng(5)
    metrics = pd.DataFrame(
        {"num_orders": random.integers(1, 40, 800), "total_amount": random.uniform(0, 900, 800)}
    )
    labels = 1 + (metrics["num_orders"] > 20) + 2 * (metrics["total_amount"] > 400)
    labels = labels.mask(random.random(800) < 0.02, 1).astype(str)
    return metrics.assign(segment_id=labels, segment="Segment " + labels)


def counting(customers: pd.DataFrame) -> Callable[[str], pd.DataFrame]:
    def count(rule: str) -> pd.DataFrame:
        relation = duckdb.from_df(customers)
        counted = f"{rule} as rule, segment_id, count(*) as num_customers"
        return relation.aggregate(counted, "all").df()

    return count


def test_everybody_obeys_exactly_one_rule(customers: pd.DataFrame) -> None:
    metrics, labels = customers[["num_orders", "total_amount"]], customers["segment_id"]
    rules = fit_rules(metrics, labels, num_rules=9, random_seed=1)
    obeyed = " + ".join(f"cast({condition} as integer)" for _, condition in rules)
    assert set(duckdb.query(f"select {obeyed} from customers").df().iloc[:, 0]) == {1}


def test_thresholds_are_readable_and_whole_where_the_metric_is(customers: pd.DataFrame) -> None:
    metrics, labels = customers[["num_orders", "total_amount"]], customers["segment_id"]
    conditions = [
        condition for _, condition in fit_rules(metrics, labels, num_rules=4, random_seed=1)
    ]
    assert len(conditions) == 4
    for condition in conditions:
        assert re.fullmatch(r"num_orders (>|<=) 20 and total_amount (>|<=) (39|40)\d", condition)


def test_leaves_that_say_the_same_are_one_rule() -> None:
    metrics = pd.DataFrame({"num_orders": [1, 1, 1, 2, 2, 2, 9, 9]})
    labels = pd.Series(["a", "a", "b", "a", "a", "a", "c", "c"])
    assert fit_rules(metrics, labels, num_rules=3, random_seed=1) == [
        ("a", "num_orders <= 5"),
        ("c", "num_orders > 5"),
    ]


def test_the_fewest_rules_that_are_faithful(customers: pd.DataFrame) -> None:
    rules = choose_rules(
        customers, counting(customers), min_rule_fidelity=0.95, max_rules=12, random_seed=1
    )
    assert len(rules) == 4
    assert rules["fidelity"].iloc[0] >= 0.95
    assert dict(rules.dtypes.astype(str)) == SEGMENT_RULES
    assert rules["coverage"].sum() == pytest.approx(1, abs=1e-5)


def test_a_small_segment_has_a_rule_too() -> None:
    """Two rules would be faithful enough; the third segment lies in a narrow band of both."""
    random = np.random.default_rng(3)
    orders, amount = random.integers(1, 40, 3000), random.uniform(0, 900, 3000)
    segment_id = np.where((amount > 440) & (amount < 460), "3", np.where(orders > 20, "2", "1"))
    customers = pd.DataFrame(
        {"num_orders": orders, "total_amount": amount, "segment_id": segment_id, "segment": "One"}
    )
    rules = choose_rules(
        customers, counting(customers), min_rule_fidelity=0.9, max_rules=12, random_seed=1
    )
    assert set(rules["segment_id"]) == {"1", "2", "3"}


def test_the_best_within_the_limit_when_nothing_is_faithful(customers: pd.DataFrame) -> None:
    noise = customers.assign(
        segment_id=np.random.default_rng(1).permutation(customers["segment_id"])
    )
    few, more = (
        choose_rules(noise, counting(noise), min_rule_fidelity=0.99, max_rules=limit, random_seed=1)
        for limit in (3, 9)
    )
    assert len(few) <= 3
    assert few["fidelity"].iloc[0] < more["fidelity"].iloc[0] < 0.99


def test_a_stage_may_be_a_condition() -> None:
    """Where stages tell the segments apart and the metrics don't."""
    random = np.random.default_rng(4)
    stages = random.choice(["new", "active", "lapsed"], 900)
    customers = pd.DataFrame(
        {
            "segment_id": np.where(stages == "active", "1", np.where(stages == "new", "2", "3")),
            "segment": "One",
            "lifecycle_stage": stages,
            "num_orders": random.integers(1, 9, 900),
        }
    )
    rules = choose_rules(
        customers, counting(customers), min_rule_fidelity=0.9, max_rules=12, random_seed=1
    )
    assert rules["fidelity"].tolist() == [1, 1, 1]
    assert rules["precision"].tolist() == [1, 1, 1]
    assert "lifecycle_stage = 'active'" in rules["condition"][0]
    assert all("lifecycle_stage" in condition for condition in rules["condition"])


def test_one_segment_needs_no_condition(customers: pd.DataFrame) -> None:
    one = customers.assign(segment_id="1", segment="All")
    rules = choose_rules(one, counting(one), min_rule_fidelity=0.9, max_rules=5, random_seed=1)
    assert rules[["condition", "precision", "fidelity"]].to_numpy().tolist() == [["true", 1, 1]]


def test_every_rule_run_as_sql_gives_the_figures_of_the_table(sample_build: Build) -> None:
    rules = sample_build.query("from segments.segment_rules order by rule")
    total = sample_build.value(
        "select count(*) from segments.customer_segments where is_clusterable"
    )
    right = 0
    for rule in rules.to_dict("records"):
        obeys, is_in = rule["condition"], f"segment_id = '{rule['segment_id']}'"
        obeying, hits, in_segment = sample_build.query(
            f"""
            select
                count(*) filter (where {obeys}),
                count(*) filter (where ({obeys}) and {is_in}),
                count(*) filter (where {is_in})
            from segments.customer_segments
            where is_clusterable
            """
        ).iloc[0]
        right += hits
        assert rule["num_customers"] == obeying
        assert rule["coverage"] == pytest.approx(obeying / total, abs=1e-6)
        assert rule["precision"] == pytest.approx(hits / obeying, abs=1e-6)
        assert rule["recall"] == pytest.approx(hits / in_segment, abs=1e-6)
    assert rules["num_customers"].sum() == total
    assert (rules["fidelity"] == round(right / total, 6)).all()
    assert rules["fidelity"].iloc[0] >= 0.9


def test_too_few_rules_warn_and_the_best_of_them_stay(build: Builder) -> None:
    selection = ("--select", "+segment_rules", "--indirect-selection", "buildable")
    shop = build(*selection, data_tests=True, max_rules=3, segment_count=6)
    assert shop.success, "it is a warning"
    assert "rules_tell_the_segments_apart" in shop.log
    assert 1 <= shop.value("select count(*) from segments.segment_rules") <= 3
    assert shop.value("select max(fidelity) from segments.segment_rules") < 0.9
