"""How many segments: natural groups if there are any, else what resampling reproduces."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from customer_segmentation.boundaries import NUM_SPLITS, is_valley
from customer_segmentation.foresight import MEASURES, Foresight
from customer_segmentation.stages import IN_STAGES

NATURAL_GROUPS = "natural groups"
"""There are valleys between all segments at some k."""
REPRODUCIBLE_SEGMENTS = "reproducible segments"
"""There are none: of a continuum, but resampling reproduces the selected k."""
CONSTRUCTED_SEGMENTS = "constructed segments"
"""Nor does resampling reproduce the selected k."""

SLACK = 0.15
"""How far below the limits the stability may fall before a refit gives up what was chosen before: a
cluster below a mean Jaccard of 0.6 is not one to trust (Hennig 2007)."""


@dataclass(frozen=True)
class Thresholds:
    """What a number of segments has to reach. Each is the var of the same name."""

    max_valley_p_value: float
    """Two clusters have a valley between them if the dip test's p-value is below this."""
    min_bootstrap_jaccard: float
    """A cluster is stable from this mean bootstrap Jaccard on (Hennig 2007)."""
    min_bootstrap_adjusted_rand: float
    """The whole assignment is reproduced from this mean adjusted Rand index on."""
    min_segment_share: float
    """A segment with a smaller share of the customers is not worth a campaign of its own."""

    def misses(
        self,
        *,
        bootstrap_jaccard: float,
        bootstrap_adjusted_rand: float,
        smallest_cluster_share: float,
    ) -> list[str]:
        """Say in words what a k fails to reach; empty if it is reproduced.

        >>> limits = Thresholds(0.05, 0.75, 0.8, 0.02)
        >>> limits.misses(
        ...     bootstrap_jaccard=0.7, bootstrap_adjusted_rand=0.9, smallest_cluster_share=0.1
        ... )
        ['least stable cluster 0.70, needs 0.75']
        """
        return [
            f"{what} {value:{form}}, needs {needed:{form}}"
            for what, value, needed, form in (
                ("least stable cluster", bootstrap_jaccard, self.min_bootstrap_jaccard, ".2f"),
                (
                    "adjusted Rand index",
                    bootstrap_adjusted_rand,
                    self.min_bootstrap_adjusted_rand,
                    ".2f",
                ),
                ("smallest cluster", smallest_cluster_share, self.min_segment_share, ".1%"),
            )
            if not value >= needed
        ]

    def slackened(self) -> Thresholds:
        """Limits that what was chosen before must reach to be kept: ``SLACK`` below those."""
        return replace(
            self,
            min_bootstrap_jaccard=self.min_bootstrap_jaccard - SLACK,
            min_bootstrap_adjusted_rand=self.min_bootstrap_adjusted_rand - SLACK,
            min_segment_share=self.min_segment_share / 2,
        )

    def misses_at(self, row: pd.Series) -> list[str]:
        """``misses`` of a row of ``score_candidates``."""
        return self.misses(
            bootstrap_jaccard=row["bootstrap_jaccard"],
            bootstrap_adjusted_rand=row["bootstrap_adjusted_rand"],
            smallest_cluster_share=row["smallest_cluster_share"],
        )

    def are_reached(self, candidates: pd.DataFrame) -> pd.Series:
        """Whether each row of ``score_candidates`` is reproduced; null where no bootstrap was made.

        That is so for other algorithms than K-means and for a k that could not be scored.
        """
        reached = [not self.misses_at(row) for _, row in candidates.iterrows()]
        return pd.Series(reached, index=candidates.index, dtype="boolean").mask(
            candidates["bootstrap_jaccard"].isna()
        )


def decide(
    ks: Iterable[int],
    *,
    has_valleys: Callable[[int], bool],
    is_reproduced: Callable[[int], bool],
    silhouette: Callable[[int], float],
    finest: Callable[[Collection[int]], int | None] | None = None,
) -> tuple[int, str]:
    """Choose the number of segments. This is the rule; who asks decides how evidence is found.

    In this order, asking for no more than the answer needs:

    1. the largest k that ``has_valleys`` between every pair of clusters: natural groups;
    2. of the ks that are ``is_reproduced`` by resampling (``Thresholds``) the ``finest`` that
       foretells what customers do better than coarser ones (``Foresight.finest``); without
       foresight the largest: any k of a continuum is a convention, and this is the finest that
       another sample would agree with;
    3. the best ``silhouette`` (NaN if there is none), the least k if several are equal;
    4. the least k, if no k could be scored.

    Returns k and what chose it: ``valleys``, ``foresight``, ``stability``, ``silhouette`` or
    ``range``.

    >>> decide(
    ...     range(2, 6),
    ...     has_valleys=lambda k: False,
    ...     is_reproduced=lambda k: k < 5,
    ...     silhouette=lambda k: 0.5,
    ... )
    (4, 'stability')
    """
    ascending = sorted(ks)
    for k in reversed(ascending):
        if has_valleys(k):
            return k, "valleys"
    if finest is None:
        largest = next((k for k in reversed(ascending) if is_reproduced(k)), None)
        reproduced = [] if largest is None else [largest]
    else:
        reproduced = [k for k in ascending if is_reproduced(k)]
        foreseen = finest(reproduced)
        if foreseen is not None:
            return foreseen, "foresight"
    if reproduced:
        return max(reproduced), "stability"
    silhouettes = {k: silhouette(k) for k in ascending}
    scored = [k for k in ascending if not np.isnan(silhouettes[k])]
    if scored:
        return max(scored, key=lambda k: silhouettes[k]), "silhouette"
    return ascending[0], "range"


@dataclass(frozen=True)
class Choice:
    """The number of segments, what decided it, and what the customers look like."""

    segment_count: int
    chosen_by: str
    """As of ``decide``; ``segment_count`` where the number was given; ``kept`` where it is that of
    the version before."""
    verdict: str
    """``natural groups``, ``reproducible segments`` or ``constructed segments``, whatever decided
    the number."""
    algorithm: str = "kmeans"
    """``kmeans`` or ``kmeans_in_stages``."""
    note: str = ""
    """Why the segments are made in stages, or why not; not kept is what the version before had."""


def choose_segment_count(
    candidates: pd.DataFrame,
    thresholds: Thresholds,
    *,
    segment_count: int | None = None,
    foresight: Foresight | None = None,
) -> Choice:
    """Choose the number of K-means segments from the evidence about everybody.

    ``candidates`` are rows of ``score_candidates`` with ``is_reproduced`` and the figures of
    ``valleys_by_k``, by the same ``thresholds``. ``segment_count``, if given, is taken, and need
    not be among the candidates; else ``decide`` chooses.

    Raises ``ValueError`` if there are no K-means candidates.
    """
    kmeans = candidates[candidates["algorithm"] == "kmeans"].set_index("k")
    if kmeans.empty:
        raise ValueError("there is no K-means candidate to choose from")
    valleys = dict(
        zip(
            kmeans.index,
            is_valley(kmeans["valley_p_value"].to_numpy(), thresholds.max_valley_p_value),
            strict=True,
        )
    )
    reproduced = kmeans["is_reproduced"].fillna(False)
    chosen, chosen_by = decide(
        [int(k) for k in kmeans.index],
        has_valleys=lambda k: bool(valleys[k]),
        is_reproduced=lambda k: bool(reproduced[k]),
        silhouette=lambda k: float(kmeans["silhouette"][k]),
        finest=None if foresight is None else foresight.finest,
    )
    are_natural = chosen_by == "valleys"
    if segment_count is not None:
        chosen, chosen_by = segment_count, "segment_count"
    verdict = NATURAL_GROUPS if are_natural else verdict_at(chosen, reproduced)
    return Choice(chosen, chosen_by, verdict)


def verdict_at(k: int, reproduced: pd.Series) -> str:
    """Give the verdict on k segments of a continuum; ``reproduced`` says of each k whether it is.

    >>> verdict_at(3, pd.Series({3: True, 4: False})), verdict_at(4, pd.Series({3: True}))
    ('reproducible segments', 'constructed segments')
    """
    return REPRODUCIBLE_SEGMENTS if reproduced.get(k, False) else CONSTRUCTED_SEGMENTS


def choose_in_stages(
    candidates: pd.DataFrame,
    everybody: Choice,
    thresholds: Thresholds,
    *,
    inherited_k: int | None = None,
    foresight: Foresight | None = None,
) -> Choice | None:
    """Choose the number of segments in stages, or None where no number can be formed.

    ``candidates`` as for ``choose_segment_count``, which made the choice about ``everybody``: a
    number that was given there is taken. ``inherited_k`` is the number whose candidate is shared
    out as in the version before; it is kept while it reaches ``Thresholds.slackened``, or nothing
    reaches the limits. Else ``decide`` chooses; valleys are not looked for within stages. Where
    everybody falls into no natural groups, the verdict is on the segments in stages.
    """
    staged = candidates[candidates["algorithm"] == IN_STAGES].set_index("k")
    formed = staged[staged["allocation"].notna()]
    if formed.empty or (
        everybody.chosen_by == "segment_count" and everybody.segment_count not in formed.index
    ):
        return None
    reproduced = formed["is_reproduced"].fillna(False)

    def in_stages_at(k: int, chosen_by: str, note: str = "") -> Choice:
        are_natural = everybody.verdict == NATURAL_GROUPS
        verdict = NATURAL_GROUPS if are_natural else verdict_at(k, reproduced)
        return Choice(k, chosen_by, verdict, IN_STAGES, note)

    if everybody.chosen_by == "segment_count":
        return in_stages_at(everybody.segment_count, "segment_count")
    note = ""
    if inherited_k is not None and inherited_k in formed.index:
        misses = thresholds.slackened().misses_at(pd.Series(formed.loc[inherited_k]))
        if not misses or not reproduced.any():
            return in_stages_at(inherited_k, "kept")
        note = f"not {inherited_k} as before: {'; '.join(misses)}"
    chosen, chosen_by = decide(
        [int(k) for k in formed.index],
        has_valleys=lambda k: False,
        is_reproduced=lambda k: bool(reproduced[k]),
        silhouette=lambda k: float(formed["silhouette"][k]),
        finest=None if foresight is None else foresight.finest,
    )
    return in_stages_at(chosen, chosen_by, note)


def told_gains(foresight: Foresight, k: int, than: int) -> str:
    """Say how much better k predicted than another number of segments, each with its error."""
    gains = [
        f"{what} {gain:+.4f} ± {error:.4f}"
        for what, (gain, error) in (
            (WORDS_OF_MEASURES[measure], foresight.gain(measure, k, than)) for measure in MEASURES
        )
    ]
    return ", ".join(gains)


def explain_choice(
    choice: Choice,
    candidates: pd.DataFrame,
    thresholds: Thresholds,
    foresight: Foresight | None = None,
) -> list[str]:
    """Say of each candidate, in words and in their order, why it was chosen or why not.

    ``candidates`` and ``foresight`` as for ``choose_segment_count``, which made the
    ``choice`` among those of its ``algorithm``; of others it is told what they are evidence of.
    """
    chosen, chosen_by = choice.segment_count, choice.chosen_by
    reproduced = (
        [
            int(row["k"])
            for _, row in candidates[candidates["algorithm"] == choice.algorithm].iterrows()
            if not thresholds.misses_at(row)
        ]
        if chosen_by == "foresight"
        else []
    )
    path = foresight.path(reproduced) if foresight is not None else []

    def why(row: pd.Series) -> str:
        if chosen_by == "segment_count":
            return f"segment_count is set to {chosen}"
        if chosen_by == "kept":
            surely = "less surely than it should" if thresholds.misses_at(row) else "still"
            return (
                f"k = {chosen}, shared out among the stages as in the version before: resampling"
                f" finds the segments {surely} (least stable cluster"
                f" {row['bootstrap_jaccard']:.2f}, needs {thresholds.min_bootstrap_jaccard:.2f})"
            )
        if chosen_by == "valleys":
            return (
                f"k = {chosen} is the largest number of segments with a valley between every pair"
                f" of them, in {row['num_splits_with_valleys']} of {NUM_SPLITS} random splits of"
                " the customers: natural groups"
            )
        if chosen_by == "foresight":
            stable = f"(least stable cluster {row['bootstrap_jaccard']:.2f})"
            if len(reproduced) == 1:
                return (
                    f"k = {chosen} is the only number of segments that resampling reproduces"
                    f" {stable}"
                )
            among = (
                "of the numbers of segments that resampling reproduces"
                f" ({', '.join(map(str, sorted(reproduced)))}) k = {chosen}"
            )
            if len(path) > 1:
                return (
                    f"{among} predicted what customers did next better than k = {path[-2]}, and no"
                    f" finer one better still {stable}"
                )
            which = "smallest"
            if chosen != min(reproduced):
                which += " that could be formed as of the past day"
            return (
                f"{among} is the {which} {stable}, and no finer one predicted better what customers"
                " did next"
            )
        if chosen_by == "stability":
            return (
                f"k = {chosen} is the largest number of segments that resampling reproduces"
                f" (least stable cluster {row['bootstrap_jaccard']:.2f},"
                f" needs {thresholds.min_bootstrap_jaccard:.2f})"
            )
        if chosen_by == "silhouette":
            return (
                "resampling reproduces no number of segments in the range;"
                f" k = {chosen} has the best silhouette ({row['silhouette']:.2f})"
            )
        return (
            "too few distinct customers to score any number of segments;"
            f" k = {chosen} is the least allowed"
        )

    def why_not(row: pd.Series) -> str:
        k = int(row["k"])
        if row["algorithm"] == "gaussian_mixture":
            is_least = row["bic"] == candidates["bic"].min()
            return OF_A_MIXTURE + ("; of the mixtures this has the least BIC" if is_least else "")
        if row["algorithm"] not in ("kmeans", IN_STAGES):
            return "evidence only: cannot score new customers by itself"
        if row["algorithm"] == IN_STAGES and pd.isna(row["allocation"]):
            return f"the stages can't be divided into {k} segments that are large enough"
        if row["algorithm"] == "kmeans" and np.isnan(row["silhouette"]):
            return f"has not more than {k} distinct customers to form {k} segments of"
        if chosen_by == "segment_count":
            return why(row)
        if chosen_by == "valleys":
            if np.isnan(row["valley_p_value"]):
                return "too few customers to look for valleys"
            if not is_valley(row["valley_p_value"], thresholds.max_valley_p_value):
                splits = row["num_splits_with_valleys"]
                return (
                    "a valley between every pair of segments in"
                    f" {f'only {splits}' if splits else 'none'} of {NUM_SPLITS} random splits"
                )
            return f"all pairs have a valley between them too, but k = {chosen} finds more groups"
        misses = thresholds.misses_at(row)
        if chosen_by == "kept":
            return f"the version before had {chosen}, which still holds"
        if chosen_by == "foresight" and not misses:
            if foresight is None or k not in foresight.ks:
                return "resampling reproduces it too, but as of the past day it could not be formed"
            if k in path:
                finer, coarser, better = path[path.index(k) + 1], k, "better"
            else:
                finer, coarser, better = k, max(one for one in path if one < k), "no better"
            gains = told_gains(foresight, finer, coarser)
            return (
                f"resampling reproduces it too, but k = {finer} predicted {better} than"
                f" k = {coarser} (gain and its standard error: {gains})"
            )
        if chosen_by == "stability" and not misses:
            return f"resampling reproduces it too, but k = {chosen} tells more customers apart"
        missed = f"resampling does not reproduce it ({'; '.join(misses)})"
        if chosen_by in ("stability", "foresight"):
            return missed
        return f"{missed}, and its silhouette is {row['silhouette']:.2f}"

    def explained(row: pd.Series) -> str:
        if row["algorithm"] in ("kmeans", IN_STAGES) and row["algorithm"] != choice.algorithm:
            return OF_THE_OTHER[row["algorithm"]]
        if not (row["algorithm"] == choice.algorithm and row["k"] == chosen):
            return why_not(row)
        told = why(row)
        if choice.algorithm == IN_STAGES:
            shared_out = json.loads(row["allocation"])
            told += "; by stage: " + ", ".join(
                f"{stage} {number}" for stage, number in shared_out.items()
            )
        return told + (f"; {choice.note}" if choice.note else "")

    return [explained(row) for _, row in candidates.iterrows()]


WORDS_OF_MEASURES = dict(zip(MEASURES, ("Brier score", "log spend"), strict=True))


OF_A_MIXTURE = "evidence only: K-means makes the segments"

OF_THE_OTHER = {
    "kmeans": "evidence about everybody: the segments are made in lifecycle stages",
    IN_STAGES: "evidence only: the segments are made of everybody",
}
"""What is said of candidates of the algorithm that does not make the segments."""
