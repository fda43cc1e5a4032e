"""What a section of the report is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import altair as alt
import pandas as pd

Form = Callable[[Any], str]


@dataclass(frozen=True)
class Table:
    """The figures behind a plot, as text; ``numeric`` says which columns stand to the right."""

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    numeric: Sequence[bool]

    @classmethod
    def of(cls, frame: pd.DataFrame, columns: Mapping[str, tuple[str, Form | None]]) -> Table:
        """Take ``columns`` of ``frame``: name to heading and form; without a form it is text.

        What is missing becomes a dash.
        """
        rows = [
            [
                "–" if pd.isna(row[name]) else (form or str)(row[name])
                for name, (_, form) in columns.items()
            ]
            for row in frame.to_dict("records")
        ]
        return cls(
            headings=[heading for heading, _ in columns.values()],
            rows=rows,
            numeric=[form is not None for _, form in columns.values()],
        )


@dataclass(frozen=True)
class Plot:
    """A plot with the sentence that says what it shows, and the table behind it.

    ``key`` is its anchor and the name of its picture; ``shows`` tells what is drawn to people who
    don't see it, to be read before the sentence; ``width`` is whole, medium, half or third.
    """

    key: str
    title: str
    shows: str
    sentence: str
    chart: alt.Chart | alt.LayerChart
    table: Table
    width: str = "whole"


@dataclass(frozen=True)
class Section:
    """A part of the page. ``template`` renders ``content`` between the lead and the plots."""

    key: str
    title: str
    lead: str
    plots: Sequence[Plot] = ()
    template: str | None = None
    content: Mapping[str, Any] = field(default_factory=dict)
