"""The tables of docs/engines.md that say what is corrected on each engine.

    python tools/corrections.py

writes them anew, from the corrections themselves.
"""

from __future__ import annotations

import importlib
import re
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "engines.md"
ENGINES = ("postgres", "spark")


def table(engine: str) -> str:
    """Write the table of an engine's corrections."""
    translator = importlib.import_module(f"customer_segmentation.engines.{engine}").TRANSLATOR
    rows = [
        f"| `{name}` | {str(function.__doc__).splitlines()[0]} |"
        f" {'something else' if name in translator.silent else 'fails'} |"
        for name, function in translator.corrections.items()
    ]
    head = ["| Correction | What it does | Without it |", "|---|---|---|"]
    return "\n".join([f"<!-- corrections of {engine} -->", *head, *rows, "<!-- end -->"])


def written(page: str) -> str:
    """Put the tables in their places."""
    for engine in ENGINES:
        place = rf"(?s)<!-- corrections of {engine} -->.*?<!-- end -->"
        page = re.sub(place, table(engine).replace("\\", r"\\"), page)
    return page


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
