"""The picture of the lineage: every table in its layer's column, and no line behind a name."""

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from customer_segmentation.docs import embedded_manifest, with_badges, without_tests_in_graph
from customer_segmentation.lineage import (
    BOX_HEIGHT,
    READER_COLOUR,
    Node,
    draw,
    layers_of,
    nodes_of,
    place,
)
from customer_segmentation.report.palette import contrast

PROJECT = Path(__file__).parents[2]
SVG = "{http://www.w3.org/2000/svg}"


def resource(kind: str, name: str, folder: str, **more: Any) -> dict[str, Any]:
    unique_id = f"{kind}.shop.{name}"
    fqn = ["shop", folder, name]
    return {"resource_type": kind, "name": name, "unique_id": unique_id, "fqn": fqn, **more}


def manifest() -> dict[str, Any]:
    nodes = [
        resource("seed", "raw", "raw", docs={"node_color": "#123456"}),
        # The layers' order is not the alphabet's.
        resource("model", "clean", "z_staging", description="What <b>arrived</b>"),
        resource("model", "alone", "z_staging"),
        resource("model", "again", "z_staging"),
        resource("model", "middle", "m_metrics"),
        resource("model", "other", "m_metrics"),
        resource("model", "late", "a_segments"),
        resource("test", "late_is_right", "tests", docs={}),
        resource("test", "not_null_late_id", "tests", test_metadata={"name": "not_null"}),
        resource("operation", "shop-on-run-start-0", "hooks"),
        resource("analysis", "why", "analyses"),
    ]
    exposure = resource("exposure", "page", "readers", label="Page & all")
    unit_test = resource("unit_test", "late__is_late", "a_segments")
    return {
        "nodes": {node["unique_id"]: node for node in nodes},
        "sources": {},
        "exposures": {exposure["unique_id"]: exposure},
        "unit_tests": {unit_test["unique_id"]: unit_test},
        "parent_map": {
            "seed.shop.raw": [],
            "model.shop.clean": ["seed.shop.raw"],
            "model.shop.alone": [],
            "model.shop.again": ["model.shop.clean"],
            "model.shop.middle": ["model.shop.clean"],
            "model.shop.other": ["model.shop.middle"],
            "model.shop.late": ["model.shop.middle", "model.shop.clean", "seed.shop.raw"],
            "exposure.shop.page": ["model.shop.late", "model.shop.again"],
            "unit_test.shop.late__is_late": ["model.shop.late"],
        },
    }


def layers() -> list[list[Node]]:
    return layers_of(nodes_of(manifest()).values())


def test_layers_are_columns_in_the_order_of_the_data() -> None:
    assert [[node.name for node in layer] for layer in layers()] == [
        ["raw"],
        ["alone", "clean", "again"],
        ["middle", "other"],
        ["late"],
        ["Page & all"],
    ]


def test_every_edge_is_drawn_once_and_every_box_has_its_name() -> None:
    picture = ElementTree.fromstring(draw(manifest()))
    edges = [path.get("class") for path in picture.iter(f"{SVG}path") if path.get("class")]
    assert len(edges) == len(set(edges)) == 9
    names = [node.find(f"{SVG}text").text for node in picture.iter(f"{SVG}g")]
    assert names == ["raw", "alone", "clean", "again", "middle", "other", "late", "Page & all"]
    assert not list(picture.iter(f"{SVG}a"))


def test_boxes_link_to_the_page() -> None:
    picture = ElementTree.fromstring(draw(manifest(), page="index.html"))
    links = [link.get("href") for link in picture.iter(f"{SVG}a")]
    assert "index.html#!/seed/seed.shop.raw" in links
    assert "index.html#!/exposure/exposure.shop.page" in links
    assert len(links) == 8
    titles = [node.find(f"{SVG}title").text for node in picture.iter(f"{SVG}g")]
    assert "What <b>arrived</b>" in titles


def test_a_line_to_a_far_column_passes_between_the_boxes() -> None:
    columns = layers()
    place(columns)
    boxes = {node.name: node for column in columns for node in column}
    picture = ElementTree.fromstring(draw(manifest()))
    paths = {path.get("class"): path.get("d") for path in picture.iter(f"{SVG}path")}
    # From the seed (0) to the last layer (6), past staging and metrics.
    levels = re.findall(r"([\d.]+) H([\d.]+)", paths["edge from0 to6"])
    assert len(levels) == 2
    for (level, end), column in zip(levels, columns[1:3], strict=True):
        assert float(end) == pytest.approx(column[0].x + column[0].width, abs=0.1)
        for node in column:
            assert abs(float(level) - node.y) > BOX_HEIGHT / 2, node.name
    assert boxes["late"].x > float(levels[-1][1])


def test_one_table_alone_is_a_picture() -> None:
    one = {"model.shop.clean": resource("model", "clean", "staging")}
    maps = {"parent_map": {"model.shop.clean": []}, "sources": {}, "exposures": {}}
    ElementTree.fromstring(draw({"nodes": one, **maps}))


def test_the_graph_has_no_test_and_no_operation() -> None:
    changed = manifest()
    without_tests_in_graph(changed)
    everything = [*changed["nodes"].values(), *changed["unit_tests"].values()]
    assert {node["resource_type"] for node in everything} == {"seed", "model", "test", "analysis"}
    tests = [node for node in everything if node["resource_type"] == "test"]
    assert len(tests) == 3
    assert all("test_metadata" in test for test in tests), "the page draws those without"
    assert tests[1]["test_metadata"] == {"name": "not_null"}, "what gives a column its badge stays"
    exposure = changed["exposures"]["exposure.shop.page"]
    assert exposure["docs"]["node_color"] == READER_COLOUR


def test_what_is_never_null_has_its_badge() -> None:
    changed = manifest()
    key = "test.shop.late_key"
    keys = {"columns": ["id"], "never_null": ["id", "day"]}
    changed["nodes"][key] = resource(
        "test", "late_key", "tests",
        test_metadata={"name": "unique_combination", "kwargs": keys},
        depends_on={"nodes": ["model.shop.late"]},
    )  # fmt: skip
    with_badges(changed)
    added = [changed["nodes"][f"{key}.{column}"] for column in ("id", "day")]
    assert [test["column_name"] for test in added] == ["id", "day"]
    assert {test["test_metadata"]["name"] for test in added} == {"not_null"}
    assert added[0]["depends_on"] == {"nodes": ["model.shop.late"]}
    assert changed["nodes"][key]["test_metadata"]["name"] == "unique_combination"


def test_a_page_without_a_manifest_is_told() -> None:
    with pytest.raises(ValueError, match="There is no manifest in the page"):
        embedded_manifest("<html></html>")


def test_white_text_is_readable_on_every_colour() -> None:
    project = yaml.safe_load((PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))
    folders = project["models"]["customer_segmentation"]
    colours = [
        folder["+docs"]["node_color"]
        for name, folder in {**folders, "seeds": project["seeds"]["customer_segmentation"]}.items()
        if not name.startswith("+")
    ]
    assert len(colours) == len(set(colours)) == 6
    for colour in [*colours, READER_COLOUR]:
        assert contrast(colour, "#ffffff") >= 4.5, colour
