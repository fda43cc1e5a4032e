"""What the build left in the database, read once and never written."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from customer_segmentation.report import wording
from customer_segmentation.report.frames import records
from customer_segmentation.report.palette import BY_RULE, ink, segment_colours


class NotReadable(Exception):
    """There is no database to report on; the message says what to do."""


class Shop:
    """A built database, opened read-only."""

    def __init__(self, database: Path) -> None:
        """Open ``database``. Raises ``NotReadable`` if that can't be done."""
        if not database.exists():
            raise NotReadable(
                f"There is no database '{database}'. Build it first (make build), or name another"
                " one with --database."
            )
        try:
            self._connection = duckdb.connect(str(database), read_only=True)
        except duckdb.Error as error:
            if "Could not set lock" in str(error):
                advice = "is being written, by a build perhaps. Try again later."
            else:
                advice = "can't be read: it is no DuckDB database, or a damaged one."
            raise NotReadable(f"The database '{database}' {advice}") from error

    def read(self, sql: str) -> pd.DataFrame:
        """Run a query. Raises ``NotReadable`` if a table or column of it does not exist."""
        try:
            frame: pd.DataFrame = self._connection.sql(sql).df()
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            problem = str(error).splitlines()[0]
            raise NotReadable(
                f"The database was not built to its end, or by another version ({problem})."
                " Build it again (make build)."
            ) from error
        return frame

    def row(self, sql: str) -> dict[str, Any]:
        """Read exactly one row."""
        (record,) = records(self.read(sql))
        return {name: None if pd.isna(value) else value for name, value in record.items()}

    @cached_property
    def facts(self) -> dict[str, Any]:
        """Dataset, currency and as-of date."""
        return self.row("select dataset, currency, as_of_date from staging.as_of")

    @cached_property
    def version(self) -> dict[str, Any]:
        """The version that scores, with the settings of its fit."""
        version = self.row(
            """
            select model_version, fitted_on, settings
            from clustering.model_versions
            where model_version = (select max(model_version) from segments.customer_segments)
            """
        )
        return {**version, "settings": json.loads(version["settings"])}

    @cached_property
    def segments(self) -> pd.DataFrame:
        """Segments with customers: the clusters by revenue, then those by rule, with colours.

        ``badge`` is the short name in plots, ``label`` the name broken into lines, no two alike.
        """
        segments = self.read(
            """
            select
                segment_profiles.* replace (coalesce(share_of_revenue, 0) as share_of_revenue),
                segment_definitions.cluster_id
            from segments.segment_profiles
            left join segments.segment_definitions using (segment_id)
            order by segment_definitions.cluster_id is null, revenue desc, segment_id
            """
        )
        segments["segment"] = segments["segment"].map(wording.isolated)
        clusters = segments["cluster_id"].dropna().astype(int)
        colours = segment_colours(clusters)
        segments["colour"] = [
            BY_RULE if pd.isna(cluster) else colours[int(cluster)]
            for cluster in segments["cluster_id"]
        ]
        segments["ink"] = segments["colour"].map(ink)
        segments["badge"] = [
            "–" if pd.isna(cluster) else str(int(cluster)) for cluster in segments["cluster_id"]
        ]
        labels = segments["segment"].map(wording.in_lines)
        again = labels.duplicated(keep=False)
        segments["label"] = labels.where(~again, labels + " (" + segments["badge"] + ")")
        return segments

    @cached_property
    def clusters(self) -> pd.DataFrame:
        """The segments that are clusters."""
        return self.segments[self.segments["cluster_id"].notna()].reset_index(drop=True)

    def money(self, number: float) -> str:
        """Write an amount in the shop's currency."""
        return wording.money(number, self.facts["currency"])

    def brief_money(self, number: float) -> str:
        """Write a large amount in the shop's currency."""
        return wording.money(number, self.facts["currency"], brief=True)

    def metric(self, metric: str, value: float) -> str:
        """Write a metric's value."""
        return self.money(value) if metric in wording.IN_MONEY else wording.figure(value)

    def metric_title(self, metric: str) -> str:
        """Name a metric with its unit, for an axis."""
        currency = self.facts["currency"]
        unit = f" ({currency})" if currency and metric in wording.IN_MONEY else ""
        return wording.metric_name(metric) + unit
