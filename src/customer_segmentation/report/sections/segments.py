"""Who the segments are: a card each, and what they are worth."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from customer_segmentation.report import plots
from customer_segmentation.report.frames import records, with_most
from customer_segmentation.report.section import Plot, Section, Table
from customer_segmentation.report.shop import Shop
from customer_segmentation.report.wording import count, figure, percent, period, whole

BY_CAUSE = {
    "ordered": "by an order",
    "goods returned": "as goods came back",
    "time passed": "without an order",
}
"""How customers come and leave while the model stays."""

NOTHING_LEFT = "As much came back as was bought, or more: shares of the revenue say nothing."


def segments(shop: Shop) -> Section:
    """Introduce the segments."""
    clusters = shop.clusters
    best = clusters.iloc[0]
    largest = with_most(clusters, "num_customers")
    lead = (
        f"{best['segment']} are {percent(best['share_of_customers'])} of the customers and bring"
        f" {percent(best['share_of_revenue'])} of the revenue."
    )
    if largest["segment_id"] != best["segment_id"]:
        lead += (
            f" The largest segment is {largest['segment']}:"
            f" {percent(largest['share_of_customers'])} of the customers,"
            f" {percent(largest['share_of_revenue'])} of the revenue."
        )
    if shop.segments["revenue"].sum() <= 0:
        lead = NOTHING_LEFT
    eligible = shop.read(
        """
        select segment_id, action, count(*) as num_eligible
        from marketing_targets
        where is_eligible
        group by segment_id, action
        order by segment_id, num_eligible desc, action
        """
    )
    return Section(
        key="segments",
        title="The segments at a glance",
        lead=lead,
        plots=[size_against_revenue(shop)],
        template="cards.html.jinja",
        content={
            "cards": [
                card(shop, segment, eligible[eligible["segment_id"] == segment["segment_id"]])
                | {"span": span}
                for segment, span in zip(
                    records(shop.segments), spans(len(shop.segments)), strict=True
                )
            ]
        },
    )


def spans(num_cards: int) -> list[int]:
    """Twelfths of the width for each card, so that rows of up to four are filled.

    >>> spans(7), spans(5), spans(1)
    ([3, 3, 3, 3, 4, 4, 4], [4, 4, 4, 6, 6], [12])
    """
    num_rows = -(-num_cards // 4)
    short, longer = divmod(num_cards, num_rows)
    rows = [short + 1] * longer + [short] * (num_rows - longer)
    return [12 // size for size in rows for _ in range(size)]


def card(shop: Shop, segment: dict[str, Any], eligible: pd.DataFrame) -> dict[str, Any]:
    """Write the figures of a segment's card; ``eligible`` counts its customers by action."""
    median_orders, median_value, median_days = (
        segment[f"median_{metric}"]
        for metric in ("num_orders", "avg_order_value", "days_since_last_order")
    )
    foretold = segment["mean_repurchase_probability"]
    has_typical = not pd.isna(median_value) and median_orders > 0
    return {
        "name": segment["segment"],
        "badge": segment["badge"],
        "colour": segment["colour"],
        "ink": segment["ink"],
        "is_cluster": not pd.isna(segment["cluster_id"]),
        "num_customers": count(segment["num_customers"], "customer"),
        "revenue": shop.brief_money(segment["revenue"]),
        "share_of_customers": percent(segment["share_of_customers"]),
        "share_of_revenue": percent(segment["share_of_revenue"]),
        "bar_of_customers": round(100 * segment["share_of_customers"], 1),
        "bar_of_revenue": round(100 * min(max(segment["share_of_revenue"], 0), 1), 1),
        "typical": (
            f"{count(median_orders, 'order')} of {shop.money(median_value)}"
            f"{'' if round(median_orders) == 1 else ' each'}, the last one"
            f" {count(median_days, 'day')} ago"
            if has_typical
            else None
        ),
        "foretold": (
            f"{percent(foretold)} are expected to order within the next"
            f" {count(shop.window_days, 'day')}"
            if shop.window_days and not pd.isna(foretold)
            else None
        ),
        "claims": [
            {"says": row["says"], "share": percent(row["share_inside"])}
            for row in records(shop.named_claims)
            if row["segment_id"] == segment["segment_id"]
        ],
        "description": segment["description"],
        "strategy": segment["strategy"],
        "action": shop.actions[segment["action"]],
        **movement_of(shop, segment["segment_id"]),
        "eligible": ", ".join(
            f"{whole(row['num_eligible'])} {shop.actions[row['action']].lower()}"
            for row in records(eligible)
        )
        or "nobody",
    }


def movement_of(shop: Shop, segment_id: str) -> dict[str, Any]:
    """Write who came to a segment and left it in the last month, and its sizes of the year."""
    moves, sizes = shop.last_month, shop.sizes
    crossed = moves[moves["from_segment_id"] != moves["segment_id"]]
    came = crossed.loc[crossed["segment_id"] == segment_id, "num_customers"].sum()
    went = crossed.loc[crossed["from_segment_id"] == segment_id, "num_customers"].sum()
    causes = shop.last_causes
    arrivals = causes[causes["segment_id"] == segment_id]
    leavers = causes[causes["previous_segment_id"] == segment_id]
    days = sizes["as_of_date"].drop_duplicates()
    own = sizes[sizes["segment_id"] == segment_id].set_index("as_of_date")["num_customers"]
    line = own.reindex(days).fillna(0).tail(13)
    most = max(line.max(), 1)
    return {
        "moved": None
        if moves.empty
        else f"{whole(came)} came{mostly(arrivals)}, {whole(went)} left{mostly(leavers)}",
        "month": None if moves.empty else period(*moves[["from_date", "as_of_date"]].iloc[0]),
        "line": " ".join(
            f"{100 * number / max(len(line) - 1, 1):.1f},{23 - 22 * size / most:.1f}"
            for number, size in enumerate(line)
        )
        if len(line) > 1
        else None,
    }


def mostly(causes: pd.DataFrame) -> str:
    """Write what moved most of those who came to a segment or left it.

    >>> mostly(pd.DataFrame({"cause": ["time passed", "ordered"], "changes": [2, 1]}))
    ' (mostly without an order)'
    """
    said = causes[causes["cause"].isin(BY_CAUSE)].groupby("cause")["changes"].sum()
    if said.empty:
        return ""
    return f" ({'' if len(said) == 1 else 'mostly '}{BY_CAUSE[str(said.idxmax())]})"


def size_against_revenue(shop: Shop) -> Plot:
    """Draw each segment's share of the customers and of the revenue."""
    segments = shop.segments
    shares = segments.melt(
        id_vars=["segment", "label", "colour"],
        value_vars=["share_of_customers", "share_of_revenue"],
        var_name="of",
        value_name="share",
    )
    shares["of"] = shares["of"].map(
        {"share_of_customers": "Customers", "share_of_revenue": "Revenue"}
    )
    shares["written"] = shares["share"].map(percent)
    y = alt.Y("label:N", sort=list(segments["label"]), axis=plots.labels_axis())
    colour = alt.Color("colour:N", scale=None)
    lines = (
        plots.chart(segments[["label", "colour", "share_of_customers", "share_of_revenue"]])
        .mark_rule(strokeWidth=3, opacity=0.45)
        .encode(y=y, x="share_of_customers:Q", x2="share_of_revenue:Q", color=colour)
    )
    points = (
        plots.chart(shares)
        .mark_point(filled=True, size=130, opacity=1, strokeWidth=2)
        .encode(
            y=y,
            x=alt.X("share:Q", title="Share of all", axis=plots.few_ticks(format="%")),
            color=colour,
            shape=alt.Shape(
                "of:N",
                scale=alt.Scale(domain=["Customers", "Revenue"], range=["circle", "diamond"]),
                legend=alt.Legend(symbolFillColor=plots.INK_2, symbolStrokeWidth=0),
            ),
            tooltip=[
                alt.Tooltip("segment:N", title="Segment"),
                alt.Tooltip("of:N", title="Share of"),
                alt.Tooltip("written:N", title="Share"),
            ],
        )
    )
    clusters = shop.clusters
    ratio = clusters["share_of_revenue"] / clusters["share_of_customers"]
    high = with_most(clusters.assign(ratio=ratio), "ratio")
    low = with_most(clusters.assign(ratio=-ratio), "ratio")
    sentence = (
        f"{high['segment']} bring {figure(high['ratio'])} times their share of the customers,"
        f" {low['segment']} {figure(-low['ratio'])} times."
    )
    if segments["revenue"].sum() <= 0:
        sentence = NOTHING_LEFT
    return Plot(
        key="size-against-revenue",
        title="Size against revenue",
        shows="Two marks per segment, joined by a line: its share of the customers and its share of"
        " the revenue.",
        sentence=sentence,
        chart=plots.finished(lines, points, height=48 * len(segments)),
        table=Table.of(
            segments,
            {
                "segment": ("Segment", None),
                "num_customers": ("Customers", whole),
                "share_of_customers": ("Share of customers", percent),
                "revenue": ("Revenue", shop.money),
                "share_of_revenue": ("Share of revenue", percent),
            },
        ),
    )
