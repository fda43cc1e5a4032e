"""What to do: whom each action may reach, and who is left in peace and why."""

from __future__ import annotations

import altair as alt
import pandas as pd

from customer_segmentation.report import plots
from customer_segmentation.report.section import Plot, Section, Table
from customer_segmentation.report.shop import Shop
from customer_segmentation.report.wording import count, percent, whole

ELIGIBLE, SUPPRESSED = "On the list", "Suppressed"

REASONS = {
    "unsubscribed": "Unsubscribed",
    "no_consent": "No consent",
    "unknown_consent": "Consent unknown",
    "no_action": "No action planned",
    "recently_contacted": "Contacted lately",
    "unreadable_contact": "Contact date unreadable",
}
"""The other reasons are keys of segments that are given by rule, and called like them."""


def targets(shop: Shop) -> Section:
    """Count the targets of each action."""
    counts = shop.read(
        """
        select
            action,
            suppressed_reason as reason,
            any_value(segment) filter (where suppressed_reason = segment_id) as by_rule,
            count(*) as num_customers
        from marketing_targets
        group by action, suppressed_reason
        order by action, suppressed_reason
        """
    )
    counts["standing"] = counts["reason"].map(REASONS).fillna(counts["by_rule"]).fillna(ELIGIBLE)
    counts["group"] = counts["reason"].isna().map({True: ELIGIBLE, False: SUPPRESSED})
    counts["name"] = counts["action"].map(shop.actions)
    total = counts["num_customers"].sum()
    eligible = counts.loc[counts["reason"].isna(), "num_customers"].sum()
    suppressed = counts[counts["reason"].notna()].groupby("standing")["num_customers"].sum()
    lead = (
        f"{whole(eligible)} of {count(total, 'customer')} ({percent(eligible / total)}) are on a"
        " list: nothing that is known speaks against contacting them."
    )
    if len(suppressed):
        lead += (
            f" The most frequent reason to leave somebody in peace is"
            f" “{str(suppressed.idxmax()).lower()}”: {count(suppressed.max(), 'customer')}."
        )
    unknown = shop.read(
        """
        select count(*) as num_customers from marketing_targets
        where is_eligible and consent_status = 'unknown'
        """
    )["num_customers"].iloc[0]
    if unknown:
        lead += (
            f" But of {'all' if unknown == eligible else whole(unknown)} of them it is not known"
            " whether they consent: filter them where you send, or have them left out."
        )
    return Section(
        key="targets", title="What to do", lead=lead, plots=[targets_per_action(shop, counts)]
    )


def targets_per_action(shop: Shop, counts: pd.DataFrame) -> Plot:
    """Draw eligible and suppressed customers of each action."""
    standings = [ELIGIBLE, *REASONS.values(), *counts["standing"]]
    totals = counts.groupby("name")["num_customers"].sum()
    eligible = counts[counts["reason"].isna()].set_index("name")["num_customers"]
    labels = {
        name: f"{name}\n{whole(eligible.get(name, 0))} of {whole(totals[name])}"
        for name in shop.actions.values()
        if name in totals.index
    }
    rows = counts[["name", "standing", "group", "num_customers"]].assign(
        label=counts["name"].map(labels), rank=counts["standing"].map(standings.index)
    )
    bars = (
        plots.chart(rows)
        .mark_bar(stroke=plots.GROUND, strokeWidth=1)
        .encode(
            y=alt.Y("label:N", sort=list(labels.values()), axis=plots.labels_axis()),
            x=alt.X(
                "num_customers:Q", title="Customers", axis=plots.few_ticks(labelExpr=plots.SHORT)
            ),
            color=alt.Color(
                "group:N",
                scale=alt.Scale(domain=[ELIGIBLE, SUPPRESSED], range=[plots.ACCENT, plots.QUIET]),
            ),
            order=alt.Order("rank:Q"),
            tooltip=[
                alt.Tooltip("name:N", title="Action"),
                alt.Tooltip("standing:N", title="Standing"),
                alt.Tooltip("num_customers:Q", title="Customers", format=","),
            ],
        )
    )
    table = counts.pivot_table(
        index="name", columns="standing", values="num_customers", aggfunc="sum", fill_value=0
    )
    columns = [name for name in dict.fromkeys(standings) if name in table.columns]
    views = {
        name: f"{shop.schema_prefix}marketing.targets_{key}"
        for key, name in shop.actions.items()
        if key != "none"
    }
    sentence = (
        f"{eligible.idxmax()} is the longest list, with {count(eligible.max(), 'customer')}."
        " customer-segmentation export writes "
        + ", ".join(
            f"targets_{key}.csv ({count(eligible[name], 'customer')})"
            for key, name in shop.actions.items()
            if name in eligible.index
        )
        + ", each with a sheet. Priority 1 is the fifth who spent most, 2 the next three tenths."
        if len(eligible)
        else "Nobody may be contacted: look at the consent data."
    )
    return Plot(
        key="targets-per-action",
        title="Targets per action",
        shows="A bar per action: the customers who are on its list, then those who are left out.",
        sentence=sentence,
        chart=plots.finished(bars, height=44 * len(labels)),
        table=Table.of(
            table.reindex(index=list(labels), columns=columns)
            .reset_index()
            .assign(
                view=lambda rows: rows["name"].map(views),
                file=lambda rows: rows["view"].str.split(".").str[-1] + ".csv",
            ),
            {
                "name": ("Action", None),
                **{name: (name, whole) for name in columns},
                "file": ("As a file", None),
                "view": ("The list", None),
            },
        ),
    )
