"""The customers themselves: where they stand, coloured by segment."""

from __future__ import annotations

import altair as alt
import pandas as pd
from sklearn.decomposition import PCA

from customer_segmentation.features import coordinates
from customer_segmentation.report import plots
from customer_segmentation.report.frames import records
from customer_segmentation.report.section import Plot, Section, Table
from customer_segmentation.report.shop import Shop
from customer_segmentation.report.wording import (
    figure,
    listed,
    metric_name,
    percent,
    whole,
)

PAIRS = [("days_since_last_order", "num_orders"), ("avg_order_value", "total_amount")]
"""Metrics to draw customers on, across and up."""

AXES = [axis for pair in PAIRS for axis in pair]

POINTS = 1500
"""Customers that are drawn: enough to see the segments, few enough for a phone."""


def customers(shop: Shop) -> Section:
    """Draw a sample of customers on the axes of the metrics and of the clustering."""
    candidates = shop.read(
        f"""
        select feature, lower_limit, upper_limit, transform, centre, scale, is_selected
        from clustering_features
        where model_version = {shop.active_version} and stage = 'everybody'
        order by feature
        """
    )
    features = candidates[candidates["is_selected"]].reset_index(drop=True)
    names = dict.fromkeys([*AXES, *features["feature"]])
    sample = shop.read(
        f"""
        select
            customer_segments.segment_id,
            {", ".join(f"cast(customer_segments.{name} as double) as {name}" for name in names)}
        from clustering_sample
        inner join customer_segments using (customer_id)
        where sample_position <= {POINTS}
        order by all
        """
    )
    sample = sample.merge(shop.clusters[["segment_id", "segment", "badge", "colour", "ink"]])
    found = [by_metrics(shop, sample, candidates, across, up) for across, up in PAIRS]
    if len(features) > 1:
        found.append(by_components(shop, sample, features))
    total = int(shop.clusters["num_customers"].sum())
    lead = (
        "Each point is a customer"
        + (
            f", one of {whole(len(sample))} drawn by lot from {whole(total)}"
            if len(sample) < total
            else ""
        )
        + ". The number stands where a segment has its middle, and is the one on its card."
    )
    return Section(
        key="customers",
        title="The customers",
        lead=lead,
        plots=found,
        template="legend.html.jinja",
        content={"segments": records(shop.clusters[["segment", "badge", "colour", "ink"]])},
    )


def by_metrics(
    shop: Shop, sample: pd.DataFrame, features: pd.DataFrame, across: str, up: str
) -> Plot:
    """Draw the sample on two metrics, with a logarithmic axis where the clustering takes logs."""
    titles = {axis: shop.metric_title(axis) for axis in (across, up)}
    logarithmic = set(features.loc[features["transform"] == "log1p", "feature"])
    scales = {
        axis: alt.Scale(type="log", nice=False)
        if axis in logarithmic and sample[axis].min() > 0
        else alt.Scale(zero=False)
        for axis in (across, up)
    }
    medians = shop.clusters.rename(columns={f"median_{axis}": axis for axis in AXES})
    apart = {axis: medians[axis].max() / max(medians[axis].min(), 1e-9) for axis in (across, up)}
    best = max(apart, key=lambda axis: apart[axis])
    sentence = (
        f"From the lowest to the highest segment the median of {metric_name(best).lower()} goes"
        f" from {shop.metric(best, medians[best].min())}"
        f" to {shop.metric(best, medians[best].max())}."
    )
    return scatter(
        sample,
        medians,
        (across, up),
        titles=(titles[across], titles[up]),
        scales=(scales[across], scales[up]),
        key=f"customers-by-{across}-and-{up}".replace("_", "-"),
        title=f"{metric_name(across)} and {metric_name(up).lower()}",
        sentence=sentence,
    )


def by_components(shop: Shop, sample: pd.DataFrame, features: pd.DataFrame) -> Plot:
    """Draw the sample on the two directions in which the scaled features spread most."""
    points = coordinates(sample, features)
    components = PCA(n_components=2).fit(points)
    places = components.transform(points)
    placed = sample.assign(first=places[:, 0], second=places[:, 1])
    explained = components.explained_variance_ratio_
    leading = [
        listed([
            f"{metric_name(name).lower()} ({'+' if weight > 0 else '−'}{figure(abs(weight))})"
            for name, weight in sorted(
                zip(features["feature"], direction, strict=True), key=lambda pair: -abs(pair[1])
            )
            if abs(weight) >= 0.4
        ])
        for direction in components.components_
    ]  # fmt: skip
    names = ["segment", "badge", "colour", "ink"]
    return scatter(
        placed,
        placed.groupby(names, as_index=False)[["first", "second"]].median(),
        ("first", "second"),
        titles=(
            f"First component ({percent(explained[0])} of the variance)",
            f"Second component ({percent(explained[1])})",
        ),
        scales=(alt.Scale(zero=False), alt.Scale(zero=False)),
        key="customers-by-principal-components",
        title="Principal components",
        sentence="The two directions in which customers differ most show"
        f" {percent(explained.sum())} of their variance. The first is made of {leading[0]},"
        f" the second of {leading[1]}.",
    )


def scatter(
    sample: pd.DataFrame,
    medians: pd.DataFrame,
    axes: tuple[str, str],
    *,
    titles: tuple[str, str],
    scales: tuple[alt.Scale, alt.Scale],
    key: str,
    title: str,
    sentence: str,
) -> Plot:
    """Draw points by segment and the segments' medians; three digits of each figure are kept."""
    across, up = axes
    points = sample[["segment", "colour", across, up]].copy()
    middles = medians[["segment", "badge", "colour", "ink", across, up]].copy()
    for frame in (points, middles):
        for axis in axes:
            frame[axis] = frame[axis].map(lambda value: float(f"{value:.3g}"))
    ticks = plots.few_ticks(labelExpr=plots.SHORT, grid=False)
    encoding = {
        "x": alt.X(f"{across}:Q", title=titles[0], scale=scales[0], axis=ticks),
        "y": alt.Y(f"{up}:Q", title=titles[1], scale=scales[1], axis=ticks),
    }
    colour = alt.Color("colour:N", scale=None)
    tooltip = [
        alt.Tooltip("segment:N", title="Segment"),
        alt.Tooltip(f"{across}:Q", title=titles[0]),
        alt.Tooltip(f"{up}:Q", title=titles[1]),
    ]
    dots = (
        plots.chart(points)
        .mark_circle(size=18, opacity=0.55)
        .encode(**encoding, color=colour, tooltip=tooltip)
    )
    discs = (
        plots.chart(middles)
        .mark_circle(size=380, opacity=1, stroke=plots.GROUND, strokeWidth=2)
        .encode(**encoding, color=colour, tooltip=tooltip)
    )
    numbers = (
        plots.chart(middles)
        .mark_text(fontWeight="bold")
        .encode(**encoding, text="badge:N", color=alt.Color("ink:N", scale=None), tooltip=tooltip)
    )
    return Plot(
        key=key,
        title=title,
        shows=f"Points for customers, across: {titles[0]}, up: {titles[1]}, coloured by segment."
        " The table gives the median of each segment.",
        sentence=sentence,
        chart=plots.finished(dots, discs, numbers, height=320),
        table=Table.of(
            middles,
            {
                "badge": ("Number", None),
                "segment": ("Segment", None),
                across: (f"{titles[0]}, median", figure),
                up: (f"{titles[1]}, median", figure),
            },
        ),
        width="third",
    )
