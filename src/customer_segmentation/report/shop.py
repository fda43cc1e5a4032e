"""What the build left in the database, read once."""

from __future__ import annotations

import json
from functools import cached_property
from typing import Any

import pandas as pd

from customer_segmentation.database import Database
from customer_segmentation.report import wording
from customer_segmentation.report.frames import records
from customer_segmentation.report.palette import BY_RULE, ink, segment_colours


class Shop(Database):
    """A built database, as the report describes it."""

    def row(self, sql: str) -> dict[str, Any]:
        """Read exactly one row."""
        (record,) = records(self.read(sql))
        return {name: None if pd.isna(value) else value for name, value in record.items()}

    @cached_property
    def facts(self) -> dict[str, Any]:
        """Dataset, currency and as-of date."""
        return self.row("select dataset, currency, as_of_date from as_of")

    @cached_property
    def version(self) -> dict[str, Any]:
        """The version that scores, with the settings of its fit."""
        version = self.row(
            f"""
            select model_version, fitted_on, settings
            from model_versions
            where model_version = {self.active_version}
            """
        )
        return {**version, "settings": json.loads(version["settings"])}

    @cached_property
    def alarms(self) -> list[str]:
        """What is probably wrong with the orders; what to set is for those who build."""
        alarms = self.read("select sentence from input_alarms order by alarm")
        return [wording.without_settings(sentence) for sentence in alarms["sentence"]]

    @cached_property
    def limits(self) -> dict[str, float]:
        """The limits of the version that scores, by name."""
        limits = self.read(
            f"""
            select limit_name, limit_value
            from claim_limits
            where model_version = {self.active_version}
            """
        )
        return dict(zip(limits["limit_name"], limits["limit_value"], strict=True))

    @cached_property
    def window_days(self) -> int | None:
        """Within how many days an order counts as ordering again; None if that is not known."""
        days = self.limits.get("repurchase_window_days")
        return None if days is None else int(days)

    @property
    def is_one_window(self) -> bool:
        """Whether who is lapsed is asked over the same window."""
        return self.limits.get("longer_window_days") == self.limits.get("repurchase_window_days")

    @cached_property
    def stages(self) -> pd.DataFrame:
        """Lifecycle stages in their order: stage that scores them, and who is in them."""
        return self.read(
            f"""
            select lifecycle_stage, coalesce(stage, 'everybody') as stage, rule
            from lifecycle_stages
            left join (
                from stages
                where model_version = {self.active_version}
            ) as stages using (lifecycle_stage)
            order by position
            """
        )

    @property
    def is_staged(self) -> bool:
        """Whether the segments are made within lifecycle stages."""
        return bool((self.stages["stage"] != "everybody").any())

    @property
    def feature_set(self) -> str:
        """The set of features that the clustering looks at, as ``clustering_features`` calls it."""
        return "every stage" if self.is_staged else "everybody"

    @cached_property
    def verdict(self) -> str | None:
        """Whether everybody falls into natural groups; None for a restored fit."""
        found = self.read(
            f"""
            select any_value(verdict) as verdict
            from clustering_candidates
            where model_version = {self.active_version}
            """
        )["verdict"].iloc[0]
        return None if pd.isna(found) else str(found)

    @cached_property
    def named_claims(self) -> pd.DataFrame:
        """What the segments' names claim: segment, sentence and share of the members."""
        return self.read(
            """
            select segment_id, segment_claims.says, share_inside
            from segment_claims
            left join claims using (claim)
            where is_named and claim != 'all claims'
            order by segment_id, position nulls last
            """
        )

    @cached_property
    def last_month(self) -> pd.DataFrame:
        """Who went from segment to segment in the last month that has ended; maybe no rows."""
        moves = self.read(
            """
            select * from segment_transitions
            order by as_of_date, num_customers desc, from_segment_id, segment_id
            """
        )
        whole_months = moves[moves["as_of_date"].dt.day == 1]
        last = (moves if whole_months.empty else whole_months)["as_of_date"].max()
        last_moves: pd.DataFrame = moves[moves["as_of_date"] == last].reset_index(drop=True)
        return last_moves

    @cached_property
    def last_causes(self) -> pd.DataFrame:
        """What moved customers in that month: segments before and after, cause, changes."""
        if self.last_month.empty:
            return pd.DataFrame(columns=["previous_segment_id", "segment_id", "cause", "changes"])
        month = self.last_month.iloc[0]
        return self.read(
            f"""
            select previous_segment_id, segment_id, cause, count(*) as changes
            from customer_segment_changes
            where
                changed_on > date '{month["from_date"]:%Y-%m-%d}'
                and changed_on <= date '{month["as_of_date"]:%Y-%m-%d}'
            group by previous_segment_id, segment_id, cause
            order by changes desc, cause, previous_segment_id, segment_id
            """
        )

    @cached_property
    def sizes(self) -> pd.DataFrame:
        """Customers of each segment on each day of the history, by today's model."""
        return self.read(
            """
            select segment_id, as_of_date, count(*) as num_customers
            from segment_history
            group by segment_id, as_of_date
            order by as_of_date, segment_id
            """
        )

    @cached_property
    def actions(self) -> dict[str, str]:
        """What people call each action, in their order."""
        actions = self.read("select action, name from actions order by position")
        return dict(zip(actions["action"], actions["name"], strict=True))

    @cached_property
    def metrics(self) -> list[str]:
        """The metrics of the profiles, in their order."""
        columns = self.segments.filter(regex="^index_").columns
        return list(columns.str.removeprefix("index_"))

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
            from segment_profiles
            left join segment_definitions using (segment_id)
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
        return self.money(value) if wording.is_in_money(metric) else wording.figure(value)

    def metric_title(self, metric: str) -> str:
        """Name a metric with its unit, for an axis."""
        currency = self.facts["currency"]
        unit = f" ({currency})" if currency and wording.is_in_money(metric) else ""
        return wording.metric_name(metric) + unit
