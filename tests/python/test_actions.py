"""An action of one's own is a row and a line: it is planned, listed and reported."""

from pathlib import Path

import pytest
from conftest import QUICK, Build, build_with_data_tests, copy_of_the_project, run_dbt

from customer_segmentation.report.page import make_sections
from customer_segmentation.report.shop import Shop

ROW = 'call,6,Call,"Call them: a letter would not do."\n'
RULES_OF_BEFORE = """\
rule,priority,min_days_since_last_order,max_days_since_last_order,min_num_orders,max_num_orders,\
min_spend_rank,max_spend_rank,action,description
gone_for_a_year,30,366,,,,,,win_back,No order for more than a year.
first_order_lately,40,,90,1,1,,,second_order,One order and within 90 days.
"""
"""Without the columns of the lifecycle stage and the chance to order again."""

LIST = "{{ eligible_targets('call') }}\n"


def with_a_call(folder: Path) -> Path:
    """A project in which cooling repeat customers are called."""
    project = copy_of_the_project(folder)
    actions = project / "seeds" / "actions.csv"
    actions.write_text(actions.read_text() + ROW)
    archetypes = project / "seeds" / "segment_archetypes.csv"
    lines = [
        line.removesuffix("cross_sell") + "call" if line.startswith("cooling_repeat") else line
        for line in archetypes.read_text().splitlines()
    ]
    archetypes.write_text("\n".join(lines) + "\n")
    (project / "models" / "marketing" / "targets_call.sql").write_text(LIST)
    (project / "seeds" / "targeting_rules.csv").write_text(RULES_OF_BEFORE)
    return project


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Build:
    folder = tmp_path_factory.mktemp("actions")
    variables = QUICK | {"segment_count": 6}
    built = build_with_data_tests(
        folder / "shop.duckdb", variables, project=with_a_call(folder / "project")
    )
    assert built.success, built.log
    return built


def test_its_list_holds_the_eligible_customers_whose_action_it_is(shop: Build) -> None:
    planned = shop.value(
        "select count(*) from marketing.marketing_targets where action = 'call' and is_eligible"
    )
    assert shop.value("select count(*) from marketing.targets_call") == planned > 50


def test_targeting_rules_of_before_still_work(shop: Build) -> None:
    targets = shop.query("from marketing.marketing_targets")
    gone = targets[targets["action_source"] == "gone_for_a_year"]
    assert len(gone) > 200
    assert gone["days_since_last_order"].min() == 366
    assert set(gone["action"]) == {"win_back"}
    late = targets["days_since_last_order"] >= 366
    assert set(targets.loc[late & targets["lifecycle_stage"].ne("unknown"), "action_source"]) == {
        "gone_for_a_year"
    }


def test_its_list_begins_with_the_most_valuable(shop: Build) -> None:
    listed = shop.query("from marketing.targets_call")
    first = listed.sort_values(
        ["priority", "total_amount", "customer_id"], ascending=[True, False, True]
    )
    assert listed["priority"].nunique() > 1
    assert listed["customer_id"].tolist() == first["customer_id"].tolist()


def test_the_report_names_it_and_its_list(shop: Build, tmp_path: Path) -> None:
    sections = {s.key: s for s in make_sections(Shop(shop.copy(tmp_path)), lambda message: None)}
    (plot,) = sections["targets"].plots
    assert [(row[0], row[-1]) for row in plot.table.rows][-2:] == [
        ("Call", "marketing.targets_call"),
        ("No action", "\u2013"),
    ]
    assert "Call" in {card["action"] for card in sections["segments"].content["cards"]}


def test_an_action_without_its_list_is_told(tmp_path: Path) -> None:
    project = with_a_call(tmp_path / "project")
    (project / "models" / "marketing" / "targets_call.sql").unlink()
    selected = ["build", "--select", "actions"]
    refused = run_dbt(tmp_path / "shop.duckdb", selected, {}, project=project)
    assert not refused.success
    assert "every_action_has_its_list" in refused.log
