"""What segments are called: names are claims, which most members fulfil and others don't."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from customer_segmentation.report.frames import records
from customer_segmentation.report.wording import count, listed, money, percent, whole
from customer_segmentation.schemas import SEGMENT_NAMES

METRICS = {
    "total_amount": "{} in total",
    "avg_order_value": "{} per order",
    "num_orders": "{}",
    "days_since_last_order": "last order {} ago",
    "tenure_days": "first order {} ago",
}
"""What tells segments of one archetype apart, and how it is said."""

NOUNS = {"num_orders": "order", "days_since_last_order": "day", "tenure_days": "day"}


@dataclass(frozen=True)
class Range:
    """Values of a metric above one bound and up to another; an infinite bound is none."""

    metric: str
    above: float = -math.inf
    up_to: float = math.inf

    def words(self, currency: str | None) -> str:
        """Say it as people do.

        >>> Range("num_orders", up_to=1).words(None), Range("num_orders", 1, 4).words(None)
        ('1 order', '2 to 4 orders')
        >>> Range("total_amount", 120).words("EUR"), Range("tenure_days", 9).words(None)
        ('more than €120 in total', 'first order more than 9 days ago')
        """
        noun = NOUNS.get(self.metric)
        if noun is None:
            above, up_to = (money(bound, currency) for bound in (self.above, self.up_to))
            least = above
        else:
            above, up_to = (
                count(bound, noun) if math.isfinite(bound) else ""
                for bound in (self.above, self.up_to)
            )
            least = whole(self.above + 1) if math.isfinite(self.above) else ""
        if math.isinf(self.above):
            said = up_to if noun and self.up_to == 1 else f"up to {up_to}"
        elif math.isinf(self.up_to):
            said = f"more than {above}"
        elif noun and self.above + 1 == self.up_to:
            said = up_to
        else:
            said = f"{least} to {up_to}"
        return METRICS[self.metric].format(said)


@dataclass(frozen=True)
class Name:
    """What a segment is called, and the claims that are made by it."""

    archetype: str | None
    claims: tuple[str, ...]
    range: Range | None = None

    @property
    def base(self) -> tuple[str | None, tuple[str, ...]]:
        """What segments may have in common, to be told apart by a range."""
        return self.archetype, () if self.archetype else self.claims


class Distributions:
    """The metrics of each cluster's members, known to half a per cent.

    ``rows`` are of ``cluster_quantiles``: for each cluster and metric the values below or at which
    there are 1/n, 2/n, ... of the members.
    """

    def __init__(self, rows: pd.DataFrame) -> None:
        self._quantiles = {
            (row["cluster_id"], row["metric"]): np.asarray(row["quantiles"], dtype=float)
            for row in rows.to_dict("records")
        }
        self.sizes = dict(zip(rows["cluster_id"], rows["num_customers"], strict=True))

    def quantiles(self, cluster: int, metric: str) -> np.ndarray:
        """Values in ascending order."""
        return self._quantiles[cluster, metric]

    def least_share(self, cluster: int, values: Range) -> float:
        """At least so large a share of the members is in the range."""
        points = self.quantiles(cluster, values.metric)
        up_to = (points <= values.up_to).sum()
        above = (points <= values.above).sum() + 1 if math.isfinite(values.above) else 0
        return float(max(up_to - above, 0) / len(points))

    def most_outside(self, cluster: int, values: Range) -> float:
        """At most so large a share of the members of all other clusters is in the range."""
        most, customers = 0.0, 0
        for other, size in self.sizes.items():
            if other == cluster:
                continue
            points = self.quantiles(other, values.metric)
            up_to = min((points <= values.up_to).sum() + 1, len(points))
            above = (points <= values.above).sum()
            most += size * max(up_to - above, 0) / len(points)
            customers += size
        return most / customers if customers else 1.0


def readable(value: float, metric: str) -> float:
    """Round a bound to three digits; counts stay as they are.

    >>> readable(1234.56, "total_amount"), readable(1234, "tenure_days")
    (1230.0, 1234)
    """
    return value if metric in NOUNS else float(f"{value:.3g}")


def tell_apart(
    clusters: Sequence[int], distributions: Distributions, *, min_claim_share: float
) -> dict[int, Range] | None:
    """Find the metric that puts most of each cluster on its own side.

    The clusters stand in the order of their medians; between two neighbours is the bound that
    leaves the largest least share on their sides. Returns a range for each cluster, of the metric
    whose least share within its own range is largest; None if that is below ``min_claim_share``.
    """
    best: tuple[float, dict[int, Range]] | None = None
    for metric in METRICS:
        points = {cluster: distributions.quantiles(cluster, metric) for cluster in clusters}
        order = sorted(clusters, key=lambda c: (points[c][len(points[c]) // 2 - 1], c))
        bounds = [-math.inf]
        for lower, upper in pairwise(order):
            candidates = {readable(value, metric) for value in [*points[lower], *points[upper]]}
            bounds.append(
                max(
                    sorted(candidates),
                    key=lambda bound: min(
                        distributions.least_share(lower, Range(metric, up_to=bound)),
                        distributions.least_share(upper, Range(metric, above=bound)),
                    ),
                )
            )
        bounds.append(math.inf)
        ranges = {
            cluster: Range(metric, *between)
            for cluster, between in zip(order, pairwise(bounds), strict=True)
        }
        share = min(distributions.least_share(cluster, ranges[cluster]) for cluster in clusters)
        if best is None or share > best[0]:
            best = share, ranges
    return best[1] if best and best[0] >= min_claim_share else None


def tells(
    cluster: int,
    name: Name,
    distributions: Distributions,
    *,
    min_claim_share: float,
    min_claim_contrast: float,
) -> bool:
    """Whether a name that claims nothing but a range still tells a cluster from all others."""
    if name.range is None or name.archetype or name.claims:
        return False
    inside = distributions.least_share(cluster, name.range)
    contrast = inside - distributions.most_outside(cluster, name.range)
    return inside >= min_claim_share and contrast >= min_claim_contrast


def range_of_its_own(
    cluster: int, distributions: Distributions, *, min_claim_share: float, min_claim_contrast: float
) -> Range | None:
    """Find the range that holds most members of a cluster and fewest of all others, if any does."""
    margin = (1 - min_claim_share) / 4
    found: list[tuple[float, Range]] = []
    for metric in METRICS:
        points = distributions.quantiles(cluster, metric)
        low, high = (
            readable(points[round(at * len(points)) - 1], metric) for at in (margin, 1 - margin)
        )
        for values in (
            Range(metric, up_to=high),
            Range(metric, above=low),
            Range(metric, low, high),
        ):
            inside = distributions.least_share(cluster, values)
            contrast = inside - distributions.most_outside(cluster, values)
            if inside >= min_claim_share and contrast >= min_claim_contrast:
                found.append((contrast, values))
    return max(found, key=lambda pair: pair[0])[1] if found else None


def built_claims(
    shares: pd.DataFrame, words: pd.DataFrame, *, min_claim_share: float, min_claim_contrast: float
) -> tuple[str, ...]:
    """Claims that hold for most members of a cluster, and for clearly fewer others.

    ``shares`` are the cluster's rows of ``cluster_claims``; ``words`` those of ``claims``. What
    another of them implies is left out.
    """
    contrast = (shares["share_inside"] - shares["share_outside"]).round(6)
    holds = (shares["share_inside"] >= min_claim_share) & (contrast >= min_claim_contrast)
    held = set(shares.loc[holds, "claim"])
    ordered = words[words["claim"].isin(held)].sort_values("position")
    implied = {claim for implies in ordered["implies"].dropna() for claim in implies.split()}
    return tuple(claim for claim in ordered["claim"] if claim not in implied)


def built_name(claims: Sequence[str], words: pd.DataFrame) -> str:
    """Put a name together from the words of its claims."""
    said = words.set_index("claim").loc[list(claims)]
    adjectives = " ".join(said["adjective"].dropna())
    additions = list(said["addition"].dropna())
    name = f"{adjectives} customers {listed(additions) if additions else ''}".strip()
    return name[0].upper() + name[1:]


@dataclass(frozen=True)
class Namer:
    """Names the clusters of one version as of one day; see ``name_segments``."""

    fits: pd.DataFrame
    shares: pd.DataFrame
    distributions: Distributions
    archetypes: pd.DataFrame
    words: pd.DataFrame
    min_claim_share: float
    min_claim_contrast: float

    def borne(self, cluster: int) -> list[str]:
        """Archetypes that a cluster may bear: most claims first, then the rarer."""
        fits = self.fits[(self.fits["cluster_id"] == cluster) & self.fits["is_borne"]]
        ordered = fits.sort_values(
            ["num_claims", "share_of_customers", "archetype"], ascending=[False, True, True]
        )
        return list(ordered["archetype"])

    def claims_of(self, archetype: str) -> tuple[str, ...]:
        """Claims of an archetype."""
        (claims,) = self.archetypes.loc[self.archetypes["archetype"] == archetype, "claims"]
        return tuple(claims.split())

    def built(self, cluster: int) -> tuple[str, ...]:
        """Claims that a name of its own may make."""
        return built_claims(
            self.shares[self.shares["cluster_id"] == cluster],
            self.words,
            min_claim_share=self.min_claim_share,
            min_claim_contrast=self.min_claim_contrast,
        )

    def base(self, cluster: int, before: Name | None) -> Name:
        """Name a cluster as before while that holds, else by the best archetype or its facts."""
        borne = self.borne(cluster)
        if before and before.archetype in borne:
            return Name(before.archetype, self.claims_of(before.archetype))
        built = self.built(cluster)
        if (
            before
            and before.archetype is None
            and before.claims
            and set(before.claims) <= set(built)
        ):
            return Name(None, before.claims)
        return Name(borne[0], self.claims_of(borne[0])) if borne else Name(None, built)

    def ranges(
        self, clusters: Sequence[int], base: Name, before: dict[int, Name]
    ) -> dict[int, Range] | None:
        """Tell clusters of one base apart, by the ranges of before while they hold."""
        if not base.archetype and not base.claims:
            limits = {
                "min_claim_share": self.min_claim_share,
                "min_claim_contrast": self.min_claim_contrast,
            }
            found = {
                cluster: before[cluster].range
                if cluster in before
                and tells(cluster, before[cluster], self.distributions, **limits)
                else range_of_its_own(cluster, self.distributions, **limits)
                for cluster in clusters
            }
            return {cluster: values for cluster, values in found.items() if values}
        if len(clusters) == 1:
            return {}
        kept = {
            cluster: before[cluster].range
            for cluster in clusters
            if cluster in before and before[cluster].base == base.base
        }
        told_before = {cluster for cluster, name in before.items() if name.base == base.base}
        ranges = {cluster: values for cluster, values in kept.items() if values is not None}
        if (
            set(ranges) == set(clusters) == told_before
            and len(set(ranges.values())) == len(clusters)
            and all(
                self.distributions.least_share(cluster, values) >= self.min_claim_share
                for cluster, values in ranges.items()
            )
        ):
            return ranges
        return tell_apart(clusters, self.distributions, min_claim_share=self.min_claim_share)

    def why_changed(self, cluster: int, before: Name, called: str) -> str:
        """Say which claim of a name does not hold any more."""
        shares = self.shares[self.shares["cluster_id"] == cluster].set_index("claim")
        held = shares["share_inside"].reindex(list(before.claims)).fillna(0)
        fallen = held[held < self.min_claim_share]
        if len(fallen):
            which = listed([f"{claim} ({percent(share)})" for claim, share in fallen.items()])
            return f"no longer “{called}”: not true of most members any more: {which}"
        return f"no longer “{called}”: it does not tell them from the others any more"


def name_segments(
    *,
    fits: pd.DataFrame,
    shares: pd.DataFrame,
    quantiles: pd.DataFrame,
    archetypes: pd.DataFrame,
    words: pd.DataFrame,
    before: pd.DataFrame,
    currency: str | None,
    min_claim_share: float,
    min_claim_contrast: float,
) -> pd.DataFrame:
    """Name each cluster by claims that its members fulfil.

    ``fits`` are rows of ``archetype_fits``, ``shares`` of ``cluster_claims``, ``quantiles`` of
    ``cluster_quantiles``, ``archetypes`` and ``words`` the seeds; ``before`` are the rows of
    ``segment_names`` that these clusters had last (``last_names``).

    A cluster keeps its name while its claims hold. Else it takes the archetype with most claims
    among those that it may bear; what may bear none is called by the facts that hold for
    ``min_claim_share`` of its members and for ``min_claim_contrast`` fewer of the others; then by
    a range of a metric, on the same conditions; then by its number alone. Clusters that share a
    name are told apart by a range that holds ``min_claim_share`` of each, or by their numbers.

    Returns the columns of ``SEGMENT_NAMES`` but version and date, a row per cluster.
    """
    namer = Namer(
        fits,
        shares,
        Distributions(quantiles),
        archetypes,
        words,
        min_claim_share,
        min_claim_contrast,
    )
    earlier = {int(row["cluster_id"]): name_of(row) for row in records(before)}
    called = dict(zip(before["cluster_id"].astype(int), before["segment"], strict=True))
    clusters = sorted(int(cluster) for cluster in shares["cluster_id"].unique())
    names = {cluster: namer.base(cluster, earlier.get(cluster)) for cluster in clusters}
    segments: dict[int, str] = {}
    titles = archetypes.set_index("archetype")["name"]
    for base in dict.fromkeys(name.base for name in names.values()):
        alike = [cluster for cluster in clusters if names[cluster].base == base]
        name = names[alike[0]]
        ranges = namer.ranges(alike, name, earlier)
        title = str(titles[base[0]]) if base[0] else built_name(name.claims, words)
        said = {cluster: values.words(currency) for cluster, values in (ranges or {}).items()}
        for cluster in alike:
            # A range that two of them would have tells nobody apart.
            if list(said.values()).count(said.get(cluster, "")) == 1:
                names[cluster] = replace(names[cluster], range=(ranges or {})[cluster])
                segments[cluster] = f"{title} ({said[cluster]})"
            elif len(alike) == 1 and (name.archetype or name.claims):
                segments[cluster] = title
            else:
                number = f"segment {cluster}" if cluster > 0 else f"segment of then {-cluster}"
                segments[cluster] = f"{title} ({number})"
    rows: list[dict[str, Any]] = []
    for cluster in clusters:
        name = names[cluster]
        if cluster not in earlier:
            because = "new"
        elif earlier[cluster] == name:
            because = "kept"
        elif earlier[cluster].base != name.base:
            because = namer.why_changed(cluster, earlier[cluster], called[cluster])
        else:
            because = f"no longer “{called[cluster]}”: told apart from others anew"
        values = name.range or Range("")
        rows.append(
            {
                "cluster_id": cluster,
                "archetype": name.archetype,
                "claims": " ".join(name.claims),
                "range_metric": values.metric or None,
                "range_above": values.above if math.isfinite(values.above) else np.nan,
                "range_up_to": values.up_to if math.isfinite(values.up_to) else np.nan,
                "segment": segments[cluster],
                "named_because": because,
            }
        )
    columns = {
        name: kind
        for name, kind in SEGMENT_NAMES.items()
        if name not in ("model_version", "as_of_date")
    }
    return pd.DataFrame(rows)[list(columns)].astype(columns)


def name_of(row: dict[str, Any]) -> Name:
    """Read a row of ``segment_names`` as a name."""
    claims = tuple(row["claims"].split()) if isinstance(row["claims"], str) else ()
    archetype = row["archetype"] if isinstance(row["archetype"], str) else None
    if not isinstance(row["range_metric"], str):
        return Name(archetype, claims)
    above, up_to = row["range_above"], row["range_up_to"]
    return Name(
        archetype,
        claims,
        Range(
            row["range_metric"],
            -math.inf if pd.isna(above) else float(above),
            math.inf if pd.isna(up_to) else float(up_to),
        ),
    )


GRADED = "graded"
"""``named_because`` of names that were made in hindsight, for a day that segments are graded by."""


def last_names(
    names: pd.DataFrame, clusters: Sequence[int], model_version: int, as_of_date: date
) -> pd.DataFrame:
    """Rows of ``segment_names`` that these clusters had last.

    That is on an earlier day, whatever the version, or on this day under an earlier version; names
    that were made in hindsight are none that they had.
    """
    is_earlier = (names["as_of_date"] < as_of_date) | (
        (names["as_of_date"] == as_of_date) & (names["model_version"] < model_version)
    )
    is_own = names["cluster_id"].isin(list(clusters)) & (names["named_because"] != GRADED)
    earlier = names[is_earlier & is_own]
    ordered = earlier.sort_values(["as_of_date", "model_version"])
    return ordered.drop_duplicates("cluster_id", keep="last")


def of_day(rows: pd.DataFrame, day: date) -> pd.DataFrame:
    """Rows of one day; ``as_of_date`` may be a date or a timestamp."""
    found: pd.DataFrame = rows[pd.to_datetime(rows["as_of_date"]) == pd.Timestamp(day)]
    return found


def add_names(
    known: pd.DataFrame,
    restored: pd.DataFrame,
    shares: pd.DataFrame,
    *,
    fits: pd.DataFrame,
    quantiles: pd.DataFrame,
    model_version: int,
    as_of_date: date,
    graded_versions: Mapping[Any, int] | None = None,
    **evidence: Any,
) -> pd.DataFrame:
    """Rows for ``segment_names``: those of a version as of a day, and the ``restored`` ones.

    ``known`` are the rows so far, ``restored`` those of them that a registry brought into a fresh
    database and that have to be written as well. ``shares``, ``fits``, ``quantiles`` and
    ``evidence`` as for ``name_segments``, the first three of any days. On the days of
    ``graded_versions``, which say what version was graded, clusters keep the name that they have as
    of ``as_of_date`` where its claims held on the day, and have a name of their own where not.
    """
    known, restored = (
        rows.assign(as_of_date=[pd.Timestamp(day).date() for day in rows["as_of_date"]])
        for rows in (known, restored)
    )

    def named(day: date, version: int, before: pd.DataFrame) -> pd.DataFrame:
        return name_segments(
            shares=of_day(shares, day),
            fits=of_day(fits, day),
            quantiles=of_day(quantiles, day),
            before=before,
            **evidence,
        ).assign(model_version=version, as_of_date=day)

    clusters = [int(cluster) for cluster in of_day(shares, as_of_date)["cluster_id"].unique()]
    today = named(as_of_date, model_version, last_names(known, clusters, model_version, as_of_date))
    is_replaced = (restored["model_version"] == model_version) & (
        restored["as_of_date"] == as_of_date
    )
    parts = [restored[~is_replaced], today]
    for day, version in (graded_versions or {}).items():
        day = pd.Timestamp(day).date()
        if not ((known["model_version"] == version) & (known["as_of_date"] == day)).any():
            parts.append(named(day, version, today).assign(named_because=GRADED))
    filled = [rows[list(SEGMENT_NAMES)] for rows in parts if len(rows)]
    return pd.concat(filled, ignore_index=True).astype(SEGMENT_NAMES)
