"""The published dbt docs: whole, without the folders of the machine, and every table explained."""

import json
import re
from pathlib import Path

from conftest import PROJECT, SHARED, Build

from customer_segmentation.docs import publish
from customer_segmentation.lineage import draw, tables_in_words


def test_docs_are_one_page_without_a_path_of_the_machine(
    generated_docs: Path, tmp_path: Path
) -> None:
    """Of one's own orders this is checked with the report: no key, no address and no path."""
    folders = (PROJECT, Path.home(), SHARED)
    assert str(PROJECT) in generated_docs.read_text(encoding="utf-8"), "drop the step"

    publish(generated_docs, tmp_path / "site" / "index.html", *folders)

    page = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    lineage = (tmp_path / "site" / "lineage.svg").read_text(encoding="utf-8")
    for folder in folders:
        assert str(folder) not in page
        assert str(folder) not in lineage
    assert ">customer_segments</text>" in lineage
    assert "customer_segments" in page
    # Else dbt's own code in the page would load a script that counts visits.
    assert '"send_anonymous_usage_stats": false' in page


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
