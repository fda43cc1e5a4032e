"""Metrics of one's own: a model and vars, and they are wherever the project's own metrics are."""

from pathlib import Path
from typing import Any

import duckdb
import pytest
from conftest import (
    NO_DATA_TESTS,
    NO_UNIT_TESTS,
    PROJECT,
    QUICK,
    Build,
    build_models,
    build_with_data_tests,
    copy_of_the_project,
    run_dbt,
)

from customer_segmentation.report.page import make_sections
from customer_segmentation.report.shop import Shop

OWN = ["num_categories", "share_of_discounted_orders"]
BUILT_IN = ["total_amount", "num_orders", "avg_order_value", "days_since_last_order"]
VARIABLES: dict[str, Any] = {
    "custom_order_columns": {"category": "category", "discount": "discount"},
    "candidate_features": [*BUILT_IN, *OWN],
}


def with_metrics(folder: Path, *columns: str) -> Path:
    """A copy of the project whose custom_metrics has ``columns``; nothing else is changed."""
    project = copy_of_the_project(folder)
    (project / "models" / "metrics" / "custom_metrics.sql").write_text(
        f"""
        select customer_id, as_of_date, {", ".join(columns)}
        from {{{{ ref('known_order_lines') }}}}
        group by customer_id, as_of_date
        """
    )
    return project


CATEGORIES = "count(distinct category) as num_categories"
DISCOUNTED = (
    "count(distinct case when discount = 'yes' then order_id end) / count(distinct order_id)"
    " as share_of_discounted_orders"
)


def build(project: Path, database: Path, **variables: Any) -> Build:
    return build_with_data_tests(database, QUICK | VARIABLES | variables, project=project)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Build:
    folder = tmp_path_factory.mktemp("custom")
    shop = build(with_metrics(folder / "project", CATEGORIES, DISCOUNTED), folder / "shop.duckdb")
    assert shop.success, shop.log
    return shop


@pytest.mark.parametrize(
    "table",
    [
        "select metric from metrics.metric_distributions",
        "select metric from metrics.metric_correlations"
        " union select other_metric from metrics.metric_correlations",
        "select feature from clustering.clustering_features",
        "select metric from clustering.metric_drift",
        "select replace(column_name, 'median_', '') from duckdb_columns()"
        " where table_name = 'segment_profiles' and column_name like 'median_%'",
        "select column_name from duckdb_columns() where table_name = 'customer_segments'",
    ],
)
def test_they_are_where_the_metrics_of_the_project_are(own: Build, table: str) -> None:
    names = set(own.query(table).iloc[:, 0])
    assert names >= {*BUILT_IN, *OWN}


def test_their_figures_are_those_of_the_orders(own: Build) -> None:
    wrong = own.value(
        """
        with truth as (
            select
                customer_id,
                count(distinct category) as num_categories,
                count(distinct order_id) filter (where discount = 'yes')
                / count(distinct order_id) as share_of_discounted_orders
            from staging.stg_order_lines
            where exclusion_reason is null
            group by customer_id
        )
        select count(*) from truth
        inner join segments.customer_segments as found using (customer_id)
        where (truth.num_categories, truth.share_of_discounted_orders)
            is distinct from (found.num_categories, found.share_of_discounted_orders)
        """
    )
    customers = own.value("select count(*) from segments.customer_segments")
    assert (wrong, customers) == (0, 1164)
    assert own.value("select count(distinct num_categories) from metrics.custom_metrics") == 5


def test_the_clustering_and_the_rules_can_use_them(own: Build) -> None:
    selected = own.query(
        "select feature from clustering.clustering_features"
        " where is_selected and stage = 'everybody'"
    )
    assert set(selected["feature"]) >= set(OWN)
    coordinates = own.query("select distinct feature from clustering.cluster_centroids")
    assert set(coordinates["feature"]) == set(selected["feature"])
    conditions = " ".join(own.query("from segments.segment_rules")["condition"])
    assert any(metric in conditions for metric in OWN)
    rules = own.query("select condition from segments.segment_rules")["condition"]
    obeyed = " + ".join(f"cast({condition} as integer)" for condition in rules)
    counts = own.query(
        f"select distinct {obeyed} as num from segments.customer_segments where is_clusterable"
    )
    assert list(counts["num"]) == [1]


def test_the_past_is_known_on_metric_days_and_what_comes_where_nothing_moves(own: Build) -> None:
    changes = own.query(
        """
        select
            count(*) as num_changes,
            count(*) filter (
                where changed_on not in (select as_of_date from segments.segment_history)
            ) as num_on_other_days
        from segments.customer_segment_changes
        """
    ).iloc[0]
    assert changes["num_changes"] > 0
    assert changes["num_on_other_days"] == 0
    assert own.value("select count(changes_on) from segments.segment_countdown") > 0


@pytest.mark.parametrize(
    ("moves", "variables", "reason"),
    [
        (True, {}, "a metric of custom_metrics moves with time"),
        (False, {"metrics_window_days": 200}, "with metrics_window_days the metrics change"),
    ],
)
def test_what_comes_is_not_known_where_metrics_move_by_themselves(
    tmp_path: Path, moves: bool, variables: dict[str, Any], reason: str
) -> None:
    project = with_metrics(tmp_path / "project", CATEGORIES, DISCOUNTED)
    if moves:
        described = project / "models" / "metrics" / "_metrics__models.yml"
        text = described.read_text()
        column = "      - {name: num_categories, config: {meta: {moves_with_time: true}}}\n"
        place = text.index("  - name: custom_metrics\n")
        place = text.index("    columns:\n", place) + len("    columns:\n")
        described.write_text(text[:place] + column + text[place:])
    shop = build(project, tmp_path / "shop.duckdb", **variables)
    assert shop.success, shop.log
    known = shop.query(
        "select count(changes_on) as num, min(unknown_because) as because,"
        " count(distinct unknown_because) as num_reasons from segments.segment_countdown"
    ).iloc[0]
    assert (known["num"], known["num_reasons"]) == (0, 1)
    assert known["because"].startswith(reason)
    assert shop.value(
        "select count(*) from segments.customer_segment_changes where cause = 'time passed'"
    )


def test_the_contract_holds_and_they_come_after_it(own: Build, sample_build: Build) -> None:
    columns = """
        select column_name, data_type from duckdb_columns()
        where table_name = 'customer_segments' order by column_index
    """
    listed = sample_build.query(columns).to_numpy().tolist()
    found = own.query(columns).to_numpy().tolist()
    assert found[: len(listed)] == listed
    assert found[len(listed) :] == [
        ["num_categories", "BIGINT"],
        ["share_of_discounted_orders", "DOUBLE"],
    ]


def test_the_report_shows_them(own: Build, tmp_path: Path) -> None:
    sections = {s.key: s for s in make_sections(Shop(own.copy(tmp_path)), lambda message: None)}
    keys = {plot.key for section in sections.values() for plot in section.plots}
    assert {"num-categories-before", "share-of-discounted-orders-after"} <= keys
    (indices,) = sections["profiles"].plots
    assert "Number of categories, index" in indices.table.headings
    assert "Share of discounted orders, median" in indices.table.headings
    (pairs,) = [plot for plot in sections["metrics"].plots if plot.key == "correlations"]
    assert "Number of categories" in {row[1] for row in pairs.table.rows}


def test_a_line_planted_after_the_day_changes_nothing(tmp_path: Path) -> None:
    """Not even of a customer who is known, on a day that the as-of date hides."""
    project = with_metrics(tmp_path / "project", CATEGORIES, DISCOUNTED)
    orders = PROJECT / "seeds" / "raw_orders.csv"
    planted = tmp_path / "planted.csv"
    duckdb.sql(
        f"""
        copy (
            from read_csv('{orders}', all_varchar = true)
            union all by name
            select * replace (
                'planted' as line_id, 'planted' as order_id, '2025-07-01 00:00:00' as ordered_at,
                '99' as amount, 'yachts' as category, 'yes' as discount
            )
            from read_csv('{orders}', all_varchar = true) where line_id = 'L000001'
        ) to '{planted}'
        """
    )
    columns = ("customer_id", "order_id", "ordered_at", "amount", "line_id", "status")
    found = []
    for location in (orders, planted):
        shop = run_dbt(
            tmp_path / "shop.duckdb",
            ["build", *NO_UNIT_TESTS, *NO_DATA_TESTS, "--select", "+custom_metrics"],
            VARIABLES
            | {
                "orders_location": str(location),
                "order_columns": {column: column for column in columns},
                "as_of_date": "2025-07-01",
            },
            project=project,
        )
        assert shop.success, shop.log
        found.append(shop.query("from metrics.custom_metrics order by all"))
    assert len(found[0]) > 900
    assert found[0].equals(found[1])
    known = shop.value("select max(ordered_at)::varchar from metrics.known_order_lines")
    assert known < "2025-07-01"


@pytest.mark.parametrize(
    ("columns", "variables", "sentence"),
    [
        (
            ["count(*) as num_orders"],
            {"candidate_features": BUILT_IN},
            "custom_metrics: a column can't be called 'num_orders', since customer_metrics or a",
        ),
        (
            ["sum(amount) as revenue", "sum(amount) as revenue_next"],
            {"candidate_features": [*BUILT_IN, "revenue"]},
            "custom_metrics: a column can't be called 'revenue_next', since customer_metrics or a",
        ),
        (
            ["max(category) as num_categories"],
            {"candidate_features": [*BUILT_IN, "num_categories"]},
            "candidate_features: there is no metric 'num_categories'. The metrics are total_amount",
        ),
        (
            ["nullif(count(distinct category), 1) as num_categories"],
            {"candidate_features": [*BUILT_IN, "num_categories"]},
            "candidate_features: num_categories has no value, or no finite one, for ",
        ),
    ],
    ids=["taken", "outcome", "text", "missing"],
)
def test_what_can_be_no_metric_is_one_sentence_and_nothing_is_replaced(
    tmp_path: Path, columns: list[str], variables: dict[str, Any], sentence: str
) -> None:
    project = with_metrics(tmp_path / "project", *columns)
    bad = build_models(
        tmp_path / "shop.duckdb",
        QUICK | VARIABLES | variables,
        "--select", "+clustering_guards",
        project=project,
    )  # fmt: skip
    assert not bad.success
    assert sentence in bad.log
    assert "Traceback" not in bad.log
    assert bad.value("select count(*) from duckdb_tables() where schema_name = 'clustering'") == 0


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"Category": "category"}, "custom_order_columns: 'Category' can't be a column's name."),
        ({"amount": "amount"}, "custom_order_columns: the order lines have a column 'amount'"),
    ],
)
def test_a_name_that_no_column_can_have_is_one_sentence(
    tmp_path: Path, columns: dict[str, str], sentence: str
) -> None:
    refused = run_dbt(
        tmp_path / "shop.duckdb",
        ["run", "--select", "raw_order_lines"],
        {"custom_order_columns": columns},
    )
    assert not refused.success
    assert sentence in refused.log
