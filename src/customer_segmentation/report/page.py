"""Writes the report: one file without a network, and a picture of every plot."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import altair as alt
import vl_convert
from altair.utils.schemapi import debug_mode
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from customer_segmentation.report.palette import resolved, variables
from customer_segmentation.report.section import Plot, Section
from customer_segmentation.report.sections import FOR_MARKETERS, SECTIONS
from customer_segmentation.report.shop import Shop
from customer_segmentation.report.wording import compact, count, percent, whole

VEGA_LITE = ".".join(alt.SCHEMA_VERSION.lstrip("v").split(".")[:2])
"""Version of Vega-Lite that Altair writes for and that is put into the page."""

PICTURE_WIDTH = 640

PAGES = [
    ("report/index.html", "The report", "Who the segments are, what to do, who moves."),
    ("report/analysis.html", "The analysis", "How they differ, how sure that is, and from what."),
    ("docs/index.html", "The dbt docs", "Every table with its columns, SQL and lineage."),
]
"""Of the site: address, title and what it says."""

templates = Environment(
    loader=PackageLoader("customer_segmentation.report"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def script_data(value: Any) -> Markup:
    r"""Write JSON that may stand inside a script element: no text of it can end the element.

    >>> print(script_data({"name": "</script>"}))
    {"name":"\u003c/script\u003e"}
    """
    text = json.dumps(value, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)


def script_hash(script: str) -> str:
    """Name a script for the page's content security policy, so that no other one can run."""
    digest = hashlib.sha256(script.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def source(name: str) -> str:
    """Read a file that is put into the page as it is."""
    return Path(__file__).with_name("templates").joinpath(name).read_text(encoding="utf-8")


def headline(shop: Shop) -> dict[str, Any]:
    """Write the figures at the top of the page."""
    segments = shop.segments
    orders = shop.row("select sum(num_orders) as num_orders from customer_segments")
    eligible = shop.row(
        "select count(*) filter (where is_eligible) as num, count(*) as num_all,"
        " count(*) filter (where is_eligible and consent_status = 'unknown') as num_unknown"
        " from marketing_targets"
    )
    dataset = shop.facts["dataset"]
    return {
        "dataset": dataset,
        "as_of_date": f"{shop.facts['as_of_date']:%Y-%m-%d}",
        "edition": shop.served_edition.edition_id,
        "has_currency": shop.facts["currency"] is not None,
        "figures": [
            (compact(segments["num_customers"].sum()), "customers"),
            (compact(orders["num_orders"] or 0), "orders"),
            (shop.brief_money(float(segments["revenue"].sum())), "revenue, net"),
            (whole(len(segments)), "segment" if len(segments) == 1 else "segments"),
            (
                percent(eligible["num"] / eligible["num_all"]),
                "on a list"
                + (
                    f", {whole(eligible['num_unknown'])} of unknown consent"
                    if eligible["num_unknown"]
                    else ""
                ),
            ),
        ],
    }


@cache
def libraries() -> str:
    """Bundle the scripts that draw the plots."""
    bundle: str = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", VEGA_LITE)
    return bundle


def make_sections(shop: Shop, progress: Callable[[str], None]) -> list[Section]:
    """Make all sections, telling ``progress`` of each.

    Altair's look at each piece of each plot would be a third of the time; a test has it look.
    """
    made = []
    with debug_mode(False):
        for make in SECTIONS:
            section = make(shop)
            progress(f"{section.title}: {count(len(section.plots), 'plot')}")
            made.append(section)
    return made


def spec_of(plot: Plot) -> dict[str, Any]:
    """Write a plot as Vega-Lite."""
    with debug_mode(False):
        spec: dict[str, Any] = plot.chart.to_dict(validate=False)
    return spec


def render(shop: Shop, sections: Sequence[Section], name: str = "index.html") -> str:
    """Write a page: styles, scripts, plots and tables in one text."""
    script = source("report.js")
    specs = {plot.key: spec_of(plot) for section in sections for plot in section.plots}
    return templates.get_template("page.html.jinja").render(
        **headline(shop),
        alarms=shop.alarms,
        sections=sections,
        name=name,
        pages=[(address.split("/")[1], title) for address, title, _ in PAGES[:2]],
        specs={key: script_data(spec) for key, spec in specs.items()},
        style=Markup(source("report.css")),
        light=variables(dark=False),
        dark=variables(dark=True),
        libraries=Markup(libraries()),
        script=Markup(script),
        script_sources=Markup(f"{script_hash(libraries())} {script_hash(script)}"),
    )


def write_pictures(sections: Sequence[Section], folder: Path) -> list[Path]:
    """Write every plot as SVG into ``folder``, on a light ground."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.svg"):
        old.unlink()
    written = []
    for section in sections:
        for plot in section.plots:
            spec = spec_of(plot)
            spec["width"] = PICTURE_WIDTH if plot.width == "whole" else PICTURE_WIDTH // 2
            spec["config"] = {**spec["config"], "background": "var(--ground)"}
            picture = folder / f"{plot.key}.svg"
            svg = vl_convert.vegalite_to_svg(resolved(json.dumps(spec)), vl_version=VEGA_LITE)
            picture.write_text(svg, encoding="utf-8")
            written.append(picture)
    return written


def write_report(shop: Shop, site: Path, progress: Callable[[str], None]) -> Path:
    """Write the two pages of ``report`` and ``report/pictures`` into the folder ``site``.

    Returns the page for marketers.
    """
    sections = make_sections(shop, progress)
    page = site / "report" / "index.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    num_first = len(FOR_MARKETERS)
    for name, those in (
        ("index.html", sections[:num_first]),
        ("analysis.html", sections[num_first:]),
    ):
        page.with_name(name).write_text(render(shop, those, name), encoding="utf-8")
    pictures = write_pictures(sections, page.parent / "pictures")
    progress(f"{count(len(pictures), 'picture')} in {page.parent / 'pictures'}")
    write_index(site)
    return page


def write_index(site: Path) -> Path:
    """Write the page that leads to whatever of the report and the docs is in ``site``."""
    index = site / "index.html"
    site.mkdir(parents=True, exist_ok=True)
    index.write_text(
        templates.get_template("index.html.jinja").render(
            pages=[page for page in PAGES if (site / page[0]).exists()],
            style=Markup(source("report.css")),
            light=variables(dark=False),
            dark=variables(dark=True),
        ),
        encoding="utf-8",
    )
    return index
