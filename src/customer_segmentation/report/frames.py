"""Rows of data frames as plain dictionaries."""

from __future__ import annotations

from typing import Any

import pandas as pd


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Take each row as a dictionary by column."""
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def with_most(frame: pd.DataFrame, column: str) -> dict[str, Any]:
    """Take the row with the largest value of ``column``, the first if several are equal."""
    return records(frame.sort_values(column, ascending=False, kind="stable").head(1))[0]
