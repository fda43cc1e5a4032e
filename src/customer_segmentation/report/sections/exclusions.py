"""What came in: which rows count, and why the others don't."""

from __future__ import annotations

import altair as alt
import pandas as pd

from customer_segmentation.report import plots
from customer_segmentation.report.section import Plot, Section, Table
from customer_segmentation.report.shop import Shop
from customer_segmentation.report.wording import count, percent, whole, words


def exclusions(shop: Shop) -> Section:
    """Reconcile the rows that came in with those that count."""
    rows = shop.read(
        """
        select * from order_exclusions
        order by exclusion_reason != 'accepted', num_rows desc, exclusion_reason
        """
    )
    rows["reason"] = rows["exclusion_reason"].map(words)
    total = rows["num_rows"].sum()
    accepted = rows.loc[rows["exclusion_reason"] == "accepted", "num_rows"].sum()
    excluded = rows[(rows["exclusion_reason"] != "accepted") & (rows["num_rows"] > 0)]
    lead = f"{whole(accepted)} of {count(total, 'row')} count ({percent(accepted / total)})."
    if excluded.empty:
        lead += " None was excluded."
    else:
        first = excluded.iloc[0]
        lead += (
            f" {count(total - accepted, 'row')} were excluded, most often because of"
            f" “{first['reason'].lower()}”: {count(first['num_rows'], 'row')},"
            f" {percent(first['num_rows'] / total)} of all."
        )
    return Section(
        key="arrivals",
        title="What came in",
        lead=lead,
        plots=[] if excluded.empty else [excluded_rows(shop, rows, excluded)],
    )


def excluded_rows(shop: Shop, rows: pd.DataFrame, excluded: pd.DataFrame) -> Plot:
    """Draw the excluded rows by reason."""
    bars = (
        plots.chart(excluded.assign(label=excluded["reason"])[["label", "description", "num_rows"]])
        .mark_bar()
        .encode(
            y=alt.Y("label:N", sort=list(excluded["reason"]), axis=plots.labels_axis()),
            x=alt.X("num_rows:Q", title="Rows", axis=plots.few_ticks(labelExpr=plots.SHORT)),
            tooltip=[
                alt.Tooltip("label:N", title="Reason"),
                alt.Tooltip("description:N", title="Meaning"),
                alt.Tooltip("num_rows:Q", title="Rows", format=","),
            ],
        )
    )
    amount = excluded["amount"].sum()
    return Plot(
        key="exclusions",
        title="Excluded rows",
        shows="A bar per reason for which rows were excluded.",
        sentence=f"The excluded rows hold {shop.money(amount)}, as far as amounts can be read and"
        " are in this currency. Each of them is kept, with its reason.",
        chart=plots.finished(bars, height=32 * len(excluded)),
        table=Table.of(
            rows,
            {
                "reason": ("Reason", None),
                "description": ("Meaning", None),
                "num_rows": ("Rows", whole),
                "share_of_rows": ("Share of rows", percent),
                "amount": ("Amount", shop.money),
            },
        ),
    )
