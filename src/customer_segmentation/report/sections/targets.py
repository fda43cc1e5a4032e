"""What to do: whom each action may reach, and who is left in peace and why."""

from __future__ import annotations

import altair as alt
import pandas as pd

from customer_segmentation.report import plots
from customer_segmentation.report.section import Plot, Section, Table
from customer_segmentation.report.shop import Shop
from customer_segmentation.report.wording import ACTIONS, count, percent, whole, words

ELIGIBLE = "May be contacted"

REASONS = {
    "unsubscribed": "Unsubscribed",
    "no_consent": "No consent",
    "unknown_consent": "Consent unknown",
    "no_order": "No purchase",
    "nothing_left_after_returns": "Returned everything",
    "no_action": "No action planned",
    "recently_contacted": "Contacted lately",
    "unreadable_contact": "Contact date unreadable",
}


def targets(shop: Shop) -> Section:
    """Count the targets of each action."""
    counts = shop.read(
        """
        select
            action,
            suppressed_reason as reason,
            count(*) as num_customers
        from marketing.marketing_targets
        group by all
        order by all
        """
    )
    counts["standing"] = counts["reason"].map(REASONS).fillna(counts["reason"]).fillna(ELIGIBLE)
    counts["group"] = counts["reason"].isna().map({True: ELIGIBLE, False: "Suppressed"})
    counts["label"] = counts["action"].map(lambda action: ACTIONS.get(action, words(action)))
    total = counts["num_customers"].sum()
    eligible = counts.loc[counts["reason"].isna(), "num_customers"].sum()
    suppressed = counts[counts["reason"].notna()].groupby("standing")["num_customers"].sum()
    lead = (
        f"{whole(eligible)} of {count(total, 'customer')} ({percent(eligible / total)}) may be"
        " contacted."
    )
    if len(suppressed):
        lead += (
            f" The most frequent reason to leave somebody in peace is"
            f" “{str(suppressed.idxmax()).lower()}”: {count(suppressed.max(), 'customer')}."
        )
    unknown = shop.read(
        """
        select count(*) as num_customers from marketing.marketing_targets
        where is_eligible and consent_status = 'unknown'
        """
    )["num_customers"].iloc[0]
    if unknown:
        lead += (
            f" Of {count(unknown, 'customer')} among the targets the consent is not known: filter"
            " them where you send, or set unknown_consent_is_eligible to false."
        )
    return Section(key="targets", title="What to do", lead=lead, plots=[targets_per_action(counts)])


def targets_per_action(counts: pd.DataFrame) -> Plot:
    """Draw eligible and suppressed customers of each action."""
    order = [name for name in ACTIONS.values() if name in set(counts["label"])]
    standings = [
        ELIGIBLE,
        *[reason for reason in REASONS.values() if reason in set(counts["standing"])],
    ]
    bars = (
        plots.chart(counts.drop(columns=["action", "reason"]))
        .mark_bar(stroke=plots.GROUND, strokeWidth=1)
        .encode(
            y=alt.Y("label:N", sort=order, axis=plots.labels_axis()),
            x=alt.X(
                "num_customers:Q",
                title="Customers",
                axis=plots.few_ticks(format="~s"),
                scale=alt.Scale(
                    domainMax=1.25 * counts.groupby("label")["num_customers"].sum().max()
                ),
            ),
            color=alt.Color(
                "group:N",
                scale=alt.Scale(domain=[ELIGIBLE, "Suppressed"], range=[plots.ACCENT, plots.QUIET]),
            ),
            order=alt.Order("rank:Q"),
            tooltip=[
                alt.Tooltip("label:N", title="Action"),
                alt.Tooltip("standing:N", title="Standing"),
                alt.Tooltip("num_customers:Q", title="Customers", format=","),
            ],
        )
        .transform_calculate(rank=f"indexof({standings}, datum.standing)")
    )
    eligible = counts[counts["reason"].isna()].set_index("label")["num_customers"]
    sums = counts.groupby("label")[["num_customers"]].sum().reset_index()
    sums["written"] = [
        f"{whole(eligible.get(label, 0))} of {whole(num)}"
        for label, num in zip(sums["label"], sums["num_customers"], strict=True)
    ]
    written = (
        plots.chart(sums)
        .mark_text(align="left", dx=5)
        .encode(y=alt.Y("label:N", sort=order), x="num_customers:Q", text="written:N")
    )
    table = counts.pivot_table(
        index="label", columns="standing", values="num_customers", aggfunc="sum", fill_value=0
    )
    table = table.reindex(index=order, columns=[s for s in standings if s in table.columns])
    sentence = (
        f"{eligible.idxmax()} is the longest list, with {count(eligible.max(), 'customer')}."
        if len(eligible)
        else "Nobody may be contacted: look at the consent data."
    )
    return Plot(
        key="targets-per-action",
        title="Targets per action",
        shows="A bar per action: the customers who may be contacted, then those who may not.",
        sentence=f"{sentence} The lists are the views marketing.targets_win_back, targets_retain,"
        " targets_cross_sell and targets_second_order.",
        chart=plots.finished(bars, written, height=40 * len(order)),
        table=Table.of(
            table.reset_index(),
            {"label": ("Action", None), **{name: (name, whole) for name in table.columns}},
        ),
    )
