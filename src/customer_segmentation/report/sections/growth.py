"""Where customers and revenue come from: month by month, and by the month of the first order."""

from __future__ import annotations

import altair as alt
import pandas as pd

from customer_segmentation.report import plots
from customer_segmentation.report.section import Plot, Section, Table
from customer_segmentation.report.shop import Shop
from customer_segmentation.report.wording import count, percent, whole

NUM_MONTHS = 13
NUM_COHORTS, NUM_MONTHS_SINCE = 12, 11

BOTH_WAYS = plots.SHORT.replace("datum.value", "abs(datum.value)")
"""Labels of an axis on which what is lost is drawn downwards."""

STANDINGS = {
    "num_retained": ("Retained", plots.QUIET),
    "num_reactivated": ("Reactivated", "var(--index-4)"),
    "num_new": ("New", plots.ACCENT),
    "num_lost": ("Lost", "var(--index-1)"),
}

PARTS = {
    "expansion": ("Others spent more", plots.QUIET),
    "reactivated_revenue": ("Came back", "var(--index-4)"),
    "new_revenue": ("New", plots.ACCENT),
    "contraction": ("Others spent less", "var(--index-2)"),
    "lost_revenue": ("Lost", "var(--index-1)"),
}
LOST_PARTS = ["contraction", "lost_revenue"]


def growth(shop: Shop) -> Section:
    """Tell where the active customers of the last whole month came from."""
    months = shop.read("select * from growth_accounting where is_whole order by month")
    if len(months) < 2:
        return Section(
            key="growth",
            title="Where growth comes from",
            lead="Two whole months of orders are needed to tell, and there are fewer.",
        )
    last, before = months.iloc[-1], months.iloc[-2]
    change = last["revenue"] - before["revenue"]
    lead = (
        f"In {last['month']:%B %Y} {count(last['num_active'], 'customer')} ordered:"
        f" {whole(last['num_new'])} new, {whole(last['num_retained'])} who had ordered the month"
        f" before, {whole(last['num_reactivated'])} who came back; {whole(last['num_lost'])} of the"
        f" month before did not. Revenue {'rose' if change >= 0 else 'fell'} from"
        f" {shop.brief_money(before['revenue'])} to {shop.brief_money(last['revenue'])}: new and"
        f" returning customers brought"
        f" {shop.brief_money(last['new_revenue'] + last['reactivated_revenue'])}, those who were"
        f" lost had brought {shop.brief_money(last['lost_revenue'])}."
    )
    return Section(
        key="growth",
        title="Where growth comes from",
        lead=lead,
        plots=[
            active_customers(shop, months.tail(NUM_MONTHS)),
            change_of_revenue(shop, months.tail(NUM_MONTHS)),
            cohorts(shop),
        ],
    )


def stacked(
    months: pd.DataFrame, parts: dict[str, tuple[str, str]], lost: list[str], title: str
) -> alt.LayerChart:
    """Draw a bar per month: parts above zero, those of ``lost`` below."""
    rows = months.melt(id_vars=["month"], value_vars=list(parts), var_name="of", value_name="size")
    rows["part"] = rows["of"].map({name: label for name, (label, _) in parts.items()})
    rows["rank"] = rows["of"].map({name: rank for rank, name in enumerate(parts)})
    rows["size"] = rows["size"].astype(float)
    rows["drawn"] = rows["size"].where(~rows["of"].isin(lost), -rows["size"])
    rows["label"] = rows["month"].dt.strftime("%b %Y")
    labels = list(dict.fromkeys(rows["label"]))
    bars = (
        plots.chart(rows[["label", "part", "rank", "size", "drawn"]])
        .mark_bar(stroke=plots.GROUND, strokeWidth=1)
        .encode(
            x=alt.X("label:O", sort=labels, title=None,
                    axis=alt.Axis(labelAngle=0, labelOverlap="greedy", ticks=False, domain=False,
                                  offset=6)),
            y=alt.Y("drawn:Q", title=title, axis=plots.few_ticks(labelExpr=BOTH_WAYS)),
            color=alt.Color(
                "part:N",
                scale=alt.Scale(domain=[label for label, _ in parts.values()],
                                range=[colour for _, colour in parts.values()]),
                legend=alt.Legend(columns=3),
            ),
            order=alt.Order("rank:Q"),
            tooltip=[
                alt.Tooltip("label:N", title="Month"),
                alt.Tooltip("part:N", title="Part"),
                alt.Tooltip("size:Q", title=title, format=",.0f"),
            ],
        )
    )  # fmt: skip
    return plots.finished(bars, height=260)


def change_of_revenue(shop: Shop, months: pd.DataFrame) -> Plot:
    """Draw what each month's revenue gained and lost against the month before."""
    last = months.iloc[-1]
    gained, gone = (
        {name: float(last[name]) for name in PARTS if (name in LOST_PARTS) == is_lost}
        for is_lost in (False, True)
    )
    most, least = (max(parts, key=lambda name: parts[name]) for parts in (gained, gone))
    currency = f" ({shop.facts['currency']})" if shop.facts["currency"] else ""
    return Plot(
        key="change-of-revenue",
        title="What revenue gained and lost",
        shows="A bar per month, against the month before: revenue of new and of returning"
        " customers and what others spent more; below zero what those spent less, and what the lost"
        " had spent.",
        sentence=f"In {last['month']:%B %Y} most was gained as “{PARTS[most][0].lower()}”"
        f" ({shop.money(gained[most])}) and lost as “{PARTS[least][0].lower()}”"
        f" ({shop.money(gone[least])}).",
        chart=stacked(months, PARTS, LOST_PARTS, f"Revenue{currency}"),
        table=Table.of(
            months.assign(label=months["month"].dt.strftime("%Y-%m")),
            {
                "label": ("Month", None),
                "revenue": ("Revenue", shop.money),
                **{name: (label, shop.money) for name, (label, _) in PARTS.items()},
            },
        ),
    )


def active_customers(shop: Shop, months: pd.DataFrame) -> Plot:
    """Draw the active customers of each month by where they came from, and the lost below."""
    net = months["num_new"] + months["num_reactivated"] - months["num_lost"]
    gained = int((net.iloc[1:] > 0).sum())
    return Plot(
        key="growth-accounting",
        title="Active customers",
        shows="A bar per month: customers who were retained, came back or were new; below zero"
        " those who were lost.",
        sentence=f"In {gained} of {count(len(net) - 1, 'month')} more came than were lost;"
        f" in the last one {whole(months['num_lost'].iloc[-1])} were, and"
        f" {whole(months['num_new'].iloc[-1] + months['num_reactivated'].iloc[-1])} came. Active"
        " is who ordered in the month; lost, who ordered in the month before and not in this one.",
        chart=stacked(months, STANDINGS, ["num_lost"], "Customers"),
        table=Table.of(
            months.assign(label=months["month"].dt.strftime("%Y-%m")),
            {
                "label": ("Month", None),
                "num_active": ("Active", whole),
                "num_new": ("New", whole),
                "num_retained": ("Retained", whole),
                "num_reactivated": ("Reactivated", whole),
                "num_lost": ("Lost", whole),
            },
        ),
    )


def cohorts(shop: Shop) -> Plot:
    """Draw the share of each month's first-time customers who order in the months after."""
    rows = shop.read(
        """
        select * from cohorts
        where months_since > 0 and is_whole
        order by first_order_month, months_since
        """
    )
    newest = sorted(rows["first_order_month"].unique())[-NUM_COHORTS:]
    seen = rows[rows["first_order_month"].isin(newest) & (rows["months_since"] <= NUM_MONTHS_SINCE)]
    cells = seen.assign(
        cohort=seen["first_order_month"].dt.strftime("%b %Y")
        + "\n"
        + seen["num_customers"].map(lambda number: count(number, "customer")),
        written=seen["share_active"].map(percent).str.rstrip("%"),
        share=seen["share_active"].map(percent),
    )
    names = list(dict.fromkeys(cells["cohort"]))
    # Who is new in the month with which the orders begin is not known.
    beginning = rows["first_order_month"].min()
    first = seen[(seen["months_since"] == 1) & (seen["first_order_month"] > beginning)]
    again = first["num_active"].sum() / max(first["num_customers"].sum(), 1)
    sentence = (
        f"Of those who first ordered in these months, {percent(again)} ordered again in the month"
        " after."
        if len(first)
        else "One month of first orders is known."
    )
    if beginning in newest:
        sentence += (
            f" With {beginning:%B %Y} the orders begin, so its customers need not be new; they are"
            " not counted here."
        )
    return Plot(
        key="cohorts",
        title="Who comes back, by the month of the first order",
        shows="A row per month of first orders and a column per month since, with the share of"
        " those customers who ordered in it.",
        sentence=sentence,
        chart=plots.grid(
            cells[["cohort", "months_since", "written", "share", "share_active", "num_active"]],
            x=alt.X(
                "months_since:O",
                axis=alt.Axis(orient="top", title="Months since; cells: % who ordered",
                              labelAngle=0, ticks=False, domain=False),
            ),
            y=alt.Y("cohort:N", sort=names, axis=plots.labels_axis()),
            steps=[0.05, 0.25],
            first=3,
            value="share_active",
            tooltip=[
                alt.Tooltip("cohort:N", title="First order"),
                alt.Tooltip("months_since:O", title="Months since"),
                alt.Tooltip("share:N", title="Ordered in it"),
            ],
            size=11,
            row_height=34,
        ),
        table=Table.of(
            rows.assign(month=rows["first_order_month"].dt.strftime("%Y-%m")),
            {
                "month": ("First order", None),
                "months_since": ("Months since", whole),
                "num_customers": ("Customers", whole),
                "num_active": ("Active", whole),
                "share_active": ("Share", percent),
                "revenue_per_customer": ("Revenue per customer", shop.money),
            },
        ),
    )  # fmt: skip
