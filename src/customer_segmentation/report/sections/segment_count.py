"""How sure we are: how the number of segments was chosen, and what lies between them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import altair as alt
import pandas as pd

from customer_segmentation.report import plots
from customer_segmentation.report.frames import records
from customer_segmentation.report.section import Plot, Section, Table
from customer_segmentation.report.sections.outcomes import beside_rfm, graded
from customer_segmentation.report.shop import Shop
from customer_segmentation.report.wording import (
    count,
    figure,
    in_plain_words,
    listed,
    percent,
    whole,
    words,
)

KMEANS = "K-means"

ALGORITHMS = {
    "kmeans": KMEANS,
    "kmeans_in_stages": "K-means in stages",
    "ward": "Ward's hierarchical clustering",
    "gaussian_mixture": "Gaussian mixture",
    "dbscan": "DBSCAN",
    "hdbscan": "HDBSCAN",
}
"""Names that are not their keys in words."""

IN_STAGES = "kmeans_in_stages"

FIND_K_THEMSELVES = {
    "dbscan": "looks for gaps at one density for all groups",
    "hdbscan": "looks for gaps at any density",
}
"""Algorithms that were given no k, and how they find it."""

SHAPES = ["circle", "square", "diamond", "triangle-up"]


def segment_count(shop: Shop) -> Section:
    """Show the evidence for the number of segments, and the verdict."""
    candidates = shop.read(
        f"""
        select
            algorithm,
            k,
            inertia,
            is_elbow,
            silhouette,
            bootstrap_adjusted_rand,
            bootstrap_jaccard,
            prediction_strength,
            smallest_cluster_share,
            is_reproduced,
            agreement_with_kmeans,
            agreement_with_stages,
            noise_share,
            bic,
            resampling_share,
            is_selected,
            reason,
            verdict
        from clustering_candidates
        where model_version = {shop.active_version}
        order by algorithm, k
        """
    )
    boundaries = shop.read(
        f"""
        select cluster_id, other_cluster_id, is_valley, p_value
        from cluster_boundaries
        where model_version = {shop.active_version}
        order by all
        """
    )
    if candidates.empty:
        return Section(
            key="choice",
            title="How sure we are",
            lead="The fit was restored from a registry: its evidence stayed in the database that"
            f" fitted it. {drift(shop)}",
            plots=calibration(shop),
        )
    selected = candidates[candidates["is_selected"]].iloc[0]
    everybody = candidates[candidates["algorithm"] != IN_STAGES]
    served = (
        of_algorithm(shop, candidates[candidates["algorithm"] == IN_STAGES], selected, IN_STAGES)
        if shop.is_staged
        else []
    )
    return Section(
        key="choice",
        title="How sure we are",
        lead=" ".join(
            sentence
            for sentence in (
                verdict(candidates, boundaries, shop),
                beside_rfm(graded(shop, "segmentation_quality")),
                drift(shop),
            )
            if sentence
        ),
        plots=[
            *served,
            *of_algorithm(shop, everybody, selected, "kmeans"),
            *([valleys(shop, boundaries)] if len(boundaries) else []),
            *calibration(shop),
        ],
    )


def of_algorithm(
    shop: Shop, candidates: pd.DataFrame, selected: pd.Series, algorithm: str
) -> list[Plot]:
    """Draw inertia, silhouette and stability over k, of K-means on everybody or in stages.

    Where the segments are made in stages, the plots about everybody are evidence of what everybody
    looks like: no number is marked in them.
    """
    rows = candidates[candidates["algorithm"] == algorithm]
    k = int(selected["k"]) if selected["algorithm"] == algorithm else None
    found = [inertia(rows, k), silhouette(candidates, k, algorithm, int(selected["k"]))]
    if rows["bootstrap_jaccard"].notna().any():
        found.append(stability(rows, k, shop.version["settings"]))
    if not shop.is_staged:
        return found
    whose, suffix = ("in stages", "") if algorithm == IN_STAGES else ("everybody", "-of-everybody")
    return [
        replace(plot, key=f"{plot.key}{suffix}", title=f"{plot.title}, {whose}") for plot in found
    ]


OF_A_CONTINUUM = {
    "reproducible segments": (
        "form reproducible segments of a continuum",
        ", but resampling finds these again",
    ),
    "constructed segments": (
        "form constructed segments",
        ", and resampling does not find these again as surely as it should",
    ),
    # Of a fit of a version of this project that did not tell the two apart.
    "continuum": ("are a continuum", ""),
}
"""What the customers are where there are no natural groups, and what resampling says of it."""


def verdict(candidates: pd.DataFrame, boundaries: pd.DataFrame, shop: Shop) -> str:
    """Say whether the segments are natural groups, and why there are as many."""
    selected = candidates[candidates["is_selected"]].iloc[0]
    k = int(selected["k"])
    in_stages = (
        " So the segments are made within lifecycle stages, and their number is a convention."
        if shop.is_staged
        else ""
    )
    num_valleys, num_pairs = int(boundaries["is_valley"].sum()), len(boundaries)
    if selected["verdict"] != "natural groups" and candidates["silhouette"].isna().all():
        kind = (
            "Too few customers differ to tell natural groups from a continuum: these are"
            " constructed segments."
        )
    elif selected["verdict"] != "natural groups":
        what, resampled = OF_A_CONTINUUM[selected["verdict"]]
        kind = (
            f"The customers {what}: at no number of segments in the range is there a valley"
            f" between every two of them{resampled}"
            + (f".{in_stages}" if in_stages else ", so the number is a convention.")
        )
    elif num_valleys < num_pairs and not shop.is_staged:
        kind = "There are natural groups among the customers, at another number of segments."
    else:
        kind = "There are natural groups among the customers."
    if num_pairs == 1:
        pairs = f" The boundary between them is a {'valley' if num_valleys else 'convention'}."
    elif num_pairs:
        between = "within the stages" if shop.is_staged else "between them"
        pairs = (
            f" {num_valleys or 'None'} of the {num_pairs} boundaries {between}"
            f" {'are valleys' if num_valleys > 1 else 'is a valley'}, with fewer customers than on"
            " either side."
        )
    else:
        pairs = ""
    settings = shop.version["settings"]
    of_it = candidates[candidates["algorithm"] == selected["algorithm"]]
    again = (
        " Had other customers been in the sample,"
        f" {resampled_choice(of_it, k, settings['num_resamples'])}."
        if not pd.isna(selected["resampling_share"]) and settings["segment_count"] == "auto"
        else ""
    )
    empty = k - len(shop.clusters)
    gone = (
        f" {count(empty, 'segment')} of the fit {'has' if empty == 1 else 'have'} no customers now."
        if empty > 0
        else ""
    )
    return f"{kind} Why {k}: {in_plain_words(selected['reason'])}.{pairs}{again}{gone}"


def resampled_choice(candidates: pd.DataFrame, k: int, num_resamples: int) -> str:
    """Say in how many resamples k would be chosen, and what in the others.

    ``candidates`` are of the algorithm that makes the segments.

    >>> table = pd.DataFrame({"k": [4, 5], "resampling_share": [0.6, 0.4]})
    >>> resampled_choice(table, 4, 20)
    '4 would have been chosen in 12 of 20 resamples, 5 in the other 8'
    >>> resampled_choice(table, 5, 20)
    '5 would have been chosen in 8 of 20 resamples, but 4 in the other 12'
    """
    times = (candidates.set_index("k")["resampling_share"] * num_resamples).round().astype(int)
    others = (
        times.drop(k).loc[lambda number: number > 0].sort_values(ascending=False, kind="stable")
    )
    instead = {str(other): int(number) for other, number in others.items()}
    without = num_resamples - int(times.sum())
    if without:
        instead["no number"] = without
    which = "the other " if len(instead) == 1 else ""
    told = listed([f"{other} in {which}{number}" for other, number in instead.items()] or [""])
    favoured = "but " if (others > times[k]).any() else ""
    return f"{k} would have been chosen in {times[k]} of {count(num_resamples, 'resample')}" + (
        f", {favoured}{told}" if told else ""
    )


def drift(shop: Shop) -> str:
    """Say how old the fit is, and whether the customers have moved since."""
    moved = shop.read("select drift, population_stability_index from segment_drift")
    worst = moved["population_stability_index"].max()
    version = shop.version
    state = {
        "stable": "the sizes of the segments have not moved since",
        "watch": "the sizes of the segments have begun to move since",
        "refit": "the sizes of the segments have moved so far since that a refit is due",
    }[moved["drift"].iloc[0]]
    return (
        f"Version {version['model_version']} was fitted on {version['fitted_on']:%Y-%m-%d};"
        f" {state} (population stability index {figure(worst)}). {aging(shop)}"
    )


def aging(shop: Shop) -> str:
    """Say after how many months a fit is so old that another one is due."""
    months = shop.read("select * from segment_aging where months_ago > 0 order by months_ago")
    if months.empty:
        return "How fast segments age is not known: no month of the history is looked at."
    old = months[months["drift"] == "refit"]
    if old.empty:
        return (
            f"In the {count(months['months_ago'].max(), 'month')} before today they have not moved"
            " so far that a refit would be due."
        )
    first = old.iloc[0]
    return (
        f"Today's sizes are as far from those of {count(first['months_ago'], 'month')} ago as calls"
        f" for a refit ({figure(first['population_stability_index'])}): plan one about that often."
    )


def over_k(k: int | None) -> tuple[Any, list[alt.Chart], list[alt.Chart]]:
    """Prepare what the plots over k share: axis, line and a mark at the selected k, if any."""
    x = alt.X(
        "k:O", title="Number of segments (k)", axis=alt.Axis(labelAngle=0, grid=False, ticks=False)
    )
    if k is None:
        return x, [], []
    chosen = pd.DataFrame({"k": [k], "note": [f"selected: {k}"]})
    selected = plots.chart(chosen).mark_rule(strokeDash=[4, 3], strokeWidth=1.5).encode(x=x)
    note = (
        plots.chart(chosen)
        .mark_text(align="center", baseline="bottom", dy=-4, fontWeight="bold")
        .encode(x=x, y=alt.value(0), text="note:N")
    )
    return x, [selected], [note]


def y_axis(title: str, value: str, **options: Any) -> alt.Y:
    """Make the axis of a score."""
    return alt.Y(f"{value}:Q", title=title, axis=alt.Axis(tickCount=4, **options),
                 scale=alt.Scale(zero=False))  # fmt: skip


def inertia(kmeans: pd.DataFrame, k: int | None) -> Plot:
    """Draw the inertia of K-means over k, with its elbow."""
    rows = kmeans[["k", "inertia", "is_elbow"]].copy()
    rows["kind"] = rows["is_elbow"].map({True: "Elbow", False: "Inertia"})
    x, selected, note = over_k(k)
    y = y_axis("Inertia", "inertia", labelExpr=plots.SHORT)
    tooltip = [
        alt.Tooltip("k:O", title="k"),
        alt.Tooltip("inertia:Q", title="Inertia", format=",.1f"),
        alt.Tooltip("kind:N", title="Mark"),
    ]
    line = plots.chart(rows).mark_line().encode(x=x, y=y)
    points = plots.chart(rows).mark_point(opacity=1).encode(x=x, y=y, tooltip=tooltip)
    marks = [
        plots.chart(rows[rows["is_elbow"]])
        .mark_point(opacity=1, size=220, shape="diamond")
        .encode(x=x, y=y, tooltip=tooltip)
    ] * int(rows["is_elbow"].any())
    elbow = rows[rows["is_elbow"]]["k"]
    sentence = (
        f"The curve bends most at k = {int(elbow.iloc[0])}"
        + (
            "."
            if k is None
            else ", the number that was selected."
            if int(elbow.iloc[0]) == k
            else f"; {k} was selected."
        )
        if len(elbow)
        else "Kneedle finds no elbow in the curve."
    )
    return Plot(
        key="inertia",
        title="Inertia and its elbow",
        shows="A falling line: the sum of squared distances to the centroids for each number of"
        " segments. A diamond marks the elbow, a dashed line the selected number, if there is one.",
        sentence=sentence,
        chart=plots.finished(*selected, line, points, *marks, *note, height=200),
        table=Table.of(
            rows, {"k": ("k", whole), "inertia": ("Inertia", figure), "kind": ("Mark", None)}
        ),
        width="third",
    )


def silhouette(candidates: pd.DataFrame, k: int | None, algorithm: str, selected_k: int) -> Plot:
    """Draw the silhouette over k, of K-means and of the other algorithms that were given a k.

    ``k`` is the selected one, if it is of this algorithm; ``selected_k`` in any case.
    """
    rows = candidates[~candidates["algorithm"].isin(FIND_K_THEMSELVES)].copy()
    rows["algorithm"] = rows["algorithm"].map(lambda key: ALGORITHMS.get(key, words(key)))
    agreements = {
        "agreement_with_kmeans": "Agreement with K-means",
        "agreement_with_stages": "Agreement with K-means in stages",
    }
    if rows["agreement_with_stages"].isna().all():
        del agreements["agreement_with_stages"]
    # Of everybody only, and not of a fit of a version of this project that did not measure it.
    criterion = {"bic": ("BIC", figure)} if rows["bic"].notna().any() else {}
    rows = rows[["algorithm", "k", "silhouette", *agreements, *criterion]]
    own = ALGORITHMS[algorithm]
    others = [name for name in rows["algorithm"].unique() if name != own]
    domain = [own, *others]
    colours = [plots.ACCENT, *[plots.QUIET] * len(others)]
    x, selected, note = over_k(k)
    encoding = {
        "x": x,
        "y": y_axis("Mean silhouette", "silhouette", format=".2f"),
        "color": alt.Color("algorithm:N", scale=alt.Scale(domain=domain, range=colours)),
        "shape": alt.Shape("algorithm:N", scale=alt.Scale(domain=domain, range=SHAPES)),
    }
    tooltip = [
        alt.Tooltip("algorithm:N", title="Algorithm"),
        alt.Tooltip("k:O", title="k"),
        alt.Tooltip("silhouette:Q", title="Mean silhouette", format=".3f"),
    ]
    line = (
        plots.chart(rows).mark_line().encode(**{n: e for n, e in encoding.items() if n != "shape"})
    )
    points = (
        plots.chart(rows).mark_point(filled=True, opacity=1).encode(**encoding, tooltip=tooltip)
    )
    kmeans = rows[rows["algorithm"] == own].set_index("k")["silhouette"]
    if kmeans.isna().all():
        sentence = "There are too few different customers for a silhouette at any k."
    else:
        highest = int(str(kmeans.idxmax()))
        sentence = f"The silhouette is highest at k = {highest} ({figure(kmeans[highest])})" + (
            "."
            if k is None
            else ", the number that was selected."
            if highest == k
            else f"; at {k} it is {figure(kmeans[k])}."
            if not pd.isna(kmeans.get(k))
            else f"; at {k} it is not defined."
        )
    if algorithm == IN_STAGES:
        sentence += (
            " It is measured within the stages, so not to be compared with that of everybody."
        )
    in_stages = algorithm == "kmeans" and "agreement_with_stages" in agreements and k is None
    for other in records(rows[(rows["algorithm"] != own) & (rows["k"] == selected_k)]):
        where = "there" if k == selected_k else f"at {selected_k}"
        sentence += agreement(other["algorithm"], other, where, in_stages=in_stages)
    if criterion:
        least = rows.loc[rows["bic"] == rows["bic"].min(), "k"]
        sentence += f" The BIC of the mixtures is least at k = {least.iloc[0]}."
    for row in records(candidates[candidates["algorithm"].isin(FIND_K_THEMSELVES)]):
        name = ALGORITHMS[row["algorithm"]]
        sentence += (
            f" {name} {FIND_K_THEMSELVES[row['algorithm']]}: it finds"
            f" {count(row['k'], 'cluster')} and leaves {percent(row['noise_share'])} of the"
            " customers outside."
        )
        sentence += agreement(name, row, "where most alike", in_stages=in_stages)
    return Plot(
        key="silhouette",
        title="Silhouette",
        shows=f"Lines for {listed(domain)}: how well separated the clusters are, for each number of"
        " segments. A dashed line marks the selected number, if it is of these.",
        sentence=sentence,
        chart=plots.finished(*selected, line, points, *note, height=200),
        table=Table.of(
            rows,
            {
                "algorithm": ("Algorithm", None),
                "k": ("k", whole),
                "silhouette": ("Mean silhouette", figure),
                **{name: (heading, figure) for name, heading in agreements.items()},
                **criterion,
            },
        ),
        width="third",
    )


def agreement(name: str, row: dict[str, Any], where: str, *, in_stages: bool) -> str:
    """Say how far another algorithm agrees with K-means, and with the segments in stages."""
    index = row["agreement_with_kmeans"]
    if pd.isna(index):
        return ""
    kind = "agrees" if index >= 0.8 else "half agrees" if index >= 0.5 else "disagrees"
    told = f" {name} {kind} with K-means {where} (adjusted Rand index {figure(index)}"
    if in_stages and not pd.isna(row["agreement_with_stages"]):
        told += f"; with the segments in stages {figure(row['agreement_with_stages'])}"
    return told + ")."


def stability(kmeans: pd.DataFrame, k: int | None, settings: dict[str, Any]) -> Plot:
    """Draw how well bootstraps reproduce each k, with the limits."""
    names = {"bootstrap_jaccard": "Least stable segment", "bootstrap_adjusted_rand": "All together"}
    rows = kmeans.melt(
        id_vars=["k"], value_vars=list(names), var_name="measure", value_name="score"
    )
    rows["measure"] = rows["measure"].map(names)
    x, selected, note = over_k(k)
    colours = alt.Scale(domain=list(names.values()), range=[plots.ACCENT, plots.QUIET])
    encoding = {
        "x": x,
        "y": alt.Y("score:Q", title="Agreement of bootstraps", scale=alt.Scale(domain=[0, 1]),
                   axis=alt.Axis(tickCount=4, format=".2f")),
        "color": alt.Color("measure:N", scale=colours),
    }  # fmt: skip
    line = plots.chart(rows).mark_line().encode(**encoding)
    points = (
        plots.chart(rows)
        .mark_point(filled=True, opacity=1)
        .encode(
            **encoding,
            shape=alt.Shape(
                "measure:N",
                scale=alt.Scale(domain=list(names.values()), range=["circle", "square"]),
            ),
            tooltip=[
                alt.Tooltip("measure:N", title="Measure"),
                alt.Tooltip("k:O", title="k"),
                alt.Tooltip("score:Q", title="Agreement", format=".3f"),
            ],
        )
    )
    limits = pd.DataFrame(
        {
            "measure": list(names.values()),
            "score": [settings["min_bootstrap_jaccard"], settings["min_bootstrap_adjusted_rand"]],
        }
    )
    limit = (
        plots.chart(limits)
        .mark_rule(strokeDash=[2, 3])
        .encode(y="score:Q", color=alt.Color("measure:N", scale=colours))
    )
    is_reproduced = kmeans["is_reproduced"].astype("boolean")
    passing = kmeans.loc[is_reproduced.fillna(False), "k"]
    found_again = kmeans.loc[kmeans["k"] == k, "bootstrap_jaccard"].dropna()
    limit_of_jaccard = settings["min_bootstrap_jaccard"]
    at_k = (
        ""
        if k is None
        else f"at {k} the least stable segment is found again with a Jaccard overlap of"
        f" {figure(found_again.iloc[0])}, where {limit_of_jaccard} is the limit."
        if len(found_again)
        else f"at {k} it can't be measured."
    )
    if len(passing):
        which = listed([str(number) for number in passing])
        told = (
            f"k = {which} {'is' if len(passing) == 1 else 'are'} reproduced when customers are"
            " drawn anew"
        )
    elif is_reproduced.notna().any():
        told = "No number of segments is reproduced when customers are drawn anew"
    else:
        # A fit of a version of this project that did not store it.
        told = ""
    sentence = f"{told}: {at_k}" if told and at_k else f"{told}." if told else at_k
    sentence = sentence[:1].upper() + sentence[1:] if not told else sentence
    return Plot(
        key="stability",
        title="Stability",
        shows="Two lines over the number of segments: the bootstrap Jaccard of the least stable"
        " segment and the mean adjusted Rand index, each with the limit it must reach.",
        sentence=sentence,
        chart=plots.finished(limit, *selected, line, points, *note, height=200),
        table=Table.of(
            kmeans,
            {
                "k": ("k", whole),
                "bootstrap_jaccard": ("Least stable segment (Jaccard)", figure),
                "bootstrap_adjusted_rand": ("All together (adjusted Rand)", figure),
                "prediction_strength": ("Prediction strength", figure),
                "smallest_cluster_share": ("Smallest segment", percent),
                "resampling_share": ("Chosen when resampled", percent),
                "reason": ("Why or why not", None),
            },
        ),
        width="third",
    )


def valleys(shop: Shop, boundaries: pd.DataFrame) -> Plot:
    """Draw which pairs of segments have a valley between them."""
    names = shop.clusters.set_index("cluster_id")
    order = sorted(int(cluster) for cluster in names.index)
    cells = boundaries.copy()
    cells["segment"] = cells["other_cluster_id"].map(names["segment"])
    cells["label"] = cells["other_cluster_id"].map(names["label"])
    cells["other"] = cells["cluster_id"].map(names["segment"])
    cells["badge"] = cells["cluster_id"].astype(str)
    cells["boundary"] = cells["is_valley"].map({True: "Valley", False: "Convention"})
    valley = "valley" if len(order) < 6 else "✓"
    cells["sign"] = cells["is_valley"].map({True: valley, False: "–"})
    cells = cells.dropna(subset=["segment", "other"])
    y = alt.Y(
        "label:N", sort=[names["label"][cluster] for cluster in order[1:]], axis=plots.labels_axis()
    )
    x = alt.X(
        "badge:N",
        sort=[str(cluster) for cluster in order],
        axis=alt.Axis(title="Segment", orient="top", labelAngle=0, ticks=False, domain=False),
    )

    def colour(valley: str, convention: str) -> alt.Color:
        scale = alt.Scale(domain=["Valley", "Convention"], range=[valley, convention])
        return alt.Color("boundary:N", scale=scale, legend=None)

    base = plots.chart(cells).encode(
        x=x,
        y=y,
        tooltip=[
            alt.Tooltip("segment:N", title="Between"),
            alt.Tooltip("other:N", title="and"),
            alt.Tooltip("boundary:N", title="Boundary"),
            alt.Tooltip("p_value:Q", title="p of the dip test", format=".3f"),
        ],
    )
    boxes = base.mark_rect(stroke=plots.GROUND, strokeWidth=2).encode(
        color=colour("var(--index-5)", "var(--index-3)")
    )
    signs = base.mark_text().encode(
        text="sign:N", color=colour("var(--index-5-ink)", "var(--index-3-ink)")
    )
    found = cells[cells["is_valley"]]
    if len(found) == len(cells):
        sentence = "Every pair of segments has a valley between them."
    elif found.empty:
        sentence = "No pair of segments has a valley between them: every line is a convention."
    else:
        sentence = (
            f"{len(found)} of {count(len(cells), 'pair')} of segments"
            f" {'has' if len(found) == 1 else 'have'} a valley between them; the other lines are a"
            " convention, and customers near them might as well be in the neighbouring segment."
        )
    return Plot(
        key="valleys",
        title="Valleys between the segments",
        shows="A grid of pairs of segments; a dark cell is a valley: between the two there are"
        " few customers (dip test).",
        sentence=sentence,
        chart=plots.finished(boxes, signs, height=40 * cells["label"].nunique()).resolve_scale(
            color="independent"
        ),
        table=Table.of(
            cells,
            {
                "segment": ("Between", None),
                "other": ("and", None),
                "boundary": ("Boundary", None),
                "p_value": ("p of the dip test", lambda p: f"{p:.3f}"),
            },
        ),
        width="medium",
    )


def calibration(shop: Shop) -> list[Plot]:
    """Draw what was foretold a window ago beside what happened, if there were customers then."""
    tenths = shop.read("select * from curve_calibration order by decile")
    if tenths.empty or shop.window_days is None:
        return []
    customers = tenths["num_customers"].sum()
    foretold, ordered = (
        float((tenths[share] * tenths["num_customers"]).sum() / customers)
        for share in ("foretold_share", "ordered_share")
    )
    days = count(shop.window_days, "day")
    error = float(tenths["mean_error"].iloc[0])
    is_new = (shop.facts["as_of_date"] - shop.version["fitted_on"]).days < shop.window_days
    knew = " The chances were learnt from these orders, too." if is_new else ""
    axis = alt.Axis(format="%", tickCount=5)
    scale = alt.Scale(domain=[0, 1])
    line = (
        plots.chart(pd.DataFrame({"foretold_share": [0, 1], "ordered_share": [0, 1]}))
        .mark_line(strokeDash=[2, 3], color=plots.QUIET)
        .encode(x="foretold_share:Q", y="ordered_share:Q")
    )
    points = (
        plots.chart(tenths[["foretold_share", "ordered_share", "num_customers"]])
        .mark_point(filled=True, opacity=1, size=90, color=plots.ACCENT)
        .encode(
            x=alt.X("foretold_share:Q", title="Predicted to order", axis=axis, scale=scale),
            y=alt.Y("ordered_share:Q", title="Have ordered", axis=axis, scale=scale),
            tooltip=[
                alt.Tooltip("foretold_share:Q", title="Predicted", format=".1%"),
                alt.Tooltip("ordered_share:Q", title="Have ordered", format=".1%"),
                alt.Tooltip("num_customers:Q", title="Customers", format=","),
            ],
        )
    )
    return [
        Plot(
            key="foretold",
            title="Predicted and happened",
            shows="A point for each tenth of the customers, by the chance that they had: the share"
            " that was predicted to order and the share that did. On the line both are equal.",
            sentence=f"Of the {count(customers, 'customer')} of {days} ago {percent(foretold)} were"
            f" predicted to order since then, and {percent(ordered)} did. Among tenths of them by"
            f" their chance the two are {figure(100 * error)} points apart on average.{knew}",
            chart=plots.finished(line, points, height=300),
            width="half",
            table=Table.of(
                tenths,
                {
                    "decile": ("Tenth", whole),
                    "num_customers": ("Customers", whole),
                    "foretold_share": ("Predicted", percent),
                    "ordered_share": ("Have ordered", percent),
                },
            ),
        )
    ]
