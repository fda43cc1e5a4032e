"""The segments as rules that people can read."""

from __future__ import annotations

from customer_segmentation.report.frames import records
from customer_segmentation.report.palette import BY_RULE, ink
from customer_segmentation.report.section import Section
from customer_segmentation.report.shop import Shop
from customer_segmentation.report.wording import count, listed, percent


def rules(shop: Shop) -> Section:
    """Write each segment's rules, with how well they fit."""
    table = shop.read("select * from segment_rules order by rule")
    segments = shop.clusters.set_index("segment_id")
    place = {segment_id: number for number, segment_id in enumerate(segments.index)}
    table = table.sort_values("segment_id", key=lambda ids: ids.map(place), kind="stable")
    lead = (
        f"{count(len(table), 'rule')} on metrics that everybody knows give"
        f" {percent(table['fidelity'].iloc[0])} of the clustered customers the same segment as the"
        " clustering does. They describe the segments; the clustering makes them."
    )
    missing = list(segments.loc[~segments.index.isin(table["segment_id"]), "segment"])
    if missing:
        which = listed(missing) if len(missing) < 4 else f"{len(missing)} of the segments"
        lead += f" No rule tells {which}: that would take more rules."
    groups = [
        {
            "segment": segments["segment"].get(segment_id, group["segment"].iloc[0]),
            "badge": segments["badge"].get(segment_id, "–"),
            "colour": segments["colour"].get(segment_id, BY_RULE),
            "ink": segments["ink"].get(segment_id, ink(BY_RULE)),
            "rules": [
                {
                    "condition": row["condition"],
                    "num_customers": count(row["num_customers"], "customer"),
                    "coverage": percent(row["coverage"]),
                    "precision": percent(row["precision"]),
                    "recall": percent(row["recall"]),
                }
                for row in records(group)
            ],
        }
        for segment_id, group in table.groupby("segment_id", sort=False)
    ]
    return Section(
        key="rules",
        title="The segments as rules",
        lead=lead,
        template="rules.html.jinja",
        content={"groups": groups},
    )
