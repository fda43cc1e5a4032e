"""What people read in the dbt docs and in the database: complete, and true of what is there."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import PROJECT, Build

LAYERS = "('staging', 'metrics', 'clustering', 'segments', 'marketing')"
MODELS = PROJECT / "models"


@pytest.fixture(scope="module")
def manifest(sample_build: Build) -> dict[str, Any]:
    """Without lists of actions that were added as a row and a line: their row describes them."""
    target = sample_build.database.parent / "target" / "manifest.json"
    found: dict[str, Any] = json.loads(target.read_text())
    found["nodes"] = {
        unique_id: node
        for unique_id, node in found["nodes"].items()
        if node["description"] or not node["name"].startswith("targets_")
    }
    return found


def test_every_table_and_view_says_what_a_row_is(manifest: dict[str, Any]) -> None:
    nodes = [n for n in manifest["nodes"].values() if n["resource_type"] in ("model", "seed")]
    assert len(nodes) > 30
    for node in nodes:
        assert re.match(r"(Exactly one|One) row\b", node["description"]), node["name"]


def test_descriptions_are_comments_in_the_database(
    sample_build: Build, manifest: dict[str, Any]
) -> None:
    tables = sample_build.query(
        f"""
        select table_name as name, comment from duckdb_tables() where schema_name in {LAYERS}
        union all
        select view_name as name, comment from duckdb_views() where schema_name in {LAYERS}
        """
    )
    nodes = {
        node["name"]: node["description"]
        for node in manifest["nodes"].values()
        if node["resource_type"] in ("model", "seed")
    }
    comments = dict(zip(tables["name"], tables["comment"], strict=True))
    assert {name: comments[name] for name in nodes} == nodes
    assert all(name.startswith("targets_") for name in set(comments) - set(nodes))


def test_every_column_is_described_and_every_description_has_its_column(
    sample_build: Build, manifest: dict[str, Any]
) -> None:
    columns = sample_build.query(
        f"""
        select table_name || '.' || column_name as name, comment from duckdb_columns()
        where schema_name in {LAYERS}
        """
    )
    known = {node["name"] for node in manifest["nodes"].values()}
    columns = columns[columns["name"].str.split(".").str[0].isin(known)]
    # The columns of the candidate features follow a var.
    features = {
        f"{table}.{feature}"
        for table in ("clustering_sample", "customer_stages", "graded_customers", "past_samples")
        for feature in ("total_amount", "num_orders", "avg_order_value", "days_since_last_order")
    }
    nameless = set(columns.loc[columns["comment"].isna(), "name"])
    assert nameless == features
    # A comma in an unquoted {name: x, description: a, b} ends the description, without a word.
    said = columns.dropna(subset="comment")
    assert not list(said.loc[~said["comment"].str.endswith("."), "name"])
    # After a quoted one it starts a key of its own, which dbt keeps without a word as well.
    cut_off = [
        (node["name"], key)
        for node in manifest["nodes"].values()
        for column in node.get("columns", {}).values()
        for key in column
        if " " in key
    ]
    assert cut_off == []
    described = {
        f"{node['name']}.{column}"
        for node in manifest["nodes"].values()
        if node["resource_type"] in ("model", "seed")
        for column in node["columns"]
    }
    assert described == set(columns["name"]) - features


def test_comments_come_through_whole(sample_build: Build) -> None:
    """Quotes, signs and letters beyond ASCII, in a Python model's column and in a view's."""
    comment = sample_build.value(
        """
        select comment from duckdb_columns()
        where table_name = 'clustering_candidates' and column_name = 'is_elbow'
        """
    )
    assert "Satopää" in comment
    comment = sample_build.value(
        """
        select comment from duckdb_columns()
        where table_name = 'as_of' and column_name = 'chosen_by'
        """
    )
    assert "'as_of_date'" in comment


def test_a_doc_block_is_for_an_idea_that_is_used_twice() -> None:
    blocks = re.findall(r"{% docs (\w+) %}", (MODELS / "descriptions.md").read_text())
    files = [*MODELS.glob("*/*.yml"), PROJECT / "seeds" / "_seeds.yml"]
    used = re.findall(r"doc\('(\w+)'\)", "".join(file.read_text() for file in files))
    assert len(blocks) == len(set(blocks)) > 20
    assert {block: used.count(block) for block in blocks if used.count(block) < 2} == {}


def test_links_of_the_overview_lead_somewhere(manifest: dict[str, Any]) -> None:
    overview = (MODELS / "overview.md").read_text()
    links = re.findall(r"\[(\w+)\]\(#!/(?:model|seed)/((?:model|seed)[.\w]+)\)", overview)
    assert len(links) > 12
    for name, target in links:
        assert target in manifest["nodes"]
        assert manifest["nodes"][target]["name"] == name


def test_every_exposure_has_an_owner_and_a_link(manifest: dict[str, Any]) -> None:
    exposures = list(manifest["exposures"].values())
    assert {exposure["name"] for exposure in exposures} == {
        exposure["name"]
        for exposure in yaml.safe_load((MODELS / "exposures.yml").read_text())["exposures"]
    }
    for exposure in exposures:
        assert exposure["description"]
        assert exposure["owner"]["name"]
        where, _, anchor = exposure["url"].partition("#")
        if anchor.startswith("!/model/"):
            assert anchor.removeprefix("!/model/") in manifest["nodes"]
        else:
            assert Path("docs", where).as_posix() == "docs/../report/index.html"
            assert anchor in ("", "targets")
