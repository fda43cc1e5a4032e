"""The published dbt docs: whole, without the folders of the machine, and every table explained."""

import json
import re
from pathlib import Path
from typing import Any

import duckdb
import pytest
from conftest import PROJECT, Build, run_dbt

from customer_segmentation.docs import publish
from customer_segmentation.lineage import draw, tables_in_words


@pytest.mark.parametrize("own_orders", [False, True], ids=["sample", "own orders"])
def test_docs_are_one_page_without_a_path_of_the_machine(tmp_path: Path, own_orders: bool) -> None:
    variables: dict[str, Any] = {}
    if own_orders:
        (tmp_path / "exports").mkdir()
        orders = tmp_path / "exports" / "orders.parquet"
        columns = ("customer_id", "order_id", "ordered_at", "amount")
        selected = ", ".join(f"1 as {column}" for column in columns)
        duckdb.connect().sql(f"copy (select {selected}) to '{orders}'")
        variables = {"orders_location": str(orders), "order_columns": {c: c for c in columns}}
    database = tmp_path / "shop.duckdb"
    assert run_dbt(database, ["docs", "generate", "--static"], variables).success
    made = tmp_path / "target" / "static_index.html"
    assert str(PROJECT) in made.read_text(encoding="utf-8"), "dbt names no folder: drop the step"

    publish(made, tmp_path / "site" / "index.html", PROJECT, Path.home(), tmp_path)

    page = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    lineage = (tmp_path / "site" / "lineage.svg").read_text(encoding="utf-8")
    for folder in (PROJECT, Path.home(), tmp_path):
        assert str(folder) not in page
        assert str(folder) not in lineage
    assert ">customer_segments</text>" in lineage
    assert "customer_segments" in page
    assert ("read_parquet('./orders.parquet'" in page) == own_orders


def test_the_architecture_shows_every_table_as_it_is(sample_build: Build) -> None:
    target = sample_build.database.parent / "target" / "manifest.json"
    manifest = json.loads(target.read_text(encoding="utf-8"))
    tables = [
        node["name"]
        for node in manifest["nodes"].values()
        if node["resource_type"] in ("model", "seed", "snapshot")
    ]
    text = (PROJECT / "docs" / "architecture.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(\w+)` \|", text, flags=re.MULTILINE)
    assert sorted(listed) == sorted(tables)
    assert text == tables_in_words(manifest, text), "it is of another project: make pictures"
    drawn = (PROJECT / "docs" / "images" / "lineage.svg").read_text(encoding="utf-8")
    assert drawn == draw(manifest), "the picture is of another project: make pictures"
