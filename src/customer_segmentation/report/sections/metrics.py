"""What customers did: how the metrics are distributed, and which say the same."""

from __future__ import annotations

from functools import partial
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
from scipy.stats import skew

from customer_segmentation.features import scaled
from customer_segmentation.report import plots, wording
from customer_segmentation.report.frames import records, with_most
from customer_segmentation.report.section import Plot, Section, Table
from customer_segmentation.report.shop import Shop
from customer_segmentation.report.wording import (
    count,
    figure,
    in_plain_words,
    listed,
    metric_name,
    whole,
)

BINS = 20


def metrics(shop: Shop) -> Section:
    """Show each metric before and after its transform, and the correlations."""
    features = shop.read(
        f"""
        select
            feature,
            lower_limit,
            upper_limit,
            transform,
            skewness,
            centre,
            scale,
            is_selected,
            reason
        from clustering_features
        where model_version = {shop.active_version} and stage = '{shop.feature_set}'
        order by is_selected desc, feature
        """
    )
    distributions = shop.read("select * from metric_distributions").set_index("metric")
    sample = shop.read("select * exclude (customer_id) from clustering_sample")
    found = []
    for feature in records(features):
        metric = feature["feature"]
        if metric in distributions.index:
            found.append(before(shop, metric, distributions.loc[metric]))
            points = scaled(sample[metric].to_numpy(dtype=float), feature)
            found.append(after(shop, feature, points, distributions.loc[metric]))
    used = [metric_name(name).lower() for name in features.loc[features["is_selected"], "feature"]]
    left = [metric_name(name).lower() for name in features.loc[~features["is_selected"], "feature"]]
    num_customers = shop.clusters["num_customers"].sum()
    lead = (
        f"These are the {count(num_customers, 'customer')} who are clustered."
        f" {'Within each lifecycle stage the' if shop.is_staged else 'The'} clustering looks"
        f" at {listed(used)}."
    )
    if left:
        lead += f" It leaves out {listed(left)}; every metric is reported."
    return Section(
        key="metrics",
        title="What customers did",
        lead=lead,
        plots=[*found, *correlations(shop, features)],
    )


def written_bins(shop: Shop, metric: str, bins: pd.DataFrame) -> pd.DataFrame:
    """Write each bin's range."""
    return bins.assign(
        range=[
            f"{shop.metric(metric, lower)} to {shop.metric(metric, upper)}"
            for lower, upper in zip(bins["lower"], bins["upper"], strict=True)
        ]
    )


def written_skewness(skewness: float) -> str:
    """Write a skewness; of one or two customers there is none."""
    return "n/a" if pd.isna(skewness) else figure(skewness)


def is_constant(distribution: pd.Series) -> bool:
    """Whether all customers have the same value."""
    return bool(distribution["minimum"] == distribution["maximum"])


def before(shop: Shop, metric: str, distribution: pd.Series) -> Plot:
    """Draw a metric as it is, between its 1st and 99th percentile."""
    bins = pd.DataFrame(list(distribution["histogram"])).rename(
        columns={"from": "lower", "to": "upper"}
    )
    bins = written_bins(shop, metric, bins)
    name = metric_name(metric)
    value = partial(shop.metric, metric)
    return Plot(
        key=f"{metric}-before".replace("_", "-"),
        title=name,
        shows="A histogram of customers, from the 1st to the 99th percentile; what lies beyond is"
        " in the outer bars.",
        sentence=(
            f"Every customer has {value(distribution['median'])}."
            if is_constant(distribution)
            else f"Half of the customers have {value(distribution['median'])} or less, nine tenths"
            f" {value(distribution['p90'])} or less; skewness"
            f" {written_skewness(distribution['sample_skewness'])}."
        ),
        chart=plots.histogram(bins, shop.metric_title(metric)),
        table=Table.of(bins, {"range": (name, None), "num_customers": ("Customers", whole)}),
        width="half",
    )


def clipped_bins(values: np.ndarray) -> pd.DataFrame:
    """Count values in bins from the 1st to the 99th percentile, what lies beyond in the outer ones.

    Returns ``lower``, ``upper`` and ``num_customers`` of each of at most ``BINS`` bins that is not
    empty.
    """
    low, high = np.quantile(values, [0.01, 0.99])
    width = max((high - low) / BINS, 1e-9)
    bins, counts = np.unique(
        np.clip(np.floor((values - low) / width), 0, BINS - 1), return_counts=True
    )
    lower, upper = low + bins * width, low + (bins + 1) * width
    return pd.DataFrame({"lower": lower.round(3), "upper": upper.round(3), "num_customers": counts})


def after(shop: Shop, feature: dict[str, Any], points: np.ndarray, distribution: pd.Series) -> Plot:
    """Draw a metric as the clustering sees it: winsorised, transformed, then centred and scaled."""
    metric = feature["feature"]
    bins = clipped_bins(points)
    bins["range"] = [
        f"{figure(lower)} to {figure(upper)}"
        for lower, upper in zip(bins["lower"], bins["upper"], strict=True)
    ]
    name = metric_name(metric)
    limits = [
        f"Values {side} {shop.metric(metric, limit)} count as that. "
        for side, limit in (("below", feature["lower_limit"]), ("above", feature["upper_limit"]))
        if not pd.isna(limit)
    ]
    # Winsorised values have another skewness than those of the distribution.
    from_skewness, to_skewness = (
        (feature["skewness"], skew(points))
        if limits
        else (distribution["sample_skewness"], distribution["sample_skewness_after_log1p"])
    )
    is_scaled = (feature["centre"], feature["scale"]) != (0, 1)
    is_logged = feature["transform"] == "log1p"
    how = " and ".join(["log"] * is_logged + ["scaled" if is_scaled else "not scaled"])
    if is_constant(distribution) or np.ptp(points) == 0:
        sentence = "It is the same for everybody and sets nobody apart."
    elif is_logged:
        sentence = (
            f"The logarithm takes the skewness from {written_skewness(from_skewness)} to"
            f" {written_skewness(to_skewness)}"
            + ("; then it is centred and scaled." if is_scaled else ".")
        )
    else:
        sentence = f"With a skewness of {written_skewness(from_skewness)} it is" + (
            " only centred and scaled." if is_scaled else " neither logged nor scaled."
        )
    return Plot(
        key=f"{metric}-after".replace("_", "-"),
        title=f"{name}, {how}",
        shows="A histogram of the customers that the fit looks at, on the scale of the clustering.",
        sentence="".join(limits) + sentence,
        chart=plots.histogram(bins, f"{name}, {how}", plots.QUIET),
        table=Table.of(bins, {"range": ("Scaled", None), "num_customers": ("Customers", whole)}),
        width="half",
    )


def correlations(shop: Shop, features: pd.DataFrame) -> list[Plot]:
    """Draw the correlation of each pair of metrics, after their transforms."""
    pairs = shop.read("select * from metric_correlations")
    # A metric that is the same for everybody has no correlation.
    pairs = pairs.dropna(subset="pearson_of_transformed")
    if pairs.empty:
        return []
    settled = shop.version["settings"]["candidate_features"]
    found = dict.fromkeys([*pairs["metric"], *pairs["other_metric"]])
    candidates = [m for m in settled if m in found] + [m for m in found if m not in settled]
    place = {metric: number for number, metric in enumerate(candidates)}
    turned = pairs["metric"].map(place) > pairs["other_metric"].map(place)
    first, second = pairs["metric"], pairs["other_metric"]
    pairs["metric"], pairs["other_metric"] = (
        first.where(~turned, second),
        second.where(~turned, first),
    )
    pairs["x"], pairs["y"] = pairs["metric"].map(place), pairs["other_metric"].map(place)
    pairs = pairs.sort_values(["y", "x"]).reset_index(drop=True)
    pairs["written"] = pairs["pearson_of_transformed"].map(lambda value: f"{value:.2f}")
    for column in ("metric", "other_metric"):
        pairs[f"{column}_name"] = pairs[column].map(metric_name)
    names = [metric_name(metric) for metric in candidates]
    headings = dict(zip(names, wording.headings(names), strict=True))
    pairs["heading"] = pairs["metric_name"].map(headings)
    pairs["label"] = pairs["other_metric_name"].map(wording.in_lines)
    columns = [headings[name] for name in names[:-1]]
    rows = [wording.in_lines(name) for name in names[1:]]
    strongest = with_most(pairs.assign(strength=pairs["pearson_of_transformed"].abs()), "strength")
    left_out = features[~features["is_selected"]]
    way = "go together" if strongest["pearson_of_transformed"] >= 0 else "are opposed"
    sentence = (
        f"{strongest['metric_name']} and {strongest['other_metric_name'].lower()} {way} most"
        f" ({strongest['written']})."
    )
    for reason, group in left_out.groupby("reason", sort=False):
        which = listed([metric_name(feature) for feature in group["feature"]])
        sentence += (
            f" {which} {'was' if len(group) == 1 else 'were'} {in_plain_words(str(reason))}."
        )
    return [
        Plot(
            key="correlations",
            title="Correlations",
            shows="A grid of pairs of metrics with their correlation, after log where a metric is"
            " skewed. Blue is together, orange is opposed.",
            sentence=sentence,
            chart=plots.grid(
                pairs,
                x=alt.X("heading:N", sort=columns, axis=plots.headings_axis(columns)),
                y=alt.Y("label:N", sort=rows, axis=plots.labels_axis()),
                steps=[-0.7, -0.3, 0.3, 0.7],
                value="pearson_of_transformed",
                tooltip=[
                    alt.Tooltip("metric_name:N", title="Metric"),
                    alt.Tooltip("other_metric_name:N", title="and"),
                    alt.Tooltip("written:N", title="Correlation"),
                ],
            ),
            width="medium",
            table=Table.of(
                pairs,
                {
                    "metric_name": ("Metric", None),
                    "other_metric_name": ("and", None),
                    "written": ("Pearson, transformed", str),
                    "spearman": ("Spearman", lambda value: f"{value:.2f}"),
                },
            ),
        )
    ]
