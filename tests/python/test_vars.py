"""Vars that can't be what they say: one sentence that names var, value and what is allowed."""

import datetime
import json
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from conftest import PROJECT, run_dbt

SHARES = [
    "max_unreadable_share", "max_excluded_share", "max_chosen_exclusion_share",
    "max_excluded_share_of_a_place", "max_repeated_row_share", "max_customer_share_of_orders",
    "max_customer_share_of_amount", "max_similar_id_share", "min_repeat_customer_share",
    "max_spanning_order_share", "max_shared_order_share", "max_equal_amounts_share",
    "max_valley_p_value", "min_bootstrap_jaccard", "min_bootstrap_adjusted_rand",
    "min_segment_share", "min_claim_share", "min_claim_contrast",
    "min_rule_fidelity", "min_active_probability", "max_lapsed_probability",
]  # fmt: skip
COUNTS = [
    "max_order_gap_days", "min_isolation_gap_days", "metrics_window_days", "evidence_sample_size",
    "clustering_sample_size", "model_version", "min_rows_of_a_place",
]  # fmt: skip
TEXTS = [
    "dataset", "orders_location", "customers_location", "registry_location", "timezone", "currency",
]  # fmt: skip
LISTS = [
    "excluded_statuses", "counted_statuses", "guest_customer_ids", "missing_id_values",
    "consent_words", "refusal_words",
]  # fmt: skip
MAPPINGS = [
    "csv_options", "customers_csv_options", "attached_databases", "order_columns",
    "custom_order_columns", "customer_columns", "feature_transforms", "feature_limits",
]  # fmt: skip

INSTALLED = {
    alias
    for (alias,) in duckdb.sql(
        "select unnest(aliases) from duckdb_extensions() where installed"
    ).fetchall()
}
"""Extensions of DuckDB that someone installed on this machine."""

WRONG: list[tuple[dict[str, Any], str]] = [
    *(({name: 75}, f"{name}: '75' won't do. Give a share from 0 to 1.") for name in SHARES),
    *(({name: -0.1}, f"{name}: '-0.1' won't do. Give a share") for name in SHARES),
    *(({name: 0}, f"{name}: '0' won't do. Give a whole number of at least 1") for name in COUNTS),
    *(({name: 1.5}, f"{name}: '1.5' won't do. Give a whole number") for name in COUNTS),
    *(({name: ""}, f"{name}: '' won't do. Give a ") for name in TEXTS),
    *(({name: 5}, f"{name}: '5' won't do. Give a ") for name in TEXTS),
    *(({name: "word"}, f"{name}: 'word' won't do. Give a list of texts") for name in LISTS),
    *(({name: [1]}, f"{name}: '[1]' won't do. Give a list of texts") for name in LISTS),
    *(({name: ["a", "A "]}, f"{name}: 'A ' stands there twice") for name in LISTS),
    *(({name: ["a"]}, f"{name}: '['a']' won't do. Give a mapping") for name in MAPPINGS),
    (
        {"order_columns": {"amount": ["a"]}},
        "order_columns: '['a']' for 'amount' won't do. Give a SQL",
    ),
    ({"order_columns": {"amount": " "}}, "order_columns: ' ' for 'amount' won't do. Give a SQL"),
    (
        {"attached_databases": {"erp": 1}},
        "attached_databases: '1' for 'erp' won't do. Give the path",
    ),
    (
        {"attached_databases": {"erp": "no.duckdb"}},
        "attached_databases: there is no file 'no.duckdb'",
    ),
    (
        {"custom_order_columns": {"Kind": "k"}},
        "custom_order_columns: 'Kind' can't be a column's name",
    ),
    ({"custom_order_columns": {"file": "k"}}, "the order lines have a column 'file' already"),
    (
        {"as_of_date": "tomorrow"},
        "as_of_date: 'tomorrow' won't do. Give a day (YYYY-MM-DD) or null.",
    ),
    ({"as_of_date": "2024-02-31"}, "as_of_date: there is no day '2024-02-31'."),
    ({"as_of_date": 20240131}, "as_of_date: '20240131' won't do. Give a day"),
    ({"as_of_date": "2024-1-31"}, "as_of_date: '2024-1-31' won't do. Give a day"),
    ({"as_of_date": 2024.5}, "as_of_date: '2024.5' won't do. Give a day"),
    (
        {"rows_are": "lines"},
        "rows_are: 'lines' won't do. Give order_lines or lines_with_order_total or orders.",
    ),
    ({"rows_are": None}, "rows_are: 'None' won't do. Give order_lines or lines"),
    ({"order_rows": 1}, "order_rows: '1' won't do. Give a text or null."),
    (
        {"currency_rates_location": "rates.csv", "currency": "EUR"},
        "currency_rates_location: rates need to know from what and into what. Map the field",
    ),
    ({"returns": "keep"}, "returns: 'keep' won't do. Give net or exclude."),
    ({"returns": True}, "returns: 'True' won't do. Give net or exclude."),
    ({"scaler": "max"}, "scaler: 'max' won't do. Give standard or robust or minmax or none."),
    ({"check_order_ids": "yes"}, "check_order_ids: 'yes' won't do. Give true or false."),
    ({"refit": 1}, "refit: '1' won't do. Give true or false or anew."),
    ({"refit_on_change": "false"}, "refit_on_change: 'false' won't do. Give true or false."),
    ({"unknown_consent_is_eligible": None}, "unknown_consent_is_eligible: 'None' won't do."),
    ({"timezone": "Europe/Londn"}, "'Europe/Londn' is unknown. Did you mean 'Europe/London'?"),
    ({"timezone": "Mars"}, "timezone: 'Mars' is unknown. Give a name like UTC"),
    ({"segment_count": 1}, "segment_count: '1' won't do. Give a whole number from 2 to 20 or auto"),
    ({"segment_count": "4"}, "segment_count: '4' won't do. Give a whole number from 2 to 20"),
    ({"segment_count": True}, "segment_count: 'True' won't do."),
    ({"segment_count_range": [5]}, "segment_count_range: '[5]' won't do. Give the least"),
    ({"segment_count_range": [8, 3]}, "segment_count_range: '[8, 3]' won't do."),
    ({"segment_count_range": [3, 300]}, "segment_count_range: '[3, 300]' won't do."),
    ({"segment_count_range": [3.5, 8]}, "segment_count_range: '[3.5, 8]' won't do."),
    ({"segment_count_range": "3-8"}, "segment_count_range: '3-8' won't do. Give a list of two"),
    ({"candidate_features": []}, "candidate_features: the list '[]' is empty."),
    ({"candidate_features": ["num_orders", "num_orders"]}, "'num_orders' stands there twice."),
    ({"candidate_features": "auto"}, "candidate_features: 'auto' won't do. Give a list of texts."),
    ({"selected_features": []}, "selected_features: the list '[]' is empty."),
    ({"selected_features": ["num_order"]}, "'num_order' is not among candidate_features"),
    ({"selected_features": ["num_order"]}, "Did you mean 'num_orders'? Add it there."),
    (
        {"feature_transforms": {"num_order": "log1p"}},
        "feature_transforms: 'num_order' is not among",
    ),
    (
        {"feature_transforms": {"num_orders": "log"}},
        "feature_transforms: 'log' for num_orders won't",
    ),
    (
        {"feature_limits": {"num_order": [0.01, 0.99]}},
        "feature_limits: 'num_order' is not among candidate_features",
    ),
    *(
        (
            {"feature_limits": {"num_orders": limits}},
            f"feature_limits: '{limits}' for num_orders won't do. Give a lower and a higher",
        )
        for limits in (
            0.99,
            "0.99",
            None,
            [],
            [0.99],
            [0.01, 0.5, 0.99],
            [0.99, 0.01],
            [0.5, 0.5],
            [0.01, 1.5],
            [-0.1, None],
            [True, None],
            ["0.01", 0.99],
            {"upper": 0.99},
        )
    ),
    ({"max_skewness": float("nan")}, "max_skewness: 'nan' won't do. Give a number of at least 0."),
    ({"max_skewness": float("inf")}, "max_skewness: 'inf' won't do. Give a number of at least 0."),
    (
        {"max_variance_inflation": 0.5},
        "max_variance_inflation: '0.5' won't do. Give a number of at",
    ),
    (
        {"min_drift_to_watch": 0.3},
        "min_drift_to_watch: '0.3' won't do. Give at most min_drift_to_ref",
    ),
    ({"min_drift_to_refit": -1}, "min_drift_to_refit: '-1' won't do. Give a number of at least 0."),
    ({"num_bootstraps": -1}, "num_bootstraps: '-1' won't do. Give a whole number"),
    ({"num_resamples": -1}, "num_resamples: '-1' won't do. Give a whole number of at least 0."),
    (
        {"random_seed": "42"},
        "random_seed: '42' won't do. Give a whole number of at least 0, not text",
    ),
    ({"random_seed": 10**12}, "random_seed: '1000000000000' won't do. Give a whole number"),
    ({"contact_pause_days": -1}, "contact_pause_days: '-1' won't do. Give a whole number"),
    ({"max_rules": 1}, "max_rules: '1' won't do. Give a whole number from 2 to 100."),
    ({"min_customers": "many"}, "min_customers: 'many' won't do. Give a whole number"),
    ({"min_rule_fidelity": "0.9"}, "min_rule_fidelity: '0.9' won't do. Give a share from 0 to 1."),
    ({"min_segment_share": True}, "min_segment_share: 'True' won't do. Give a share from 0 to 1."),
    ({"max_rules": None}, "max_rules: 'None' won't do. Give a whole number from 2 to 100."),
    ({"dataset": None}, "dataset: 'None' won't do. Give a text."),
    ({"dataset": "  "}, "dataset: '  ' won't do. Give a text."),
    (
        {"order_column": {}},
        "There is no var 'order_column'. Did you mean 'order_columns'? The vars",
    ),
    ({"segments": 4}, "There is no var 'segments'."),
    (
        {"order_columns": {"customer_id": "customer"}},
        "order_columns: the sample, which is read as orders_location is not set, has no column 'c",
    ),
    ({"min_claim_share": float("nan")}, "min_claim_share: 'nan' won't do. Give a"),
    ({"archetype_max_distance": 0.2}, "The var 'archetype_max_distance' is gone: names are claims"),
    ({"repurchase_window_days": "month"}, "repurchase_window_days: 'month' won't do. Give a whole"),
    ({"repurchase_window_days": 0}, "repurchase_window_days: '0' won't do. Give a whole number"),
    ({"refit": "always"}, "refit: 'always' won't do. Give true or false or anew."),
    ({"history_months": -1}, "history_months: '-1' won't do. Give a whole number from 0 to 120"),
    (
        {"min_active_probability": 0.1},
        "max_lapsed_probability: '0.2' won't do. Give at most min_active_probability (0.1)",
    ),
    (
        {"attached_databases": {"erp": "postgres:dbname=shop password=secret"}},
        "attached_databases: 'erp' has a password in it, which would be written into the database",
    ),
    (
        {"attached_databases": {"erp": "mysql://me:secret@shop/orders"}},
        "Take it out, and give it in the environment: MYSQL_PWD.",
    ),
    (
        {"orders_location": "https://me:secret@shop.example/orders.csv", "allow_network": True},
        "orders_location: the address has a password in it, which would be written into the data",
    ),
    (
        {"attached_databases": {"erp": "https://shop.example/orders.duckdb"}},
        "is on the network, which is read only if you say so: allow_network: true.",
    ),
    ({"attached_databases": {"shop": "a"}}, "attached_databases: 'shop' is also the name of the"),
    *(
        (
            {"attached_databases": {"erp": where}},
            f"attached_databases: 'erp' needs DuckDB's extension {kind}, which is not installed.",
        )
        for kind, where in (
            ("postgres", "postgres:dbname=shop"),
            ("mysql", "mysql:database=shop host=shop.example"),
            ("sqlite", f"sqlite:{PROJECT / 'README.md'}"),
        )
        if kind not in INSTALLED
    ),
    ({"schema_prefix": "My shop"}, "schema_prefix: 'My shop' won't do. Give a name of a-z, 0-9"),
    ({"stability_bootstraps": 20}, "The var 'stability_bootstraps' is called 'num_bootstraps' now"),
]

RIGHT: list[dict[str, Any]] = [
    {},
    {"as_of_date": datetime.date(2024, 1, 31)},
    {"as_of_date": "2024-02-29", "currency": "EUR", "timezone": "Europe/Berlin"},
    {
        "orders_location": "a.csv",
        "order_columns": {"customer_id": "id", "amount": 1, "status": None},
    },
    {"segment_count": 20, "segment_count_range": [2, 20], "num_resamples": 0, "random_seed": 0},
    {"min_segment_share": 0, "min_rule_fidelity": 1, "max_skewness": 0.5, "metrics_window_days": 1},
    {"candidate_features": ["num_orders"], "selected_features": ["num_orders"]},
    {"feature_transforms": {"num_orders": "none"}, "guest_customer_ids": [], "model_version": 3},
    {"feature_limits": {"num_orders": [None, 0.99], "total_amount": [0, 1]}, "scaler": "none"},
    {"feature_limits": {"total_amount": [0.05, None], "avg_order_value": [None, None]}},
    {"min_drift_to_watch": 0.25, "excluded_statuses": ["returned"], "refit_on_change": False},
]


@pytest.fixture(scope="module")
def problems(tmp_path_factory: pytest.TempPathFactory) -> list[str | None]:
    """The problem of each set of vars, asked for in one run."""
    sets = [given for given, _ in WRONG] + RIGHT
    arguments = yaml.safe_dump({"configurations": sets})
    asked = run_dbt(
        tmp_path_factory.mktemp("vars") / "shop.duckdb",
        ["run-operation", "tell_var_problems", "--args", arguments],
        None,
    )
    assert asked.success, asked.log
    told = [m for m in asked.messages if m.startswith("problem: ")]
    assert len(told) == len(sets)
    return [json.loads(message.removeprefix("problem: ")) for message in told]


def test_each_wrong_set_of_vars_is_one_sentence(problems: list[str | None]) -> None:
    assert len(WRONG) >= 107
    unlike = [
        (given, expected, problem)
        for (given, expected), problem in zip(WRONG, problems[: len(WRONG)], strict=True)
        if problem is None or expected not in problem or "\n" in problem
    ]
    assert unlike == []


def test_right_ones_pass(problems: list[str | None]) -> None:
    assert problems[len(WRONG) :] == [None] * len(RIGHT)


def test_a_wrong_var_stops_the_run_before_anything_is_built(tmp_path: Path) -> None:
    refused = run_dbt(tmp_path / "shop.duckdb", ["build"], {"orders_location": ""})
    assert not refused.success
    assert "orders_location: '' won't do. Give a path or a table, or null." in refused.log
    assert "START sql" not in refused.log
    assert "START python" not in refused.log
