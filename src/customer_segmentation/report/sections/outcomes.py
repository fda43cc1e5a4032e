"""What happened next: the segments of a past day beside what their customers did since."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

from customer_segmentation.report import plots, wording
from customer_segmentation.report.frames import records
from customer_segmentation.report.section import Plot, Section, Table
from customer_segmentation.report.shop import Shop
from customer_segmentation.report.wording import count, figure, listed, metric_name, percent, whole

MEASURES = {
    "auc": ("Who orders again (AUC)", "who orders again"),
    "spearman": ("Who spends more (Spearman)", "who spends more than others"),
    "r2_log_spend": ("How much they spend (R²)", "how much they spend"),
}
"""What is predicted: as a heading, and in a sentence."""

COLOURS = ["var(--index-5)", "var(--accent)", "var(--quiet)"]

SHAPES = ["circle", "square", "triangle-up"]

WAYS = {
    "segments": "Segments",
    "rfm_groups": "Ten RFM groups",
    "rfm_cells": "RFM cells (three scores)",
    "once_or_repeat_by_recency": "Once or repeat, by recency",
    "repurchase_probability": "Chance to order again",
}
"""Ways to look at customers; others are single metrics."""


def outcomes(shop: Shop) -> Section:
    """Show what was predicted beside what happened, and the segments beside other ways."""
    rows = graded(shop, "segment_outcomes")
    if rows.empty:
        return Section(
            key="outcomes",
            title="What happened next",
            lead="Nothing can be judged yet: since the segments were made, or since there were"
            " enough customers, no whole window has passed in which they could order again.",
        )
    quality = graded(shop, "segmentation_quality")
    return Section(
        key="outcomes",
        title="What happened next",
        lead=f"{who_is_judged(shop, rows)} {beside_rfm(quality)}".strip(),
        plots=[
            predicted_by_segment(shop, rows),
            *([beside_other_ways(quality)] if len(quality) else []),
        ],
    )


def graded(shop: Shop, table: str) -> pd.DataFrame:
    """Rows of the last day that the version which scores was graded by, or the fit made for it.

    ``table`` is ``segment_outcomes`` or ``segmentation_quality``, both of the same day and version.
    """
    return shop.read(
        f"""
        with last_graded as (
            select model_versions.purpose, model_version, as_of_date
            from segment_outcomes
            inner join model_versions using (model_version)
            where coalesce(model_versions.served_version, model_version) = {shop.active_version}
            order by as_of_date desc, model_version desc
            limit 1
        )
        select {table}.*, last_graded.purpose
        from {table}
        inner join last_graded using (model_version, as_of_date)
        order by all
        """
    )


def window_of(rows: pd.DataFrame) -> str:
    """Name the window after the day, as in: the 90 days after 2025-09-01."""
    row = rows.iloc[0]
    days = (row["outcomes_until"] - row["as_of_date"]).days
    return f"the {count(days, 'day')} from {row['as_of_date']:%Y-%m-%d} on"


def who_is_judged(shop: Shop, rows: pd.DataFrame) -> str:
    """Say which segments are judged, by which days."""
    customers = count(rows["num_customers"].sum(), "customer")
    if rows["purpose"].iloc[0] == "serves":
        whose = (
            f"Version {shop.active_version} is held against what {customers} did in"
            f" {window_of(rows)}, which it had not seen."
        )
    else:
        whose = (
            f"As a test, {count(len(rows), 'segment')} were made from the orders before"
            f" {rows['as_of_date'].iloc[0]:%Y-%m-%d} only, and held against what the {customers} of"
            f" then did in {window_of(rows)}."
        )
    ordered = rows["num_ordered"].sum() / rows["num_customers"].sum()
    return f"{whose} {percent(ordered)} of them ordered."


def beside_rfm(quality: pd.DataFrame) -> str:
    """Say in one sentence whether the segments predicted more than the RFM groups, or less.

    ``quality`` are rows of ``segmentation_quality`` of one day; empty text without any.
    """
    groups = quality[quality["way"] == "rfm_groups"] if len(quality) else quality
    if groups.empty:
        return ""
    found = {
        word: [
            MEASURES[row["measure"]][1] for row in in_order(groups) if row["segments_are"] == word
        ]
        for word in ("better", "level", "worse")
    }
    rfm = "the ten standard RFM groups"
    told = []
    if found["worse"]:
        told.append(f"{rfm} predicted {listed(found['worse'])} better than the segments")
    if found["better"]:
        than = "they" if told else rfm
        told.append(f"the segments predicted {listed(found['better'])} better than {than}")
    if found["level"]:
        between = "" if told else f" between the segments and {rfm}"
        told.append(f"in {listed(found['level'])} no clear difference{between} was found")
    sentence = "; ".join(told)
    return f"{sentence[0].upper()}{sentence[1:]}." if told else ""


def in_order(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows in the order of ``MEASURES``."""
    place = {measure: position for position, measure in enumerate(MEASURES)}
    return records(rows.sort_values("measure", key=lambda measures: measures.map(place)))


def predicted_by_segment(shop: Shop, rows: pd.DataFrame) -> Plot:
    """Draw the share that ordered, with its interval, beside the share that was predicted."""
    rows = rows.sort_values("share_ordered", ascending=False, ignore_index=True)
    rows["segment"] = rows["segment"].map(wording.isolated)
    rows["label"] = distinct(rows["segment"].map(wording.in_lines))
    rows["happened"], rows["predicted"] = "Have ordered (95 % interval)", "Predicted"
    y = alt.Y("label:N", sort=list(rows["label"]), axis=plots.labels_axis())
    axis = alt.Axis(format="%", tickCount=5)
    scale = alt.Scale(domain=[0, 1])
    kinds = ["Have ordered (95 % interval)", "Predicted"]
    colour: dict[str, Any] = {"scale": alt.Scale(domain=kinds, range=[plots.ACCENT, plots.INK_2])}
    shape: dict[str, Any] = {"scale": alt.Scale(domain=kinds, range=["circle", "diamond"])}
    tooltip = [
        alt.Tooltip("segment:N", title="Segment"),
        alt.Tooltip("share_ordered:Q", title="Have ordered", format=".1%"),
        alt.Tooltip("predicted_share:Q", title="Predicted", format=".1%"),
        alt.Tooltip("num_customers:Q", title="Customers", format=","),
    ]
    drawn = rows[
        ["label", "segment", "share_ordered", "share_ordered_low", "share_ordered_high",
         "predicted_share", "num_customers", "happened", "predicted"]
    ]  # fmt: skip
    base = plots.chart(drawn).encode(y=y, tooltip=tooltip)
    intervals = base.mark_rule(color=plots.ACCENT, strokeWidth=2).encode(
        x=alt.X("share_ordered_low:Q", title="Share of the customers", axis=axis, scale=scale),
        x2="share_ordered_high:Q",
    )
    happened = base.mark_point(filled=True, opacity=1, size=90).encode(
        x=alt.X("share_ordered:Q"),
        color=alt.Color("happened:N", **colour),
        shape=alt.Shape("happened:N", **shape),
    )
    predicted = base.mark_point(filled=False, opacity=1, size=90, strokeWidth=2).encode(
        x=alt.X("predicted_share:Q"),
        color=alt.Color("predicted:N", **colour),
        shape=alt.Shape("predicted:N", **shape),
    )
    first, last = rows.iloc[0], rows.iloc[-1]
    known = rows.dropna(subset="predicted_share")
    inside = known["predicted_share"].between(
        known["share_ordered_low"], known["share_ordered_high"]
    )
    ordered = (
        f"Most ordered of {first['segment']} ({percent(first['share_ordered'])}), fewest of"
        f" {last['segment']} ({percent(last['share_ordered'])})."
        if first["share_ordered"] > last["share_ordered"]
        else f"Of each segment {percent(first['share_ordered'])} ordered."
    )
    off = len(known) - int(inside.sum())
    if known.empty:
        right = ""
    elif not off:
        right = " Every prediction is within the range that chance allows."
    elif off == len(known):
        right = (
            " Every prediction is outside the range that chance allows: don't rely on these"
            " percentages."
        )
    else:
        right = (
            f" For {whole(off)} of {count(len(known), 'segment')} the prediction is outside the"
            " range that chance allows."
        )
        if 2 * off > len(known):
            right += " Don't rely on these percentages."
    return Plot(
        key="predicted-by-segment",
        title="Predicted and happened, by segment",
        shows="For each segment of then a dot, the share of its customers who ordered in the"
        " window, on a line that shows how sure the share is; a diamond is what was predicted.",
        sentence=f"{ordered}{right}",
        chart=plots.finished(intervals, happened, predicted, height=46 * len(rows)),
        width="half",
        table=Table.of(
            rows,
            {
                "segment": ("Segment", None),
                "num_customers": ("Customers", whole),
                "predicted_share": ("Predicted", percent),
                "share_ordered": ("Have ordered", percent),
                "share_ordered_low": ("from", percent),
                "share_ordered_high": ("to", percent),
                "num_orders": ("Orders", whole),
                "revenue_per_customer": ("Revenue per customer", shop.money),
                "revenue_per_customer_low": ("from", shop.money),
                "revenue_per_customer_high": ("to", shop.money),
            },
        ),
    )


def distinct(labels: pd.Series) -> pd.Series:
    """Tell labels apart that are alike, as a plot would put them into one row."""
    again = labels.duplicated(keep=False)
    return labels.where(
        ~again, labels + " (" + (labels.groupby(labels).cumcount() + 1).astype(str) + ")"
    )


def beside_other_ways(quality: pd.DataFrame) -> Plot:
    """Draw how much more the segments predicted than other ways to look at the same customers."""
    ways = [way for way in WAYS if way != "segments" and way in set(quality["way"])]
    ways += [way for way in dict.fromkeys(quality["way"]) if way not in WAYS]
    rows = quality[quality["way"] != "segments"].copy()
    rows["name"] = rows["way"].map(name_of)
    rows["label"] = rows["name"].map(wording.in_lines)
    rows["what"] = rows["measure"].map(lambda measure: MEASURES[measure][0])
    rows = rows.dropna(subset=["gain_of_segments", "gain_low", "gain_high"])
    order = [wording.in_lines(name_of(way)) for way in ways]
    whats = [heading for heading, _ in MEASURES.values()]
    y = alt.Y("label:N", sort=order, axis=plots.labels_axis())
    encoding: dict[str, Any] = {
        "y": y,
        "yOffset": alt.YOffset("what:N", sort=whats),
        "color": alt.Color("what:N", scale=alt.Scale(domain=whats, range=COLOURS)),
        "tooltip": [
            alt.Tooltip("name:N", title="Compared with"),
            alt.Tooltip("what:N", title="Predicted"),
            alt.Tooltip("value:Q", title="Its measure", format=".3f"),
            alt.Tooltip("gain_of_segments:Q", title="Segments better by", format="+.3f"),
            alt.Tooltip("gain_low:Q", title="from", format="+.3f"),
            alt.Tooltip("gain_high:Q", title="to", format="+.3f"),
        ],
    }
    drawn = rows[["label", "name", "what", "value", "gain_of_segments", "gain_low", "gain_high"]]
    base = plots.chart(drawn).encode(**encoding)
    zero = (
        plots.chart(pd.DataFrame({"zero": [0]}))
        .mark_rule(strokeDash=[4, 3], color=plots.INK_2)
        .encode(x=alt.X("zero:Q", title="Segments better by"))
    )
    intervals = base.mark_rule(strokeWidth=2).encode(
        x=alt.X("gain_low:Q", axis=plots.few_ticks(format="+.2~f")), x2="gain_high:Q"
    )
    points = base.mark_point(filled=True, opacity=1, size=60).encode(
        x="gain_of_segments:Q",
        shape=alt.Shape("what:N", scale=alt.Scale(domain=whats, range=SHAPES)),
    )
    own = quality[quality["way"] == "segments"].set_index("measure")["value"]
    num_groups = quality.loc[quality["way"] == "segments", "num_groups"].iloc[0]
    spend = (
        f" Their rank correlation with the spend is {figure(own['spearman'])}, R² of its logarithm"
        f" {figure(own['r2_log_spend'])}."
        if {"spearman", "r2_log_spend"} <= set(own.index)
        else ""
    )
    return Plot(
        key="quality",
        title="Compared with other ways to look at customers",
        shows="For each other way three dots on lines: how much better the segments predicted who"
        " orders again, who spends more and how much, with intervals. Right of the dashed line the"
        " segments are better, left of it the other way is; a line that crosses it says neither.",
        sentence=f"Of two customers, one of whom orders again, the {count(num_groups, 'segment')}"
        f" pick the right one in {percent(own['auc'])} of the cases (AUC; a guess would in 50%)."
        f" {said_of(rows, ways)}{spend}",
        chart=plots.finished(zero, intervals, points, height=58 * len(ways)),
        width="half",
        table=Table.of(
            quality.assign(
                name=quality["way"].map(name_of),
                what=quality["measure"].map(lambda measure: MEASURES[measure][0]),
            ),
            {
                "name": ("Way", None),
                "num_groups": ("Groups", whole),
                "what": ("Predicted", None),
                "value": ("Measure", lambda value: f"{value:.3f}"),
                "gain_of_segments": ("Segments better by", lambda gain: f"{gain:+.3f}"),
                "gain_low": ("from", lambda gain: f"{gain:+.3f}"),
                "gain_high": ("to", lambda gain: f"{gain:+.3f}"),
            },
        ),
    )


def name_of(way: str) -> str:
    """Name a way to look at customers.

    >>> name_of("rfm_groups"), name_of("num_orders")
    ('Ten RFM groups', 'Orders alone')
    """
    return WAYS.get(way, f"{metric_name(way)} alone")


def said_of(rows: pd.DataFrame, ways: Sequence[str]) -> str:
    """Say beside which ways the segments predicted more, less, or as much, in all measures."""
    verdicts = {way: set(rows.loc[rows["way"] == way, "segments_are"].dropna()) for way in ways}
    names = {way: name_of(way) for way in ways}
    named = {
        way: name if name.startswith("RFM") else name[0].lower() + name[1:]
        for way, name in names.items()
    }
    never_worse = [
        named[way] for way, said in verdicts.items() if "better" in said and "worse" not in said
    ]
    worse = [named[way] for way, said in verdicts.items() if "worse" in said]
    told = []
    if never_worse:
        told.append(
            f"They predicted at least one of the three better, and none clearly worse, than"
            f" {listed(never_worse)}."
        )
    if worse:
        told.append(f"At least one of the three was predicted better by {listed(worse)}.")
    return " ".join(told) or "No clear difference from the others was found."
