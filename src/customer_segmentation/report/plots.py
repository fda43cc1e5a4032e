"""The look that all plots share, and the few forms that several sections draw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from customer_segmentation.report.frames import records

INK, INK_2, LINE, GROUND = "var(--ink)", "var(--ink-2)", "var(--line)", "var(--ground)"
ACCENT, QUIET = "var(--accent)", "var(--quiet)"

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif"

CONFIG: dict[str, Any] = {
    "background": "transparent",
    "font": FONT,
    "padding": 4,
    "aria": False,
    "view": {"stroke": None},
    "axis": {
        "labelColor": INK_2, "titleColor": INK_2, "domainColor": LINE, "tickColor": LINE,
        "gridColor": LINE, "gridOpacity": 0.6, "labelFontSize": 12, "titleFontSize": 12,
        "titleFontWeight": "normal", "titlePadding": 8, "labelLimit": 0, "labelLineHeight": 14,
    },
    "axisQuantitative": {"labelOverlap": "greedy", "labelSeparation": 6},
    "legend": {
        "labelColor": INK_2, "titleColor": INK_2, "labelFontSize": 12, "orient": "top",
        "title": None, "columns": 1, "labelLimit": 0, "symbolOpacity": 1,
    },
    "text": {"color": INK, "fontSize": 12},
    "bar": {"color": ACCENT},
    "line": {"color": ACCENT, "strokeWidth": 2},
    "point": {"color": ACCENT, "filled": True, "size": 60},
    "rule": {"color": INK_2},
}  # fmt: skip

SHORT = (
    "abs(datum.value) < 1 ? format(datum.value, '~g')"
    " : replace(format(datum.value, '~s'), 'G', 'B')"
)
"""Axis labels of numbers: 1k, 2M, 3B, and 0.05 rather than 50m."""

IN_LINES = "split(datum.label, '\\n')"
"""Axis labels with line breaks."""

NAME_SIZE = alt.ExprRef("containerSize()[0] < 340 ? 10 : 12")
"""Names beside a plot are smaller on a small phone, where they would take half of its width."""

MAX_EM = 0.62
"""Width of a letter, on average over a word, in fonts that run wide (DejaVu Sans, Verdana)."""


def chart(data: pd.DataFrame) -> alt.Chart:
    """Start a plot that is as wide as its place on the page; what is missing is not drawn."""
    present = data.astype(object).where(data.notna() & ~data.isin([np.inf, -np.inf]), None)
    return alt.Chart(alt.InlineData(values=records(present))).properties(width="container")


def finished(*layers: alt.Chart, height: int) -> alt.LayerChart:
    """Lay plots over each other, with the shared look."""
    plot: alt.LayerChart = (
        alt.layer(*layers)
        .properties(
            width="container",
            height=height,
            autosize=alt.AutoSizeParams(type="fit-x", contains="padding"),
        )
        .configure(**CONFIG)
    )
    return plot


def labels_axis(**options: Any) -> alt.Axis:
    """Make an axis of names, in lines, without ticks."""
    look: dict[str, Any] = {
        "ticks": False, "domain": False, "grid": False, "labelPadding": 6,
        "labelFontSize": NAME_SIZE,
    }  # fmt: skip
    up = {"condition": [{"test": f"length({IN_LINES}) == {n}", "value": 7 - 7 * n} for n in (2, 3)]}
    return alt.Axis(
        title=None, labelExpr=IN_LINES, labelOffset={**up, "value": 0}, **look, **options
    )


def headings_axis(labels: Sequence[str]) -> alt.Axis:
    """Make an axis of headings above a grid, as large as its columns leave room for.

    ``labels`` have the same number of lines.
    """
    lines = 1 + max(label.count("\n") for label in labels)
    longest = max(len(line) for label in labels for line in label.split("\n"))
    size = alt.ExprRef(f"clamp(bandwidth('x') / {MAX_EM * longest:.2f}, 8, 11)")
    return alt.Axis(
        title=None, labelExpr=IN_LINES, orient="top", labelAngle=0, ticks=False, domain=False,
        labelFontSize=size, labelPadding=6 + 14 * (lines - 1),
    )  # fmt: skip


def grid(
    cells: pd.DataFrame,
    *,
    x: alt.X,
    y: alt.Y,
    steps: Sequence[float],
    value: str,
    tooltip: Sequence[alt.Tooltip],
    first: int = 1,
    size: int = 13,
    row_height: int = 44,
) -> alt.LayerChart:
    """Draw a grid of cells, orange for low and blue for high, with ``written`` in each.

    From ``first`` = 3 on, the lowest are without a colour.
    """

    def colour(suffix: str) -> alt.Color:
        colours = [f"var(--index-{first + step}{suffix})" for step in range(len(steps) + 1)]
        scale = alt.Scale(type="threshold", domain=list(steps), range=colours)
        return alt.Color(f"{value}:Q", scale=scale, legend=None)

    base = chart(cells).encode(x=x, y=y, tooltip=list(tooltip))
    boxes = base.mark_rect(stroke=GROUND, strokeWidth=2).encode(color=colour(""))
    numbers = base.mark_text(fontSize=size).encode(text="written:N", color=colour("-ink"))
    height = row_height * cells[str(y.shorthand).split(":")[0]].nunique()
    plot: alt.LayerChart = finished(boxes, numbers, height=height).resolve_scale(
        color="independent"
    )
    return plot


def few_ticks(**options: Any) -> alt.Axis:
    """Make an axis of numbers that a phone has room for."""
    return alt.Axis(tickCount=5, **options)


def histogram(bins: pd.DataFrame, title: str, colour: str = ACCENT) -> alt.LayerChart:
    """Draw customers per bin.

    ``bins`` has ``lower``, ``upper``, ``num_customers`` and ``range``, which is both in words.
    """
    bars = (
        chart(bins)
        .mark_bar(color=colour, binSpacing=1)
        .encode(
            x=alt.X(
                "lower:Q", bin="binned", title=title, axis=few_ticks(grid=False, labelExpr=SHORT)
            ),
            x2="upper:Q",
            y=alt.Y(
                "num_customers:Q",
                title="Customers",
                axis=alt.Axis(tickCount=3, tickMinStep=1, labelExpr=SHORT),
            ),
            tooltip=[
                alt.Tooltip("range:N", title=title),
                alt.Tooltip("num_customers:Q", title="Customers", format=","),
            ],
        )
    )
    return finished(bars, height=150)
