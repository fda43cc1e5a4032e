"""The evidence tables of one version: candidates for the number of segments, and boundaries."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from customer_segmentation.boundaries import cluster_boundaries, valleys_by_k
from customer_segmentation.candidates import Stages, score_candidates
from customer_segmentation.choice import (
    NATURAL_GROUPS,
    Thresholds,
    choose_in_stages,
    choose_segment_count,
    explain_choice,
)
from customer_segmentation.features import coordinates
from customer_segmentation.fitting import centroid_table, features_of
from customer_segmentation.foresight import MEASURES, Foresight, foresee
from customer_segmentation.processes import Call
from customer_segmentation.resampling import (
    resampling_calls,
    resampling_calls_in_stages,
    shares_of,
)
from customer_segmentation.schemas import CLUSTER_BOUNDARIES
from customer_segmentation.stages import (
    EVERY_STAGE,
    EVERYBODY,
    IN_STAGES,
    Allocation,
    Joins,
    inherited_allocation,
    joined_stages,
    members_by_stage,
    stages_of_their_own,
)

JUDGED_CUSTOMERS = 10_000
"""So many customers of the past day say which number of segments foretold best."""


@dataclass(frozen=True)
class PastFit:
    """Customers as of a past day, with what they did in the window after."""

    sample: pd.DataFrame
    """Rows of ``past_samples`` of one version, in the order of ``customer_id``."""
    features: pd.DataFrame
    """Rows of ``clustering_features`` of the same version."""


def evidence_points(
    sample: pd.DataFrame, features: pd.DataFrame, evidence_sample_size: int, random_seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Points of the evidence sample, and the same jittered; shape (customers, features)."""
    evidence = sample[sample["sample_position"] <= evidence_sample_size]
    return (
        coordinates(evidence, features),
        coordinates(evidence, features, random_seed=random_seed),
    )


def stages_to_try(
    sample: pd.DataFrame,
    features: pd.DataFrame,
    *,
    joins: Joins,
    before: Allocation | None,
    given: int | None,
    ks: range,
    evidence_sample_size: int,
    min_segment_share: float,
) -> tuple[Stages | None, str]:
    """Put the evidence sample into its stages, or say why K-means can't be done in stages.

    Parameters as for ``weigh_candidates``; ``ks`` are the numbers of clusters that are tried for
    everybody, ``given`` the one that was asked for. Here they start at two more than there are
    stages, if the range allows; fewer than there are stages can't be formed.
    """
    of_stages = features[features["stage"] == EVERY_STAGE]
    own = stages_of_their_own(sample["lifecycle_stage"], joins, min_segment_share)
    if of_stages.empty or not own:
        return None, "not in stages, as there is no repurchase curve"
    most = ks[-1] if given is None else given
    if most < len(own):
        what = f"segment_count {given}" if given else f"segment_count_range up to {most}"
        return None, f"not in stages, since there are {len(own)} of them and {what} is less"
    evidence = sample[sample["sample_position"] <= evidence_sample_size]
    names = list(of_stages.loc[of_stages["is_selected"], "feature"])
    return (
        Stages(
            coordinates(evidence, of_stages),
            members_by_stage(joined_stages(evidence["lifecycle_stage"], joins, own), own),
            range(max(ks[0], min(len(own) + 2, most)), ks[-1] + 1),
            min_segment_share,
            names.index("total_amount") if "total_amount" in names else None,
            given,
            inherited_allocation(before, own),
        ),
        "",
    )


def weigh_candidates(
    sample: pd.DataFrame,
    features: pd.DataFrame,
    *,
    segmentation: str,
    joins: Joins,
    before: Allocation,
    anew_because: str,
    segment_count: int | str,
    segment_count_range: list[int],
    evidence_sample_size: int,
    thresholds: Mapping[str, float],
    num_bootstraps: int,
    num_resamples: int,
    random_seed: int,
    segment_count_by: str = "evidence",
    past: PastFit | None = None,
) -> pd.DataFrame:
    """Score every algorithm and k on the evidence sample, and choose the number of segments.

    ``sample`` holds one row per customer in the order of ``customer_id``, with ``sample_position``
    and ``lifecycle_stage``; the evidence sample is its first ``evidence_sample_size`` positions.
    ``features`` are rows of ``clustering_features`` of this version. ``segmentation`` is the var,
    ``joins`` say which stages join which, ``before`` how many clusters each stage had in the
    version before, which is kept but for the reason ``anew_because``, if there is one. A
    ``segment_count`` outside the range gets a row too. ``past`` is the fit of the past by which the
    number is chosen with ``segment_count_by: foresight``, if there is one. Returns the columns of
    ``clustering_candidates`` but the version.
    """
    everybody = features[features["stage"] == EVERYBODY]
    points, jittered = evidence_points(sample, everybody, evidence_sample_size, random_seed)
    least, most = segment_count_range
    given = None if segment_count == "auto" else int(segment_count)
    if given is not None:
        least, most = min(least, given), max(most, given)
    ks = range(least, most + 1)
    limits = Thresholds(**thresholds)
    stages, note = None, ""
    if segmentation != "plain":
        stages, note = stages_to_try(
            sample,
            features,
            joins=joins,
            before=None if anew_because else before,
            given=given,
            ks=ks,
            evidence_sample_size=evidence_sample_size,
            min_segment_share=limits.min_segment_share,
        )
    foresights = (
        {}
        if past is None
        else foresee_ks(
            past,
            joins=joins,
            ks=ks,
            min_segment_share=limits.min_segment_share,
            in_stages=stages is not None,
            random_seed=random_seed,
        )
    )
    # Without foresight the rule is that of stability alone.
    judges = foresights if segment_count_by == "foresight" else {}
    scored = Call(
        score_candidates,
        points,
        ks,
        random_seed=random_seed,
        num_bootstraps=num_bootstraps,
        jittered_points=jittered,
        stages=stages,
    )
    with_valleys = Call(
        valleys_by_k,
        points,
        ks,
        random_seed=random_seed,
        jittered_points=jittered,
        max_valley_p_value=limits.max_valley_p_value,
    )
    resampled: dict[str, Any] = dict(
        random_seed=random_seed,
        num_resamples=num_resamples,
        num_bootstraps=num_bootstraps,
        thresholds=limits,
    )
    resamples = {
        "kmeans": resampling_calls(
            points, ks, jittered_points=jittered, foresight=judges.get("kmeans"), **resampled
        )
    }
    if stages is not None:
        resamples[IN_STAGES] = resampling_calls_in_stages(
            stages, foresight=judges.get(IN_STAGES), **resampled
        )
    rows: pd.DataFrame = scored.result()
    rows["is_reproduced"] = limits.are_reached(rows)
    valleys = with_valleys.result()
    rows = rows.merge(valleys.assign(algorithm="kmeans"), how="left", on=["algorithm", "k"])
    shares = {algorithm: shares_of(ks, calls) for algorithm, calls in resamples.items()}
    choice = choose_segment_count(rows, limits, segment_count=given, foresight=judges.get("kmeans"))
    if stages is not None:
        judge = judges.get(IN_STAGES)
        in_stages = choose_in_stages(
            rows, choice, limits, inherited_k=stages.inherited_k, foresight=judge
        )
        are_natural = segmentation == "auto" and choice.verdict == NATURAL_GROUPS
        if in_stages is None:
            note = "not in stages, which can't be divided into so many segments"
        elif not are_natural:
            choice = in_stages
    is_chosen = (rows["algorithm"] == choice.algorithm) & (rows["k"] == choice.segment_count)
    chosen = rows.loc[is_chosen, "allocation"].dropna()
    allocation = json.loads(chosen.iloc[0]) if len(chosen) else {EVERYBODY: choice.segment_count}
    note = choice.note or note or what_changed(before, allocation, anew_because)
    choice = replace(choice, note=note)
    errors = {
        (algorithm, k, measure): error
        for algorithm, foresight in foresights.items()
        for measure in MEASURES
        for k, error in foresight.mean_errors(measure).items()
    }
    keys = list(zip(rows["algorithm"], rows["k"], strict=True))
    for measure in MEASURES:
        rows[measure] = [round(errors.get((*key, measure), np.nan), 12) for key in keys]
    return rows.assign(
        stage=np.where(rows["algorithm"] == IN_STAGES, EVERY_STAGE, EVERYBODY),
        resampling_share=[
            round(shares.get(algorithm, {}).get(k, np.nan), 12) for algorithm, k in keys
        ],
        is_selected=is_chosen,
        reason=explain_choice(choice, rows, limits, judges.get(choice.algorithm)),
        verdict=choice.verdict,
    )


def foresee_ks(
    past: PastFit,
    *,
    joins: Joins,
    ks: range,
    min_segment_share: float,
    in_stages: bool,
    random_seed: int,
) -> dict[str, Foresight]:
    """``foresee`` with as many past customers as the fit of the past is judged by."""
    sample = past.sample[past.sample["sample_position"] <= JUDGED_CUSTOMERS]
    sample = sample.reset_index(drop=True)
    stages = None
    if in_stages:
        stages, _ = stages_to_try(
            sample,
            past.features,
            joins=joins,
            before=None,
            given=None,
            ks=ks,
            evidence_sample_size=JUDGED_CUSTOMERS,
            min_segment_share=min_segment_share,
        )
    return foresee(sample, past.features, stages, ks=ks, random_seed=random_seed)


def what_changed(before: Allocation, now: Allocation, anew_because: str) -> str:
    """Say what is no more as in the version before, and why; empty if it is, or there was none.

    Of plain K-means after plain K-means nothing is said: its number is decided anew each time.

    >>> what_changed({"active": 3}, {"active": 2}, "segment_count has changed")
    'the version before had 3 active; shared out anew, as segment_count has changed'
    """
    if not before or now == before or set(before) == set(now) == {EVERYBODY}:
        return ""
    if EVERYBODY in before:
        return f"the version before had {before[EVERYBODY]} segments of everybody"
    had = ", ".join(f"{number} {stage}" for stage, number in before.items())
    told = f"the version before had {had}"
    if anew_because:
        return f"{told}; shared out anew, as {anew_because}"
    # Stages that were there before and are not now, or the other way round.
    moved = sorted(set(before) ^ set(now))
    return (
        told if EVERYBODY in now or not moved else f"{told}; {' and '.join(moved)} has come or gone"
    )


def find_boundaries(
    sample: pd.DataFrame,
    features: pd.DataFrame,
    centroids: pd.DataFrame,
    *,
    joins: Joins,
    evidence_sample_size: int,
    max_valley_p_value: float,
    random_seed: int,
) -> pd.DataFrame:
    """Test the boundary between every two clusters of a stage on the evidence sample.

    Parameters as for ``weigh_candidates``; ``centroids`` are rows of ``cluster_centroids`` of this
    version. Returns the columns of ``cluster_boundaries`` but the version: ``boundary`` is
    ``valley`` or ``convention``. Clusters of different stages have a rule between them, no
    boundary.
    """
    found = [
        pd.DataFrame({name: pd.Series(dtype="object") for name in CLUSTER_BOUNDARIES}).drop(
            columns="model_version"
        )
    ]
    present = set(centroids["stage"])
    stages = joined_stages(sample["lifecycle_stage"], joins, present)
    for stage in sorted(present):
        members = sample[stages == stage]
        of_stage = centroids[centroids["stage"] == stage]
        used = features_of(features, of_stage)
        ids, positions = centroid_table(of_stage, used)
        points, jittered = evidence_points(members, used, evidence_sample_size, random_seed)
        if len(ids) < 2 or not len(points):
            continue
        pairs = cluster_boundaries(
            points,
            positions,
            random_seed=random_seed,
            jittered_points=jittered,
            max_valley_p_value=max_valley_p_value,
        )
        first = ids[pairs["cluster_id"].to_numpy() - 1]
        second = ids[pairs["other_cluster_id"].to_numpy() - 1]
        found.append(
            pairs.assign(
                stage=stage,
                cluster_id=np.minimum(first, second),
                other_cluster_id=np.maximum(first, second),
                boundary=pairs["is_valley"].map({True: "valley", False: "convention"}),
            )
        )
    return pd.concat([each for each in found if len(each)] or found[:1], ignore_index=True)
