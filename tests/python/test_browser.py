"""The report and the docs in a real browser, over file:// and without a network."""

import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import QUICK, build_models, copy_of_the_project
from playwright.sync_api import Browser, Page, sync_playwright

from browser import NoBrowser, find_browser
from customer_segmentation.docs import publish
from customer_segmentation.report import plots
from customer_segmentation.report.page import write_report
from customer_segmentation.report.shop import Shop

# Chromium's own errands, which are not the report's.
QUIETLY = [
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

SIZES = {"laptop": (1280, 800), "phone": (375, 812), "small phone": (320, 640)}


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    try:
        path = find_browser()
    except NoBrowser as problem:
        pytest.fail(str(problem), pytrace=False)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=QUIETLY, chromium_sandbox=False
        )
        yield browser
        browser.close()


@dataclass
class Opened:
    """A page, and everything that it complained about."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


Opener = Callable[..., Opened]


@pytest.fixture
def opened(browser: Browser) -> Iterator[Opener]:
    """Open a report with networking off, wait until its plots are drawn; it may not complain."""
    contexts, pages = [], []

    def open_page(report: Path, *, size: str = "laptop", colours: str = "light") -> Opened:
        width, height = SIZES[size]
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=colours,
            reduced_motion="reduce",
        )
        context.set_offline(True)
        contexts.append(context)
        page = context.new_page()
        it = Opened(page)
        pages.append(it)
        page.on("console", lambda message: it.complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: it.complaints.append(str(error)))
        page.on("request", lambda request: it.requests.append(request.url))
        page.on("dialog", lambda dialog: it.complaints.append(f"dialog: {dialog.message}"))
        page.goto(report.as_uri())
        page.wait_for_selector("html[data-drawn]", timeout=60_000)
        return it

    yield open_page
    for it in pages:
        assert it.complaints == []
        assert [url for url in it.requests if not url.startswith(("file:", "data:"))] == []
    for context in contexts:
        context.close()


@pytest.fixture
def report(sample_report: Path) -> Path:
    """The report of the sample."""
    return sample_report


HOSTILE = {
    ("best", "name"): "<script>alert('name')</script><img src=x onerror=alert(1)>",
    ("best", "description"): "</script><script>alert('description')",
    # Hebrew and Arabic, with marks that turn the direction of whatever follows.
    ("lapsed_repeat", "name"): "\u202e\u05dc\u05e7\u05d5\u05d7 \u0639\u0645\u064a\u0644\u202e",
    ("new", "name"): "Verylongnamewithoutanyspace" * 12,
    ("lapsed_once", "name"): "A very long name, with spaces, that says far too much of them " * 5,
    ("active_regulars", "name"): "{{ 7 * 7 }} ${alert(2)} &lt;b&gt; \\u003cscript",
}


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a shop whose texts were written by somebody who means harm."""
    folder = tmp_path_factory.mktemp("hostile")
    project = copy_of_the_project(folder / "project")
    seed = project / "seeds" / "segment_archetypes.csv"
    archetypes = pd.read_csv(seed, index_col="archetype", dtype=str)
    for (archetype, column), text in HOSTILE.items():
        assert pd.notna(archetypes.loc[archetype, column])
        archetypes.loc[archetype, column] = text
    archetypes.to_csv(seed)
    variables = {
        "dataset": "</title><script>alert('dataset')</script>",
        "currency": "\"'><script>alert('currency')</script>",
        # Little evidence may choose another number, for which some of the names are not given.
        "segment_count": 6,
    }
    shop = build_models(folder / "shop.duckdb", QUICK | variables, project=project)
    assert shop.success, shop.log
    return write_report(Shop(shop.copy(folder / "copy")), folder / "site", lambda message: None)


MARKS = """plot => [...plot.querySelectorAll('g.role-mark > *')].filter(mark => {
    const box = mark.getBoundingClientRect();
    return box.width + box.height > 0;
}).length"""


def faults(page: Page, *, contrast: bool = True) -> list[str]:
    """What axe-core finds that is serious or critical; looking at contrast is most of its time."""
    rules = {"color-contrast": {"enabled": contrast}}
    results = Axe().run(page, options={"resultTypes": ["violations"], "rules": rules})
    return [
        f"{fault['id']}: {node['html'][:160]}"
        for fault in results.response["violations"]
        if fault["impact"] in ("serious", "critical")
        for node in fault["nodes"]
    ]


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_every_plot_is_drawn_nothing_hangs_out_and_axe_finds_no_serious_fault(
    report: Path, opened: Opener, size: str, colours: str
) -> None:
    """On both pages. Axe looks at laptop and phone, with all tables open; once with them closed."""
    for path, num_plots in ((report, 6), (report.with_name("analysis.html"), 15)):
        page = opened(path, size=size, colours=colours).page
        assert_all_is_drawn(page, num_plots, SIZES[size][0])
        if num_plots == 15:
            assert_headings_do_not_overlap(page)
        if (size, colours) == ("laptop", "light"):
            assert faults(page) == []
        assert_no_sideways_scroll(page)
        if size != "small phone":
            assert faults(page) == [], "with the tables open"


def assert_all_is_drawn(page: Page, num_plots: int, width: int) -> None:
    plots = page.query_selector_all("[data-plot]")
    assert len(plots) == len(page.query_selector_all("script[data-spec]")) >= num_plots
    nav = "[...document.querySelectorAll('nav ol a')].every(a => a.getBoundingClientRect().right"
    assert page.evaluate(f"{nav} <= window.innerWidth + 1)"), "the navigation is cut"
    for plot in plots:
        key = plot.get_attribute("data-plot")
        assert plot.get_attribute("data-drawn") == "yes", key
        assert plot.evaluate(MARKS) > 0, key
        assert not re.search(r"NaN|undefined|null|Infinity", plot.text_content() or ""), key
        box = plot.query_selector("svg").bounding_box()
        assert box["width"] > 150, key
        assert box["height"] > 60, key
        assert box["x"] >= 0, key
        assert box["x"] + box["width"] <= width + 1, key


def assert_headings_do_not_overlap(page: Page) -> None:
    """The headings of the plots that are grids."""
    for grid in ("profile-indices", "correlations"):
        labels = page.query_selector_all(f"#{grid} .role-axis-label text")
        boxes = [box for box in (label.bounding_box() for label in labels) if box["height"] > 0]
        assert len(boxes) > 4
        for one, other in itertools.pairwise(sorted(boxes, key=lambda box: box["x"])):
            apart = one["x"] + one["width"] <= other["x"] or (
                one["y"] + one["height"] <= other["y"] + 1
                or other["y"] + other["height"] <= one["y"] + 1
            )
            assert apart, (grid, one, other)


# Which fonts a machine has is its own affair; letters of equal width run as wide as any.
@pytest.mark.parametrize("size", SIZES)
def test_headings_of_a_grid_do_not_overlap_in_a_wide_font(
    report: Path, opened: Opener, tmp_path: Path, size: str
) -> None:
    written = report.with_name("analysis.html").read_text(encoding="utf-8")
    assert plots.FONT in written
    copy = tmp_path / "report.html"
    copy.write_text(written.replace(plots.FONT, "monospace"), encoding="utf-8")
    assert_headings_do_not_overlap(opened(copy, size=size).page)


def assert_no_sideways_scroll(page: Page) -> None:
    for details in page.query_selector_all("details"):
        details.evaluate("it => it.open = true")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_tooltips_tell_the_figures(report: Path, opened: Opener) -> None:
    for path, told in ((report, MARKETERS_TOOLTIPS), (report.with_name("analysis.html"), TOOLTIPS)):
        assert_tooltips(opened(path).page, told)


MARKETERS_TOOLTIPS = {
    "targets-per-action": ["Action", "Customers"],
    "size-against-revenue": ["Segment", "Share"],
    "transitions": ["From", "To", "Customers"],
    "sizes": ["Segment", "As of"],
    "lapse-calendar": ["Day", "Customers who lapse"],
    "growth-accounting": ["Month", "Customers"],
    "change-of-revenue": ["Month", "Revenue"],
    "cohorts": ["First order", "Months since"],
}

TOOLTIPS = {
    "profile-indices": ["Segment", "Metric", "Index"],
    "customers-by-principal-components": ["Segment"],
    "inertia": ["Inertia"],
    "valleys": ["Boundary"],
    "num-orders-before": ["Customers"],
    "exclusions": ["Reason", "Rows"],
}


def assert_tooltips(page: Page, told: dict[str, list[str]]) -> None:
    tooltip = page.locator("#vg-tooltip-element")
    for key, words in told.items():
        mark = page.locator(
            f"#{key} g.role-mark.mark-rect path, #{key} g.role-mark.mark-symbol path"
        ).last
        mark.scroll_into_view_if_needed()
        mark.hover(force=True)
        page.wait_for_selector("#vg-tooltip-element.visible", timeout=5_000)
        for word in words:
            assert word in (tooltip.text_content() or ""), key
        page.mouse.move(1, 1)
        page.wait_for_selector("#vg-tooltip-element:not(.visible)", state="attached")


COLOURS = """() => ({
    ground: getComputedStyle(document.body).backgroundColor,
    label: getComputedStyle(document.querySelector('.role-axis-label text')).fill,
    bar: getComputedStyle(document.querySelector('#targets-per-action .mark-rect path')).fill,
})"""


def test_the_theme_follows_the_system_or_the_reader_who_is_remembered(
    report: Path, opened: Opener
) -> None:
    page = opened(report, colours="light").page
    light = page.evaluate(COLOURS)
    page.get_by_role("button", name="Dark").click()
    dark = page.evaluate(COLOURS)
    assert all(light[part] != dark[part] for part in light), "page, labels and marks change"
    assert page.get_by_role("button", name="Dark").get_attribute("aria-pressed") == "true"
    page.reload()
    page.wait_for_selector("html[data-drawn]")
    assert page.evaluate(COLOURS) == dark
    page.get_by_role("button", name="Auto").click()
    assert page.evaluate(COLOURS) == light
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(COLOURS) == dark
    page.emulate_media(media="print")
    assert page.evaluate(COLOURS) == light, "paper is white"
    assert page.locator("nav").is_hidden(), "there is nothing to click on paper"
    assert page.locator("[data-plot=transitions] svg").is_visible()


def test_a_keyboard_reaches_everything(report: Path, opened: Opener) -> None:
    page = opened(report).page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    summary = page.locator("#targets-per-action summary")
    summary.focus()
    page.keyboard.press("Enter")
    table = page.locator("#targets-per-action table")
    assert table.is_visible()
    assert "On the list" in table.inner_text()
    assert (
        page.evaluate("document.querySelector('#targets-per-action .table-scroll').tabIndex") == 0
    )


def test_the_index_is_accessible_too(report: Path, browser: Browser) -> None:
    page = browser.new_page()
    page.goto((report.parents[1] / "index.html").as_uri())
    assert page.get_by_role("link", name="The report").is_visible()
    assert faults(page) == []
    page.close()


@pytest.mark.parametrize("size", SIZES)
def test_hostile_text_is_text(hostile: Path, opened: Opener, size: str) -> None:
    """That no script of it ran is checked as for every page: no dialog, no request, no error."""
    page = opened(hostile, size=size).page
    names = [
        heading.inner_text().strip("\u2068\u2069")
        for heading in page.query_selector_all(".card h3 bdi")
    ]
    for name in HOSTILE.values():
        if "description" in name:
            assert name in page.inner_text("main")
        else:
            assert name.strip() in names
    assert page.query_selector_all("main script, main img") == []
    assert len(page.query_selector_all("script:not([type])")) == 2
    assert "<script>alert('currency')</script>" in page.inner_text(".figures")
    assert page.title().startswith("Customer segments: </title><script>alert('dataset')")
    for plot in page.query_selector_all("[data-plot]"):
        assert plot.get_attribute("data-drawn") == "yes"
        assert plot.evaluate(MARKS) > 0
    assert_no_sideways_scroll(page)
    # The colours are those of the sample's page, which are looked at in every size.
    assert faults(page, contrast=size == "laptop") == []


def test_hostile_text_in_a_tooltip_is_text(hostile: Path, opened: Opener) -> None:
    page = opened(hostile).page
    for mark in page.locator("#size-against-revenue g.role-mark.mark-symbol path").all():
        mark.hover(force=True)
        page.wait_for_selector("#vg-tooltip-element.visible")
        assert page.query_selector_all("#vg-tooltip-element :is(script, img, b)") == []


def test_hostile_pictures_are_well_formed(hostile: Path) -> None:
    pictures = list((hostile.parent / "pictures").glob("*.svg"))
    assert pictures
    for picture in pictures:
        root = ElementTree.fromstring(picture.read_text(encoding="utf-8"))
        assert not [node for node in root.iter() if node.tag.endswith(("script", "image"))]


@pytest.fixture(scope="session")
def docs(generated_docs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The published dbt docs."""
    page = tmp_path_factory.mktemp("docs") / "site" / "index.html"
    publish(generated_docs, page)
    return page


# What cytoscape, which draws the graph, was given.
IN_GRAPH = """() => {
    const graph = angular.element(document.body).injector().get('graph').graph;
    return graph.elements.filter(it => it.group == 'nodes').map(
        it => [it.data.resource_type, it.data.node_color || 'none']);
}"""


def test_the_docs_open_on_the_overview_which_leads_to_the_graph(
    docs: Path, browser: Browser
) -> None:
    page = browser.new_page(viewport={"width": 1500, "height": 1000})
    page.goto(docs.as_uri())
    page.get_by_role("heading", name="Customer segments").wait_for()
    page.locator(".launcher-btn a").click()
    page.get_by_text("Lineage Graph").wait_for()
    nodes = page.evaluate(IN_GRAPH)
    assert {kind for kind, _ in nodes} == {"model", "seed", "exposure", "analysis"}
    assert "none" not in {colour for _, colour in nodes}, "every layer has a colour"
    page.close()


def test_tests_are_shown_with_their_table(docs: Path, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(f"{docs.as_uri()}#!/model/model.customer_segmentation.customer_clusters")
    column = page.locator("tr:visible").filter(has=page.get_by_text("cluster_id", exact=True)).first
    column.wait_for()
    assert column.get_by_text("N", exact=True).is_visible(), "the badge of not_null"
    page.locator("a", has_text="Data Tests").first.click()
    page.get_by_text(
        "customer_clusters__within_the_stage_only_also_where_a_stage_is_divided_by_one_feature"
    ).wait_for()
    page.close()


def test_the_lineage_is_readable_on_one_screen_and_leads_to_the_tables(
    docs: Path, browser: Browser
) -> None:
    page = browser.new_page(viewport={"width": 1500, "height": 1000})
    page.goto(docs.as_uri())
    page.get_by_role("link", name="The whole lineage").click()
    page.wait_for_selector("g.node")
    fits = "document.documentElement.getBoundingClientRect().right <= window.innerWidth"
    assert page.evaluate(fits), "nobody has to scroll sideways"
    for box in page.query_selector_all("g.node"):
        text, rect = (box.query_selector(tag).bounding_box() for tag in ("text", "rect"))
        assert text["height"] >= 12
        assert rect["x"] < text["x"]
        assert text["x"] + text["width"] < rect["x"] + rect["width"]
    page.locator("a", has_text="segment_profiles").click()
    page.get_by_role("heading", name="segment_profiles").wait_for()
    page.close()
