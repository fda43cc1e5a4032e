"""Take the pictures of the README and of docs/architecture.md, and list the tables there.

`make pictures` does it: PYTHONPATH=tools python docs/pictures.py REPORT MANIFEST
"""

import json
import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from browser import find_browser
from customer_segmentation.lineage import draw, tables_in_words

IMAGES = Path(__file__).with_name("images")
ARCHITECTURE = Path(__file__).with_name("architecture.md")

PLOTS = ["size-against-revenue", "stability"]


def main(page: Path, manifest: Path) -> None:
    """Copy plots of the report at ``page``, take it in light and dark, and draw the lineage."""
    IMAGES.mkdir(exist_ok=True)
    project = json.loads(manifest.read_text(encoding="utf-8"))
    (IMAGES / "lineage.svg").write_text(draw(project), encoding="utf-8")
    text = tables_in_words(project, ARCHITECTURE.read_text(encoding="utf-8"))
    ARCHITECTURE.write_text(text, encoding="utf-8")
    for plot in PLOTS:
        shutil.copy(page.parent / "pictures" / f"{plot}.svg", IMAGES)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), chromium_sandbox=False)
        for colours in ("light", "dark"):
            view = browser.new_page(viewport={"width": 1280, "height": 1150}, color_scheme=colours)
            view.goto(page.absolute().as_uri())
            view.wait_for_selector("html[data-drawn]")
            view.screenshot(path=IMAGES / f"report-{colours}.png")
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
