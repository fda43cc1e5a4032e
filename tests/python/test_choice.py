"""The rule that chooses k: the same whoever asks it, and explained in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import nan

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_blobs

from customer_segmentation import resampling
from customer_segmentation.boundaries import NUM_SPLITS, valleys_by_k
from customer_segmentation.candidates import score_candidates
from customer_segmentation.choice import (
    CONSTRUCTED_SEGMENTS,
    NATURAL_GROUPS,
    REPRODUCIBLE_SEGMENTS,
    Choice,
    Thresholds,
    choose_segment_count,
    decide,
    explain_choice,
)
from customer_segmentation.foresight import Foresight
from customer_segmentation.processes import PROCESSES
from customer_segmentation.resampling import (
    MAX_BOOTSTRAPS,
    SPLITS_OF_A_RESAMPLE,
    quick_choice,
    resampling_calls,
    shares_of,
)

THRESHOLDS = Thresholds(
    max_valley_p_value=0.05,
    min_bootstrap_jaccard=0.75,
    min_bootstrap_adjusted_rand=0.8,
    min_segment_share=0.02,
)
"""Of these tests, whatever the project's defaults are."""

# ---- The rule, asked for single answers


class Evidence:
    """Answers for some ks, and a note of what was asked."""

    def __init__(self, valleys: set[int], reproduced: set[int], silhouettes: dict[int, float]):
        self.valleys, self.reproduced, self.silhouettes = valleys, reproduced, silhouettes
        self.asked: list[tuple[str, int]] = []

    def noted(self, what: str, answer: Callable[[int], object]) -> Callable[[int], object]:
        return lambda k: (self.asked.append((what, k)), answer(k))[1]

    def decide(self, ks: range) -> tuple[int, str]:
        return decide(
            ks,
            has_valleys=self.noted("valleys", self.valleys.__contains__),  # type: ignore[arg-type]
            is_reproduced=self.noted("stable", self.reproduced.__contains__),  # type: ignore[arg-type]
            silhouette=self.noted("silhouette", lambda k: self.silhouettes.get(k, nan)),  # type: ignore[arg-type]
        )


@pytest.mark.parametrize(
    ("valleys", "reproduced", "silhouettes", "decided"),
    [
        ({3, 4}, {5}, {6: 0.9}, (4, "valleys")),
        ({2}, {3, 4, 5, 6}, {}, (2, "valleys")),
        ({6}, set(), {}, (6, "valleys")),
        (set(), {3, 5}, {6: 0.9}, (5, "stability")),
        (set(), {2}, {3: 0.9}, (2, "stability")),
        (set(), {6}, {}, (6, "stability")),
        (set(), set(), {2: 0.1, 4: 0.3, 5: 0.2}, (4, "silhouette")),
        (set(), set(), {3: 0.2, 4: 0.3, 6: 0.3}, (4, "silhouette")),
        (set(), set(), {2: -0.1, 6: -0.2}, (2, "silhouette")),
        (set(), set(), {6: 0.0}, (6, "silhouette")),
        (set(), set(), {}, (2, "range")),
    ],
)
def test_the_rule(
    valleys: set[int],
    reproduced: set[int],
    silhouettes: dict[int, float],
    decided: tuple[int, str],
) -> None:
    assert Evidence(valleys, reproduced, silhouettes).decide(range(2, 7)) == decided


def test_the_order_of_the_ks_does_not_matter() -> None:
    for found in (({3, 4}, set(), {}), (set(), {3, 4}, {}), (set(), set(), {3: 0.5, 4: 0.5})):
        evidence = Evidence(*found)
        assert evidence.decide(range(2, 7)) == evidence.decide(range(6, 1, -1))
    assert Evidence(set(), set(), {}).decide(range(6, 1, -1)) == (2, "range")


def test_no_more_is_asked_than_the_answer_needs() -> None:
    evidence = Evidence({4}, {3}, {})
    evidence.decide(range(3, 6))
    assert evidence.asked == [("valleys", 5), ("valleys", 4)]
    evidence = Evidence(set(), {4}, {})
    evidence.decide(range(3, 6))
    in_order = [("valleys", 5), ("valleys", 4), ("valleys", 3), ("stable", 5), ("stable", 4)]
    assert evidence.asked == in_order


AT_THE_LIMITS = {
    "bootstrap_jaccard": THRESHOLDS.min_bootstrap_jaccard,
    "bootstrap_adjusted_rand": THRESHOLDS.min_bootstrap_adjusted_rand,
    "smallest_cluster_share": THRESHOLDS.min_segment_share,
}


def test_who_reaches_a_limit_exactly_is_reproduced() -> None:
    assert THRESHOLDS.misses(**AT_THE_LIMITS) == []


@pytest.mark.parametrize("figure", AT_THE_LIMITS)
@pytest.mark.parametrize("missing", [True, False])
def test_who_misses_one_limit_is_not(figure: str, missing: bool) -> None:
    value = nan if missing else float(np.nextafter(AT_THE_LIMITS[figure], 0))
    assert len(THRESHOLDS.misses(**AT_THE_LIMITS | {figure: value})) == 1


def test_what_no_bootstrap_was_made_of_is_neither_reproduced_nor_not() -> None:
    rows = pd.DataFrame([AT_THE_LIMITS] * 3)
    rows.loc[1, "smallest_cluster_share"] = 0.0
    rows.loc[2, "bootstrap_jaccard"] = nan
    assert THRESHOLDS.are_reached(rows).tolist() == [True, False, pd.NA]


# ---- The rule, on a table made up for it


def evidence(
    thresholds: Thresholds = THRESHOLDS,
    splits_with_valleys: dict[int, int] | None = None,
    **rows: tuple[float, float, float, float],
) -> pd.DataFrame:
    """Candidates by k; valleys in so many splits of 20, none in those of a k that is left out."""
    table = pd.DataFrame(
        [("kmeans", int(k[1:]), *figures) for k, figures in rows.items()]
        + [("ward", 3, nan, nan, 0.5, 0.9)],
        columns=["algorithm", "k", *AT_THE_LIMITS, "silhouette"],
    )
    splits = table["k"].map(NO_VALLEYS if splits_with_valleys is None else splits_with_valleys)
    splits = splits.where(table["algorithm"] == "kmeans")
    return table.assign(
        is_reproduced=thresholds.are_reached(table),
        num_splits_with_valleys=splits.astype("Int32"),
        valley_p_value=(1 - splits / NUM_SPLITS) * 0.1,
    )


STABLE = {"k3": (0.9, 0.9, 0.2, 0.5), "k4": (0.81, 0.85, 0.1, 0.4), "k5": (0.7, 0.85, 0.1, 0.3)}
NO_VALLEYS = {3: 7, 4: 0, 5: 0}


def chosen(
    candidates: pd.DataFrame,
    segment_count: int | None = None,
    foresight: Foresight | None = None,
) -> tuple[Choice, dict[tuple[str, int], str]]:
    """The choice, and its reasons by algorithm and k."""
    choice = choose_segment_count(
        candidates, THRESHOLDS, segment_count=segment_count, foresight=foresight
    )
    reasons = explain_choice(choice, candidates, THRESHOLDS, foresight)
    keys = zip(candidates["algorithm"], candidates["k"], strict=True)
    return choice, dict(zip(keys, reasons, strict=True))


def test_the_largest_k_with_all_valleys_wins_over_stability() -> None:
    splits = NO_VALLEYS | {3: 11, 5: 10}
    choice, reasons = chosen(evidence(splits_with_valleys=splits, **STABLE))
    assert choice == Choice(3, "valleys", NATURAL_GROUPS)
    assert reasons == {
        ("kmeans", 3): "k = 3 is the largest number of segments with a valley between every pair of"
        " them, in 11 of 20 random splits of the customers: natural groups",
        ("kmeans", 4): "a valley between every pair of segments in none of 20 random splits",
        ("kmeans", 5): "a valley between every pair of segments in only 10 of 20 random splits",
        ("ward", 3): "evidence only: cannot score new customers by itself",
    }


def foresight(*mean_errors: float, ks: tuple[int, ...] = (3, 4, 5)) -> Foresight:
    """Two customers who err alike, but for a little."""
    errors = np.array([mean_errors, mean_errors]) + np.array([[0.001], [-0.001]])
    errors[0, -1] += 0.0001
    return Foresight(ks, {"brier_score": errors, "log_spend_error": 10 * errors})


def test_of_what_is_reproduced_what_predicted_better_is_taken_and_the_gain_told() -> None:
    candidates = evidence(**STABLE)
    choice, reasons = chosen(candidates, foresight=foresight(0.3, 0.2, 0.1))
    # k = 5 predicted best of all, and is not reproduced.
    assert choice == Choice(4, "foresight", REPRODUCIBLE_SEGMENTS)
    assert reasons["kmeans", 4] == (
        "of the numbers of segments that resampling reproduces (3, 4) k = 4 predicted what"
        " customers did next better than k = 3, and no finer one better still (least stable cluster"
        " 0.81)"
    )
    assert reasons["kmeans", 3] == (
        "resampling reproduces it too, but k = 4 predicted better than k = 3 (gain and its standard"
        " error: Brier score +0.1000 ± 0.0000, log spend +1.0000 ± 0.0000)"
    )
    assert reasons["kmeans", 5] == (
        "resampling does not reproduce it (least stable cluster 0.70, needs 0.75)"
    )


def test_a_number_is_compared_with_the_one_that_was_taken_before_it() -> None:
    stable = {name: (0.9, 0.9, 0.2, 0.5) for name in ("k3", "k4", "k5")}
    choice, reasons = chosen(evidence(**stable), foresight=foresight(0.2, 0.3, 0.1))
    assert choice.segment_count == 5
    assert "k = 5 predicted what customers did next better than k = 3" in reasons["kmeans", 5]
    assert "k = 5 predicted better than k = 3" in reasons["kmeans", 3]
    # 5 was never held against 4, which was passed over.
    assert "k = 4 predicted no better than k = 3" in reasons["kmeans", 4]


def test_a_finer_number_that_predicted_no_better_is_not_taken() -> None:
    choice, reasons = chosen(evidence(**STABLE), foresight=foresight(0.2, 0.3, 0.1))
    assert choice == Choice(3, "foresight", REPRODUCIBLE_SEGMENTS)
    assert reasons["kmeans", 3].endswith(
        "(3, 4) k = 3 is the smallest (least stable cluster 0.90), and no finer one predicted"
        " better what customers did next"
    )
    assert "but k = 4 predicted no better than k = 3" in reasons["kmeans", 4]
    assert "Brier score -0.1000" in reasons["kmeans", 4]


def test_what_could_not_be_formed_on_the_past_day_says_so() -> None:
    choice, reasons = chosen(evidence(**STABLE), foresight=foresight(0.2, 0.1, ks=(4, 5)))
    assert choice == Choice(4, "foresight", REPRODUCIBLE_SEGMENTS)
    assert "is the smallest that could be formed as of the past day" in reasons["kmeans", 4]
    assert reasons["kmeans", 3] == (
        "resampling reproduces it too, but as of the past day it could not be formed"
    )
    only = evidence(k3=(0.9, 0.9, 0.2, 0.5), k4=(0.7, 0.85, 0.1, 0.4))
    _, reasons = chosen(only, foresight=foresight(0.2, 0.1, ks=(3, 4)))
    assert reasons["kmeans", 3] == (
        "k = 3 is the only number of segments that resampling reproduces (least stable cluster"
        " 0.90)"
    )


def test_valleys_and_a_given_number_come_before_foresight() -> None:
    best = foresight(0.3, 0.2, 0.1)
    natural = evidence(splits_with_valleys=NO_VALLEYS | {3: 20}, **STABLE)
    assert chosen(natural, foresight=best)[0].chosen_by == "valleys"
    assert chosen(evidence(**STABLE), 5, best)[0].segment_count == 5


def test_a_mixture_could_score_and_says_where_its_criterion_is_least() -> None:
    mixtures = pd.DataFrame(
        [("gaussian_mixture", k, bic) for k, bic in ((3, 900.0), (4, 800.0), (5, nan))],
        columns=["algorithm", "k", "bic"],
    )
    candidates = pd.concat(
        [evidence(splits_with_valleys=NO_VALLEYS, **STABLE), mixtures], ignore_index=True
    )
    _, reasons = chosen(candidates)
    plain = "evidence only: K-means makes the segments"
    assert {k: reasons["gaussian_mixture", k] for k in (3, 4, 5)} == {
        3: plain,
        4: f"{plain}; of the mixtures this has the least BIC",
        5: plain,
    }


def test_a_smaller_k_with_valleys_and_one_that_was_not_tested_say_so() -> None:
    choice, reasons = chosen(evidence(splits_with_valleys={3: 20, 4: 20}, **STABLE))
    assert choice == Choice(4, "valleys", NATURAL_GROUPS)
    assert reasons["kmeans", 3] == (
        "all pairs have a valley between them too, but k = 4 finds more groups"
    )
    assert reasons["kmeans", 5] == "too few customers to look for valleys"


def test_without_valleys_the_largest_reproduced_k_is_chosen() -> None:
    choice, reasons = chosen(evidence(**STABLE))
    assert choice == Choice(4, "stability", REPRODUCIBLE_SEGMENTS)
    assert reasons["kmeans", 4] == (
        "k = 4 is the largest number of segments that resampling reproduces "
        "(least stable cluster 0.81, needs 0.75)"
    )
    assert reasons["kmeans", 3] == (
        "resampling reproduces it too, but k = 4 tells more customers apart"
    )
    assert reasons["kmeans", 5] == (
        "resampling does not reproduce it (least stable cluster 0.70, needs 0.75)"
    )


@pytest.mark.parametrize(
    "missed", [(0.74, 0.9, 0.2, 0.4), (0.9, 0.79, 0.2, 0.4), (0.9, 0.9, 0.019, 0.4)]
)
def test_each_limit_of_stability_counts(missed: tuple[float, float, float, float]) -> None:
    choice, _ = chosen(evidence(**STABLE | {"k4": missed}))
    assert choice.segment_count == 3


def test_if_nothing_is_reproduced_the_best_silhouette_is_chosen_and_says_so() -> None:
    unstable = {"k3": (0.5, 0.5, 0.2, 0.31), "k4": (0.5, 0.5, 0.2, 0.36)}
    choice, reasons = chosen(evidence(**unstable))
    assert choice == Choice(4, "silhouette", CONSTRUCTED_SEGMENTS)
    assert reasons["kmeans", 4] == (
        "resampling reproduces no number of segments in the range; "
        "k = 4 has the best silhouette (0.36)"
    )
    assert reasons["kmeans", 3] == (
        "resampling does not reproduce it (least stable cluster 0.50, needs 0.75;"
        " adjusted Rand index 0.50, needs 0.80), and its silhouette is 0.31"
    )


def test_a_fixed_segment_count_overrides_but_the_verdict_stays() -> None:
    natural = evidence(splits_with_valleys=NO_VALLEYS | {3: 20}, **STABLE)
    choice, reasons = chosen(natural, segment_count=5)
    assert choice == Choice(5, "segment_count", NATURAL_GROUPS)
    assert {reasons["kmeans", k] for k in (3, 4, 5)} == {"segment_count is set to 5"}


@pytest.mark.parametrize(
    ("segment_count", "verdict"),
    [(3, REPRODUCIBLE_SEGMENTS), (5, CONSTRUCTED_SEGMENTS), (12, CONSTRUCTED_SEGMENTS)],
)
def test_of_a_continuum_the_verdict_is_on_the_number_that_was_given(
    segment_count: int, verdict: str
) -> None:
    choice, _ = chosen(evidence(**STABLE), segment_count=segment_count)
    assert choice == Choice(segment_count, "segment_count", verdict)


def test_thresholds_are_the_callers() -> None:
    lenient = replace(THRESHOLDS, min_bootstrap_jaccard=0.7)
    assert choose_segment_count(evidence(lenient, **STABLE), lenient).segment_count == 5
    strict = replace(THRESHOLDS, max_valley_p_value=0.04)
    natural = evidence(splits_with_valleys={3: 11, 4: 12}, **STABLE)
    assert choose_segment_count(natural, strict).chosen_by == "stability"


def test_no_kmeans_candidate_is_an_error() -> None:
    with pytest.raises(ValueError, match="no K-means candidate"):
        choose_segment_count(evidence(), THRESHOLDS)


# ---- The rule, on real evidence: measured in full, and no more than it takes

KS = range(2, 7)
STRICT = replace(THRESHOLDS, min_bootstrap_jaccard=0.999)

CORNERS = [[0, 0, 0], [8, 0, 0], [0, 8, 0], [0, 0, 8]]
GROUPS = make_blobs(400, centers=CORNERS, random_state=1)[0]
ELONGATED = np.random.default_rng(1).normal(size=(400, 2)) * [4, 1]
SQUARE = np.random.default_rng(1).uniform(size=(400, 2))
ALIKE = np.zeros((40, 2))


@pytest.mark.parametrize(
    ("points", "thresholds", "decided"),
    [
        (GROUPS, THRESHOLDS, (4, "valleys")),
        (ELONGATED, THRESHOLDS, (3, "stability")),
        (SQUARE, STRICT, (4, "silhouette")),
        (ALIKE, THRESHOLDS, (2, "range")),
    ],
    ids=["groups", "continuum", "silhouette", "too few"],
)
def test_the_quick_choice_is_that_of_the_table(
    points: np.ndarray, thresholds: Thresholds, decided: tuple[int, str]
) -> None:
    table = score_candidates(points, KS, random_seed=1, num_bootstraps=10)
    table["is_reproduced"] = thresholds.are_reached(table)
    valleys = valleys_by_k(
        points, KS, random_seed=1, max_valley_p_value=thresholds.max_valley_p_value
    )
    table = table.merge(valleys.assign(algorithm="kmeans"), how="left", on=["algorithm", "k"])
    choice, reasons = chosen(table)
    assert (choice.segment_count, choice.chosen_by) == decided
    assert all(reasons.values())
    quick = quick_choice(points, KS, random_seed=1, num_bootstraps=10, thresholds=thresholds)
    assert quick == decided


def test_a_lone_customer_is_no_segment_and_need_not_be_seen() -> None:
    # The silhouette is of 500 customers, which leave the one far away out now and then.
    lone = np.vstack([np.random.default_rng(1).normal(size=(600, 2)), [[1000, 1000]]])
    decided = {
        quick_choice(lone, range(2, 3), random_seed=seed, num_bootstraps=3, thresholds=THRESHOLDS)
        for seed in range(12)
    }
    assert decided == {(2, "silhouette"), (2, "range")}


def test_no_valley_is_looked_for_where_a_part_of_the_customers_is_too_few() -> None:
    few = np.random.default_rng(1).normal(size=(7, 2))
    quick = quick_choice(few, range(4, 7), random_seed=1, num_bootstraps=3, thresholds=STRICT)
    assert quick[1] == "silhouette"


def resampled(**settings: int) -> dict[int, float]:
    calls = resampling_calls(GROUPS, KS, random_seed=1, thresholds=THRESHOLDS, **settings)
    return shares_of(KS, calls)


@pytest.mark.parametrize(("asked", "made"), [(3, 3), (100, MAX_BOOTSTRAPS)])
def test_a_resample_has_no_more_bootstraps_and_splits_than_asked_for_and_than_the_limits(
    asked: int, made: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = []

    def noted(
        points: np.ndarray, ks: range, *, num_bootstraps: int, num_splits: int, **_: object
    ) -> object:
        numbers.append((num_bootstraps, num_splits))
        return ks[0], "stability"

    monkeypatch.setattr(resampling, "quick_choice", noted)
    monkeypatch.setenv(PROCESSES, "1")
    resampled(num_resamples=2, num_bootstraps=asked)
    assert numbers == [(made, SPLITS_OF_A_RESAMPLE)] * 2


def test_planted_groups_are_chosen_whoever_is_in_the_sample() -> None:
    shares = resampled(num_resamples=3, num_bootstraps=10)
    assert shares == {2: 0, 3: 0, 4: 1, 5: 0, 6: 0}


def test_without_resamples_there_is_no_share() -> None:
    shares = resampled(num_resamples=0, num_bootstraps=10)
    assert np.isnan(list(shares.values())).all()
