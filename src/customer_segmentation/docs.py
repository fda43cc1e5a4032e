"""The dbt docs as one static page that can be published, with a picture of the lineage.

dbt writes folders of this machine into the page that ``dbt docs generate --static`` makes, and
hangs every test into its graph; here both are taken out.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from customer_segmentation.lineage import READER_COLOUR, draw


def without_folders(page: str, *folders: Path) -> str:
    r"""Leave out ``folders`` where they begin a path, also in the escaped form of JSON.

    >>> without_folders('{"root_path": "/home/me/shop", "path": "/home/me/shop/models/a.sql"}',
    ...                 Path("/home/me/shop"))
    '{"root_path": ".", "path": "./models/a.sql"}'
    >>> without_folders("read_csv('/home/o''brien/a.csv')", Path("/home/o'brien"))
    "read_csv('./a.csv')"
    """
    for folder in folders:
        in_sql = str(folder).replace("'", "''")
        for text in (str(folder), in_sql, *(json.dumps(t)[1:-1] for t in (str(folder), in_sql))):
            page = page.replace(text, ".")
    return page


def locations(page: str) -> list[Path]:
    r"""Folders of the files that the compiled SQL reads, the longest first.

    >>> locations(r"from read_csv(\n    '/data/o''brien/orders.csv', header = true)")
    [PosixPath("/data/o'brien")]
    """
    found = re.findall(r"read_(?:csv|parquet)\((?:\\n|\s)*'((?:[^']|'')+)'", page)
    paths = [Path(text.replace("''", "'")) for text in found]
    folders = {path.parent for path in paths if path.is_absolute()}
    return sorted(folders, key=lambda folder: len(str(folder)), reverse=True)


def embedded_manifest(page: str) -> tuple[dict[str, Any], slice]:
    """Read dbt's manifest, which is a JavaScript object in ``page``; returns it and its place.

    Raises ``ValueError`` if there is none.

    >>> embedded_manifest('var n={manifest:{"nodes": {}},catalog:{}};')
    ({'nodes': {}}, slice(16, 29, None))
    """
    found = re.search(r"\{manifest:(?=\{)", page)
    if found is None:
        raise ValueError("There is no manifest in the page: is it of `dbt docs generate --static`?")
    manifest, end = json.JSONDecoder().raw_decode(page, found.end())
    return manifest, slice(found.end(), end)


def without_tests_in_graph(manifest: dict[str, Any]) -> None:
    """Let the graph of the dbt docs show tables and their readers only, each in a colour.

    The page leaves tests with ``test_metadata`` out of its graph, as generic tests have it, and
    shows them with the tables that they test; so unit tests and singular tests get it too.
    Analyses and exposures can't have a colour in dbt_project.yml.
    """
    nodes, exposures = manifest["nodes"], manifest["exposures"]
    for test in [*nodes.values(), *manifest["unit_tests"].values()]:
        if test["resource_type"] in ("test", "unit_test"):
            test["resource_type"] = "test"
            test.setdefault("test_metadata", {"name": test["name"], "kwargs": {}})
    for reader in [*nodes.values(), *exposures.values()]:
        if reader["resource_type"] in ("analysis", "exposure"):
            reader["docs"] = {"show": True, "node_color": READER_COLOUR}
    # What dbt does before a run is no table.
    manifest["nodes"] = {
        key: node for key, node in nodes.items() if node["resource_type"] != "operation"
    }


def with_badges(manifest: dict[str, Any]) -> None:
    """Let columns that a test of the key says are never null have the badge of ``not_null``."""
    for test in [*manifest["nodes"].values()]:
        named = (test.get("test_metadata") or {}).get("kwargs", {}).get("never_null", [])
        for column in named:
            unique_id = f"{test['unique_id']}.{column}"
            manifest["nodes"][unique_id] = test | {
                "unique_id": unique_id,
                "column_name": column,
                "test_metadata": {"name": "not_null", "kwargs": {"column_name": column}},
            }


def publish(page: Path, destination: Path, *folders: Path) -> None:
    """Write ``page`` to ``destination``, and lineage.svg, which links to its tables, beside it.

    ``folders`` and the folders of your orders are left out, and tests are not in the graph. Raises
    ``ValueError`` if ``page`` is not of ``dbt docs generate --static``.
    """
    text = page.read_text(encoding="utf-8")
    text = without_folders(text, *locations(text), *folders)
    manifest, place = embedded_manifest(text)
    without_tests_in_graph(manifest)
    with_badges(manifest)
    written = text[: place.start] + json.dumps(manifest) + text[place.stop :]
    destination.parent.mkdir(parents=True, exist_ok=True)
    destination.write_text(written, encoding="utf-8")
    picture = draw(manifest, page=destination.name)
    destination.with_name("lineage.svg").write_text(picture, encoding="utf-8")
