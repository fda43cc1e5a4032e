"""Take the pictures of the README and of docs/architecture.md, and list the tables there.

`make pictures` does it: PYTHONPATH=tools python docs/pictures.py REPORT CONTINUOUS MANIFEST, the
reports of the sample and of examples/continuous_shop.yml.
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
PLOTS_OF_CONTINUOUS = ["repurchase-curve", "lifecycle-stages"]


def main(page: Path, continuous: Path, manifest: Path) -> None:
    """Copy plots of both reports, take that at ``page`` in light and dark, draw the lineage."""
    IMAGES.mkdir(exist_ok=True)
    project = json.loads(manifest.read_text(encoding="utf-8"))
    (IMAGES / "lineage.svg").write_text(draw(project), encoding="utf-8")
    text = tables_in_words(project, ARCHITECTURE.read_text(encoding="utf-8"))
    ARCHITECTURE.write_text(text, encoding="utf-8")
    for report, plots in ((page, PLOTS), (continuous, PLOTS_OF_CONTINUOUS)):
        for plot in plots:
            shutil.copy(report.parent / "pictures" / f"{plot}.svg", IMAGES)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), chromium_sandbox=False)
        for colours in ("light", "dark"):
            view = browser.new_page(viewport={"width": 1280, "height": 1150}, color_scheme=colours)
            view.goto(page.absolute().as_uri())
            view.wait_for_selector("html[data-drawn]")
            view.screenshot(path=IMAGES / f"report-{colours}.png")
        browser.close()


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:4]))
