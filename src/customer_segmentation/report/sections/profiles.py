"""How the segments differ: profile indices."""

from __future__ import annotations

from functools import partial

import altair as alt

from customer_segmentation.report import plots, wording
from customer_segmentation.report.frames import with_most
from customer_segmentation.report.section import Plot, Section, Table
from customer_segmentation.report.shop import Shop
from customer_segmentation.report.wording import metric_name, whole

STEPS = [50, 80, 125, 200]
"""Limits between far below, below, about, above and far above the mean of all customers."""


def profiles(shop: Shop) -> Section:
    """Compare the segments with each other."""
    return Section(
        key="profiles",
        title="How the segments differ",
        lead="The mean of each segment beside the mean of all customers, which is 100. Blue is"
        " above, orange is below: that says high and low, not good and bad.",
        plots=[profile_indices(shop)],
    )


def written(index: float) -> str:
    """Write an index; what is nearly none is not none."""
    return whole(index) if index >= 0.5 or index <= 0 else "under 1"


def profile_indices(shop: Shop) -> Plot:
    """Draw the mean of each metric in each segment against all customers."""
    clusters = shop.clusters
    cells = clusters.melt(
        id_vars=["segment", "label"],
        value_vars=[f"index_{metric}" for metric in shop.metrics],
        var_name="metric",
        value_name="index",
    )
    cells["metric"] = cells["metric"].str.removeprefix("index_").map(metric_name)
    cells = cells.dropna(subset="index")
    cells["written"] = cells["index"].map(written)
    headings = wording.headings([metric_name(metric) for metric in shop.metrics])
    cells["heading"] = cells["metric"].map(
        dict(zip(map(metric_name, shop.metrics), headings, strict=True))
    )
    ratio = cells["index"].clip(lower=1) / 100
    most = with_most(cells.assign(distance=ratio.where(ratio >= 1, 1 / ratio)), "distance")
    return Plot(
        key="profile-indices",
        title="Profile indices",
        shows="A grid of segments and metrics; each cell is the segment's mean against the mean of"
        " all customers, which is 100. Orange is below, blue is above.",
        sentence=f"{most['segment']} stand out most, in {most['metric'].lower()}: their mean is"
        f" {written(most['index'])} where that of all customers is 100.",
        chart=plots.grid(
            cells,
            x=alt.X("heading:N", sort=headings, axis=plots.headings_axis(headings)),
            y=alt.Y("label:N", sort=list(clusters["label"]), axis=plots.labels_axis()),
            steps=STEPS,
            value="index",
            tooltip=[
                alt.Tooltip("segment:N", title="Segment"),
                alt.Tooltip("metric:N", title="Metric"),
                alt.Tooltip("written:N", title="Index (all customers: 100)"),
            ],
        ),
        table=Table.of(
            clusters,
            {
                "segment": ("Segment", None),
                **{
                    f"index_{metric}": (f"{metric_name(metric)}, index", written)
                    for metric in shop.metrics
                },
                **{
                    f"median_{metric}": (
                        f"{metric_name(metric)}, median",
                        partial(shop.metric, metric),
                    )
                    for metric in shop.metrics
                },
            },
        ),
    )
