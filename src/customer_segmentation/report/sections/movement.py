"""Who moves: from segment to segment, how the segments grow, and who lapses when."""

from __future__ import annotations

import altair as alt
import pandas as pd

from customer_segmentation.report import plots
from customer_segmentation.report.frames import records, with_most
from customer_segmentation.report.section import Plot, Section, Table
from customer_segmentation.report.shop import Shop
from customer_segmentation.report.wording import count, percent, period, whole

NUM_WEEKS = 13
"""Of the calendar of those who lapse."""

FOLLOWED = {
    "ordered": "followed an order",
    "goods returned": "goods that came back",
    "time passed": "time without one",
    "model changed": "a refit",
    "corrected": "corrected orders",
}
"""What moves customers, as the end of a sentence about orders."""

WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]


def movement(shop: Shop) -> Section:
    """Tell who moved in the last month, and who will lapse."""
    moves = shop.last_month
    calendar = lapse_calendar(shop)
    drawn = [calendar] if calendar.table.rows else []
    if moves.empty:
        lead = "No month has passed that is looked at: nothing is known of who moved."
    else:
        known = moves[moves["from_segment_id"] != "new"]
        moved = known[known["from_segment_id"] != known["segment_id"]]
        new = moves.loc[moves["from_segment_id"] == "new", "num_customers"].sum()
        lead = (
            f"{period(*moves[['from_date', 'as_of_date']].iloc[0])}:"
            f" {whole(moved['num_customers'].sum())} of"
            f" {count(known['num_customers'].sum(), 'customer')}"
            f" ({percent(moved['num_customers'].sum() / max(known['num_customers'].sum(), 1))})"
            f" changed their segment, and {whole(new)} were new."
        )
        if len(moved):
            most = with_most(moved, "num_customers")
            lead += (
                f" Most went from {most['from_segment']} to {most['segment']}:"
                f" {whole(most['num_customers'])}."
            )
        lead += moved_by(shop.last_causes)
        drawn = [transitions(shop, moves), sizes(shop), *drawn]
    return Section(
        key="movement",
        title="Who moves",
        lead=lead,
        plots=drawn,
        template="legend.html.jinja",
        content={"segments": records(shop.segments[["segment", "badge", "colour", "ink"]])},
    )


def moved_by(causes: pd.DataFrame) -> str:
    """Write how many changes followed what, with a space before.

    >>> moved_by(pd.DataFrame({"cause": ["ordered", "time passed"], "changes": [1041, 172]}))
    ' Of their 1,213 changes 1,041 followed an order and 172 time without one.'
    """
    changes = causes.groupby("cause")["changes"].sum()
    said = [
        f"{whole(changes[cause])} {words}" for cause, words in FOLLOWED.items() if cause in changes
    ]
    if not said:
        return ""
    listed = " and ".join(filter(None, [", ".join(said[:-1]), said[-1]]))
    return f" Of their {count(changes.sum(), 'change')} {listed}."


def transitions(shop: Shop, moves: pd.DataFrame) -> Plot:
    """Draw the customers who went from each segment to each other one."""
    segments = shop.segments
    labels = dict(zip(segments["segment_id"], segments["label"], strict=True))
    badges = dict(zip(segments["segment_id"], segments["badge"], strict=True))
    cells = moves.assign(
        came=moves["from_segment_id"].map(labels).fillna(moves["from_segment"]),
        went=moves["segment_id"].map(badges).fillna("–"),
        written=moves["num_customers"].map(whole),
        share=moves["share_of_from_segment"].map(percent),
    )
    rows = [
        *segments["label"],
        *dict.fromkeys(cells.loc[~cells["came"].isin(segments["label"]), "came"]),
    ]
    came = alt.Y("came:N", sort=rows, axis=plots.labels_axis())
    columns = list(dict.fromkeys(segments["badge"]))
    stay = moves[moves["from_segment_id"] == moves["segment_id"]]
    known = moves[moves["from_segment_id"] != "new"]
    return Plot(
        key="transitions",
        title="From segment to segment",
        shows="A row per segment before and a column per segment after, called by its number,"
        " with the customers who went that way.",
        sentence=(
            f"{percent(stay['num_customers'].sum() / max(known['num_customers'].sum(), 1))} of the"
            " customers stayed where they were. The model is the same on both days: only"
            " customers moved. A stronger colour is a larger share of the segment before."
        ),
        chart=plots.grid(
            cells[["came", "went", "written", "share", "share_of_from_segment", "segment"]],
            x=alt.X(
                "went:N", sort=columns, scale=alt.Scale(domain=columns),
                axis=alt.Axis(orient="top", title="To the segment", labelAngle=0, ticks=False,
                              domain=False, labelFontSize=13),
            ),
            y=came,
            steps=[0.05, 0.5],
            first=3,
            value="share_of_from_segment",
            tooltip=[
                alt.Tooltip("came:N", title="From"),
                alt.Tooltip("segment:N", title="To"),
                alt.Tooltip("written:N", title="Customers"),
                alt.Tooltip("share:N", title="Of those before"),
            ],
            row_height=38,
        ),
        table=Table.of(
            moves,
            {
                "from_segment": ("From", None),
                "segment": ("To", None),
                "num_customers": ("Customers", whole),
                "share_of_from_segment": ("Of those before", percent),
                "revenue": ("Revenue of that month", shop.money),
            },
        ),
    )  # fmt: skip


def sizes(shop: Shop) -> Plot:
    """Draw how many customers each segment had, month by month."""
    segments = shop.segments
    by_id = segments.set_index("segment_id")
    sizes = shop.sizes[shop.sizes["segment_id"].isin(by_id.index)]
    rows = sizes.assign(
        segment=sizes["segment_id"].map(by_id["segment"]),
        colour=sizes["segment_id"].map(by_id["colour"]),
        rank=sizes["segment_id"].map({name: n for n, name in enumerate(by_id.index)}),
        day=sizes["as_of_date"].dt.strftime("%Y-%m-%d"),
    )
    first, last = (
        sizes[sizes["as_of_date"] == day].set_index("segment_id")["num_customers"]
        for day in (sizes["as_of_date"].min(), sizes["as_of_date"].max())
    )
    change = last.sub(first, fill_value=0).reindex(by_id.index).fillna(0)
    grown, shrunk = change.idxmax(), change.idxmin()
    sentence = (
        f"Since {sizes['as_of_date'].min():%Y-%m-%d}, {by_id.loc[grown, 'segment']} changed by"
        f" {change[grown]:+,.0f} customers"
    )
    if grown != shrunk:
        sentence += f" and {by_id.loc[shrunk, 'segment']} by {change[shrunk]:+,.0f}"
    bars = (
        plots.chart(rows[["day", "segment", "colour", "rank", "num_customers"]])
        .mark_bar(stroke=plots.GROUND, strokeWidth=1)
        .encode(
            x=alt.X(
                "day:O", title=None,
                axis=alt.Axis(labelAngle=0, labelOverlap="greedy", ticks=False, domain=False,
                              offset=6),
            ),
            y=alt.Y("num_customers:Q", title="Customers",
                    axis=plots.few_ticks(labelExpr=plots.SHORT)),
            color=alt.Color("colour:N", scale=None),
            order=alt.Order("rank:Q", sort="descending"),
            tooltip=[
                alt.Tooltip("day:N", title="As of"),
                alt.Tooltip("segment:N", title="Segment"),
                alt.Tooltip("num_customers:Q", title="Customers", format=","),
            ],
        )
    )  # fmt: skip
    table = rows.pivot_table(index="day", columns="segment", values="num_customers", fill_value=0)
    names = [name for name in segments["segment"] if name in table.columns]
    return Plot(
        key="sizes",
        title="Sizes over time",
        shows="A bar per month, of the customers of each segment, in the segments' colours.",
        sentence=f"{sentence}; by today's model throughout.",
        chart=plots.finished(bars, height=260),
        table=Table.of(
            table.reset_index(), {"day": ("As of", None), **{name: (name, whole) for name in names}}
        ),
    )


def lapse_calendar(shop: Shop) -> Plot:
    """Draw how many customers lapse on each of the coming days if they order nothing.

    Where nobody ever does, how many go to another segment.
    """
    as_of = pd.Timestamp(shop.facts["as_of_date"])
    monday = as_of - pd.Timedelta(days=as_of.day_of_week)
    until = monday + pd.Timedelta(days=7 * NUM_WEEKS - 1)
    lapses, moves = (
        shop.read(
            f"""
            select {day} as day, count(*) as num_customers, sum(total_amount) as amount
            from segment_countdown
            inner join customer_segments using (customer_id)
            where {day} is not null
            group by {day}
            order by {day}
            """
        )
        for day in ("lapses_on", "changes_on")
    )
    does = "lapse" if len(lapses) else "leave their segment"
    dated = (lapses if len(lapses) else moves).astype({"day": "datetime64[ns]"})
    soon = dated[dated["day"] <= until]
    days = pd.DataFrame({"day": pd.date_range(as_of, until)})
    days = days.merge(soon, "left", on="day").fillna({"num_customers": 0, "amount": 0})
    first = days["day"] - pd.to_timedelta(days["day"].dt.day_of_week, "D")
    days["week"] = first.dt.strftime("%Y-%m-%d")
    days["weekday"] = days["day"].dt.day_of_week.map(dict(enumerate(WEEKDAYS)))
    days["day"] = days["day"].dt.strftime("%Y-%m-%d")
    days["written"] = days["num_customers"].map(lambda number: whole(number) if number else "")
    most = max(days["num_customers"].max(), 1)
    sentence = (
        f"{count(soon['num_customers'].sum(), 'customer')} {does} by {until:%Y-%m-%d} if they"
        f" order nothing, who have brought {shop.money(soon['amount'].sum())}; most on"
        f" {with_most(days, 'num_customers')['day']}: {whole(days['num_customers'].max())}. The"
        " lists have the day of each."
    )
    if not len(lapses):
        sentence = f"Nobody becomes lapsed within a year, however silent. {sentence}"
    weeks = list(dict.fromkeys(days["week"]))
    return Plot(
        key="lapse-calendar",
        title="Who lapses when" if len(lapses) else "Who leaves their segment when",
        shows="A row per week and a column per weekday, with the customers who"
        f" {does} on that day.",
        sentence=sentence,
        chart=plots.grid(
            days[["week", "weekday", "day", "written", "num_customers"]],
            x=alt.X(
                "weekday:N", sort=WEEKDAYS, scale=alt.Scale(domain=WEEKDAYS),
                axis=alt.Axis(orient="top", title=None, labelAngle=0, ticks=False, domain=False),
            ),
            y=alt.Y(
                "week:N", sort=weeks,
                axis=alt.Axis(title="Week from", ticks=False, domain=False, labelFontSize=12),
            ),
            steps=[0.5, most / 2],
            first=3,
            value="num_customers",
            tooltip=[
                alt.Tooltip("day:N", title="Day"),
                alt.Tooltip("num_customers:Q", title=f"Customers who {does}", format=","),
            ],
            row_height=26,
        ),
        table=Table.of(
            soon.assign(day=soon["day"].dt.strftime("%Y-%m-%d")),
            {
                "day": ("Day", None),
                "num_customers": (f"Customers who {does}", whole),
                "amount": ("What they have brought", shop.money),
            },
        ),
    )  # fmt: skip
