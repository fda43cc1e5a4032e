"""Append-only tables by version: what a build has to add, and nothing when no fit is due.

Python models import the functions that make rows only when rows are to be made: scikit-learn takes
two seconds to import, and most builds fit nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

SERVES, GRADES, CHOOSES = "serves", "grades", "chooses"
"""Purposes of a fit: it scores customers; as of a past day it is graded by what happened since, or
it chooses the number of segments by what happened in the window after."""


def existing_versions(dbt: Any, session: Any) -> set[int]:
    """Versions that the model's own table already holds."""
    if not dbt.is_incremental:
        return set()
    rows = session.sql(f"select distinct model_version from {dbt.this}").fetchall()
    return {int(version) for (version,) in rows}


def rows_so_far(dbt: Any, session: Any, restored: pd.DataFrame) -> pd.DataFrame:
    """Rows of the model's own table; of a fresh database those ``restored`` from a registry."""
    if not dbt.is_incremental:
        return restored
    rows: pd.DataFrame = session.sql(f"from {dbt.this}").df()
    return rows


def new_rows(
    versions: pd.DataFrame,
    existing: set[int],
    make: Callable[[int], pd.DataFrame],
    columns: Mapping[str, str],
    restored: pd.DataFrame | None = None,
    purposes: Sequence[str] = (SERVES,),
) -> pd.DataFrame:
    """Rows to append: those restored from a registry, and those of the newest fit if it lacks.

    ``versions`` are rows of ``model_versions``. ``make`` gets the version and returns its rows; it
    is called at most once for the newest fit of each of ``purposes``, in their order. ``restored``
    are rows of ``restored_registry``. Returns ``columns`` in their types, also when there is no
    row: a column of nulls without a type breaks the next append.
    """
    parts: list[pd.DataFrame] = []
    lacking = versions[~versions["model_version"].isin(existing)]
    if restored is not None:
        # A registry's CSV may number other fits alike: only versions that came from it are taken.
        wanted = lacking.loc[lacking["origin"] == "restored", "model_version"]
        back = restored[restored["model_version"].isin(wanted)]
        parts.append(back[list(columns)].drop_duplicates())
    newest = versions["model_version"].max()
    if newest in set(lacking.loc[lacking["origin"] == "fitted", "model_version"]):
        of_newest = lacking[lacking["served_version"] == newest].set_index("purpose")
        for purpose in purposes:
            if purpose in of_newest.index:
                version = int(of_newest.loc[purpose, "model_version"])
                parts.append(make(version).assign(model_version=version))
    return in_types(parts, columns)


def in_types(parts: Sequence[pd.DataFrame], columns: Mapping[str, str]) -> pd.DataFrame:
    """Put rows together, with these columns in their types, also where there is no row."""
    filled = [part for part in parts if len(part)]
    if not filled:
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in columns.items()})
    rows = pd.concat([part[list(columns)].astype(dict(columns)) for part in filled])
    return rows.reset_index(drop=True)


def with_days(session: Any, rows: pd.DataFrame) -> Any:
    """Make a relation of rows whose moments are days, also where there is no row to tell by."""
    days = ", ".join(
        f"cast({name} as date) as {name}"
        for name, kind in rows.dtypes.items()
        if str(kind).startswith("datetime64")
    )
    return session.from_df(rows).select(f"* replace ({days})")


def ungraded(dbt: Any, session: Any, customers: Any) -> Any:
    """Rows of ``graded_customers`` whose version and day the model's own table does not hold."""
    if not dbt.is_incremental:
        return customers
    graded = session.sql(f"select distinct model_version, as_of_date from {dbt.this}").fetchall()
    for version, day in graded:
        customers = customers.filter(
            f"not (model_version = {version} and as_of_date = date '{day:%Y-%m-%d}')"
        )
    return customers


def fit_of(versions: pd.DataFrame, served_version: int, purpose: str) -> int | None:
    """Find the fit that was made for a served version and a purpose; None if there is none."""
    made = versions[
        (versions["served_version"] == served_version) & (versions["purpose"] == purpose)
    ]
    return int(made["model_version"].iloc[0]) if len(made) else None


def sample_of(version: int, today: Any, past: Any) -> pd.DataFrame:
    """Read the customers whom a version looks at, in the order of ``customer_id``.

    ``today`` is the relation of today's sample, ``past`` that of ``past_samples``.
    """
    relation = today if version > 0 else past.filter(f"model_version = {version}")
    rows: pd.DataFrame = relation.order("customer_id").df()
    return rows


def of_version(rows: pd.DataFrame, version: int) -> pd.DataFrame:
    """Rows of one version."""
    of_it: pd.DataFrame = rows[rows["model_version"] == version]
    return of_it


def version_before(rows: pd.DataFrame, version: int) -> pd.DataFrame:
    """Rows of the newest version before this one that served; empty if there is none.

    Fits of the past, numbered below zero, inherit nothing.
    """
    earlier = rows[(rows["model_version"] > 0) & (rows["model_version"] < version)]
    return of_version(earlier, earlier["model_version"].max())


DECIDE_ALLOCATION = (
    "candidate_features",
    "min_segment_share",
    "segment_count",
    "segment_count_by",
    "segment_count_range",
    "segmentation",
    "selected_features",
)
"""Settings whose change shares out the segments anew."""


def why_allocated_anew(versions: pd.DataFrame, version: int) -> str:
    """Say why a refit shares out its segments anew; empty if as in the version before.

    ``versions`` are rows of ``model_versions``. The allocation is kept while ``DECIDE_ALLOCATION``
    are what they were, and the curve too, unless it was out of date; a setting that the version
    before did not know is no change.
    """
    rows = versions[versions["purpose"] == SERVES].set_index("model_version")
    earlier = [number for number in rows.index if number < version]
    if not earlier:
        return "this is the first fit"
    is_new_curve = rows.loc[version, "curve_version"] == version
    if is_new_curve and "out of date" not in str(rows.loc[version, "due_because"]):
        return "the repurchase curve was measured anew"
    now, then = (
        json.loads(str(rows.loc[number, "settings"])) for number in (version, max(earlier))
    )
    changed = [name for name in DECIDE_ALLOCATION if then.get(name, now.get(name)) != now.get(name)]
    return (
        f"{' and '.join(changed)} {'have' if len(changed) > 1 else 'has'} changed"
        if changed
        else ""
    )


def names_or_none(value: Any) -> list[str] | None:
    """Read a list of names; None for ``auto``."""
    return None if value == "auto" else list(value)
