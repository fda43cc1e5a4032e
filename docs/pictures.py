"""Take the README's pictures of the sample's report: PYTHONPATH=tools python docs/pictures.py PAGE.

`make pictures` does it, after `make report` on the sample.
"""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from browser import find_browser

IMAGES = Path(__file__).with_name("images")

PLOTS = ["size-against-revenue", "stability"]


def main(page: Path) -> None:
    """Copy plots of the report at ``page``, and take it in light and in dark."""
    IMAGES.mkdir(exist_ok=True)
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
    main(Path(sys.argv[1]))
