"""The dbt docs as one static page that can be published.

dbt writes folders of this machine into the page that ``dbt docs generate --static`` makes; here
they are taken out.
"""

from __future__ import annotations

import json
import re
from pathlib import Path


def without_folders(page: str, *folders: Path) -> str:
    r"""Leave out ``folders`` where they begin a path, also in the escaped form of JSON.

    >>> without_folders('{"root_path": "/home/me/shop", "path": "/home/me/shop/models/a.sql"}',
    ...                 Path("/home/me/shop"))
    '{"root_path": ".", "path": "./models/a.sql"}'
    """
    for folder in folders:
        for text in (str(folder), json.dumps(str(folder))[1:-1]):
            page = page.replace(text, ".")
    return page


def locations(page: str) -> list[Path]:
    r"""Folders of the files that the compiled SQL reads, the longest first.

    >>> locations(r"from read_csv(\n    '/data/shop/orders.csv', header = true)")
    [PosixPath('/data/shop')]
    """
    paths = re.findall(r"read_(?:csv|parquet)\((?:\\n|\s)*'([^']+)'", page)
    folders = {Path(path).parent for path in paths if Path(path).is_absolute()}
    return sorted(folders, key=lambda folder: len(str(folder)), reverse=True)


def publish(page: Path, destination: Path, *folders: Path) -> None:
    """Write ``page`` to ``destination`` without ``folders`` and the folders of your orders."""
    text = page.read_text(encoding="utf-8")
    destination.parent.mkdir(parents=True, exist_ok=True)
    destination.write_text(without_folders(text, *locations(text), *folders), encoding="utf-8")
