"""Where customers stand: the repurchase curve, the lifecycle stages and who is in them."""

from __future__ import annotations

import altair as alt
import pandas as pd

from customer_segmentation.report import plots
from customer_segmentation.report.frames import records
from customer_segmentation.report.section import Plot, Section, Table
from customer_segmentation.report.shop import Shop
from customer_segmentation.report.wording import count, in_plain_words, listed, percent, whole

CLASSES = {
    1: "1 order", 2: "2 orders", 3: "3 or 4 orders", 5: "5 to 9 orders", 10: "10 orders or more",
}  # fmt: skip
"""Classes of the curve that are drawn, by the least number of days with orders."""

NAME_HEIGHT = 0.055
"""Of the height of the plot."""

FEWEST = 20
"""Fewer customers than this say nothing about a silence."""

ONE_IN = {0.5: "half", 1 / 3: "one in three", 0.25: "one in four", 0.2: "one in five",
          0.1: "one in ten"}  # fmt: skip


def stages(shop: Shop) -> Section:
    """Show the curve, the stages that it makes and the segments in each of them."""
    curve = shop.read(
        f"""
        select
            least(order_class, 10) as order_class,
            silence_from,
            sum(num_at_risk) as num_at_risk,
            -- Decimal, so that the sum does not depend on the order of its rows.
            sum(num_at_risk * cast(repurchase_probability as decimal(9, 6))) / sum(num_at_risk)
                as chance
        from version_curves
        where
            model_version = {shop.active_version}
            and window_days = {shop.window_days or 0}
        group by least(order_class, 10), silence_from
        having sum(num_at_risk) >= {FEWEST}
        order by order_class, silence_from
        """
    )
    found = shop.stages
    standing = shop.read(
        """
        select lifecycle_stage, segment_id, count(*) as num_customers
        from customer_segments
        where is_clusterable
        group by lifecycle_stage, segment_id
        order by all
        """
    )
    if curve.empty or shop.window_days is None:
        return Section(
            key="stages",
            title="Where customers stand",
            lead="The history is too short to say who will order again, so there are no lifecycle"
            " stages: the segments tell customers apart by what they did.",
        )
    return Section(
        key="stages",
        title="Where customers stand",
        lead=f"{why(shop)}{joined(found, standing)} {first_order(shop, curve)}",
        plots=[repurchase(shop, curve), who_stands_where(shop, found, standing)],
    )


def why(shop: Shop) -> str:
    """Say whether the segments are made within stages, and why."""
    settings = shop.version["settings"]
    if shop.is_staged:
        return (
            "Of customers with the same total some will probably order again and some will not. So"
            " customers are first told apart by their chance to order again, and the segments are"
            " made within these lifecycle stages: each segment lies in one."
        )
    plain = (
        "as asked for"
        if settings.get("segmentation") == "plain"
        else "which lifecycle stages would cut"
        if shop.verdict == "natural groups"
        else "not within lifecycle stages"
    )
    groups = "the natural groups among everybody" if plain.startswith("which") else "everybody"
    return (
        f"The segments are made of {groups}, {plain}. The stages still say who is likely to order"
        " again."
    )


def joined(found: pd.DataFrame, standing: pd.DataFrame) -> str:
    """Say of each stage with customers but without segments of its own where they are.

    >>> stages = pd.DataFrame({"lifecycle_stage": ["new"], "stage": ["cooling"]})
    >>> standing = pd.DataFrame({"lifecycle_stage": ["new"], "num_customers": [9]})
    >>> joined(stages, standing)
    ' The 9 new customers are in segments of cooling ones: they were too few for their own.'
    """
    numbers = standing.groupby("lifecycle_stage")["num_customers"].sum()
    sentences = [
        f" The {count(numbers[stage], f'{stage} customer')} are in segments of {other} ones: they"
        " were too few for their own."
        for stage, other in zip(found["lifecycle_stage"], found["stage"], strict=True)
        if other not in (stage, "everybody") and stage in numbers
    ]
    return "".join(sentences)


def in_words(share: float) -> str:
    """Write a share as people say it, where a plain fraction is near.

    >>> in_words(0.197), in_words(0.34), in_words(0.27)
    ('one in five', 'one in three', '27%')
    """
    near = min(ONE_IN, key=lambda plain: abs(plain - share))
    return ONE_IN[near] if abs(near - share) <= 0.01 else percent(share)


def first_order(shop: Shop, curve: pd.DataFrame) -> str:
    """Say what a silence after the first order means in this shop, and after many orders."""
    days = count(shop.window_days or 0, "day")
    sentences = []
    for least, what in ((1, "one order"), (5, "five to nine orders")):
        of_class = curve[curve["order_class"] == least]
        if of_class.empty:
            continue
        # Where the chance is nearest to the limit below which customers are lapsed.
        distance = (of_class["chance"] - shop.limits["max_lapsed_probability"]).abs()
        row = of_class.iloc[int(distance.to_numpy().argmin())]
        silence = count(row["silence_from"], "day")
        sentences.append(
            f"After {what} and {silence} without another, {in_words(float(row['chance']))}"
            f" still {'come' if '%' in in_words(float(row['chance'])) else 'comes'} back within"
            f" {days}."
        )
    return " ".join(sentences)


def repurchase(shop: Shop, curve: pd.DataFrame) -> Plot:
    """Draw the chance to order again over the days of silence, by the number of orders."""
    rows = curve.assign(orders=curve["order_class"].map(CLASSES))
    days = count(shop.window_days or 0, "day")
    encoding = {
        "x": alt.X(
            "silence_from:Q",
            title="Days since the last order",
            scale=alt.Scale(type="log", nice=False),
            axis=plots.few_ticks(grid=False, labelExpr=plots.SHORT),
        ),
        "y": alt.Y(
            "chance:Q",
            title=f"Order again within {days}",
            scale=alt.Scale(domain=[0, 1]),
            axis=alt.Axis(tickCount=4, format="%"),
        ),
    }
    tooltip = [
        alt.Tooltip("orders:N", title="After"),
        alt.Tooltip("silence_from:Q", title="Days since the last order"),
        alt.Tooltip("chance:Q", title="Order again", format=".0%"),
        alt.Tooltip("num_at_risk:Q", title="Customers seen", format=","),
    ]
    drawn = ["min_active_probability"]
    if shop.is_one_window:
        drawn.append("max_lapsed_probability")
    limits = pd.DataFrame({"chance": [shop.limits[name] for name in drawn]})
    rules = plots.chart(limits).mark_rule(strokeDash=[2, 3]).encode(y="chance:Q")
    lines = plots.chart(rows).mark_line().encode(**encoding, detail="orders:N")
    dots = plots.chart(rows).mark_point(opacity=1, size=30).encode(**encoding, tooltip=tooltip)
    # A name above the beginning of its line, and clear of the name below.
    first = rows.drop_duplicates("order_class").sort_values("chance")
    heights: list[float] = []
    for chance in first["chance"]:
        heights.append(max(float(chance), heights[-1] + NAME_HEIGHT) if heights else float(chance))
    names = (
        plots.chart(first.assign(chance=heights))
        .mark_text(align="left", dx=6, dy=-7)
        .encode(**encoding, text="orders:N")
    )
    active = shop.limits["min_active_probability"]
    falls = [
        (name, of_it[of_it["chance"] < active])
        for least, name in CLASSES.items()
        for of_it in [rows[rows["order_class"] == least]]
        if len(of_it)
    ]
    below = [
        f"after {name} always"
        if fallen["silence_from"].iloc[0] == 1
        else f"after {name} from {count(fallen['silence_from'].iloc[0], 'day')} on"
        for name, fallen in falls
        if len(fallen)
    ]
    return Plot(
        key="repurchase-curve",
        title="The chance to order again",
        shows="Lines over the days since the last order, one for each number of orders so"
        " far: of the customers who had been silent for so long, the share that ordered within the"
        f" next {days}. Dashed lines are the limits of the stages.",
        sentence=(
            f"On average the chance is below {percent(active)} {listed(below)}."
            if below
            else f"On average the chance is never below {percent(active)}."
        )
        + " That of each customer also depends on the days between their orders.",
        chart=plots.finished(rules, lines, dots, names, height=320),
        table=Table.of(
            rows,
            {
                "orders": ("After", None),
                "silence_from": ("Days since the last order", whole),
                "chance": ("Order again", "{:.1%}".format),
                "num_at_risk": ("Customers seen", whole),
            },
        ),
        width="half",
    )


def who_stands_where(shop: Shop, found: pd.DataFrame, standing: pd.DataFrame) -> Plot:
    """Draw how many customers are in each stage, by segment."""
    segments = shop.clusters[["segment_id", "segment", "badge", "colour"]]
    rows = standing.merge(segments, on="segment_id")
    rows["stage"] = rows["lifecycle_stage"].str.capitalize()
    rows["place"] = rows["segment_id"].map(
        {name: i for i, name in enumerate(segments["segment_id"])}
    )
    order = [stage.capitalize() for stage in found["lifecycle_stage"]]
    bars = (
        plots.chart(rows)
        .mark_bar(stroke=plots.GROUND, strokeWidth=1)
        .encode(
            y=alt.Y("stage:N", sort=order, axis=plots.labels_axis(), title=None),
            x=alt.X("num_customers:Q", title="Customers", stack=True,
                    axis=plots.few_ticks(labelExpr=plots.SHORT, tickMinStep=1)),
            color=alt.Color("colour:N", scale=None),
            order=alt.Order("place:Q"),
            tooltip=[
                alt.Tooltip("stage:N", title="Stage"),
                alt.Tooltip("segment:N", title="Segment"),
                alt.Tooltip("num_customers:Q", title="Customers", format=","),
            ],
        )
    )  # fmt: skip
    totals = rows.groupby("lifecycle_stage")["num_customers"].sum()
    table = found.assign(
        stage=found["lifecycle_stage"].str.capitalize(),
        num_customers=found["lifecycle_stage"].map(totals).fillna(0),
        rule=found["rule"].map(in_plain_words, na_action="ignore"),
    )
    table["share"] = table["num_customers"] / max(float(totals.sum()), 1)
    table["segments"] = [
        listed(list(rows.loc[rows["lifecycle_stage"] == stage, "segment"])) if stage in totals
        else None
        for stage in table["lifecycle_stage"]
    ]  # fmt: skip
    table = table[(table["num_customers"] > 0) | (table["lifecycle_stage"] != "unknown")]
    told = [
        f"{percent(row['share'])} are {row['lifecycle_stage']}"
        for row in records(table)
        if row["num_customers"] > 0
    ]
    return Plot(
        key="lifecycle-stages",
        title="Who stands where",
        shows="A bar for each lifecycle stage, as long as it has customers, in the colours of their"
        " segments. The table says who is in each stage.",
        sentence=f"Of the {count(totals.sum(), 'customer')} who are clustered {listed(told)}.",
        chart=plots.finished(bars, height=40 * max(rows["stage"].nunique(), 1) + 40),
        table=Table.of(
            table,
            {
                "stage": ("Stage", None),
                "rule": ("Who is in it", None),
                "num_customers": ("Customers", whole),
                "share": ("Share", percent),
                "segments": ("Segments", None),
            },
        ),
        width="half",
    )
