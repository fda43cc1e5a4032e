"""K-means within lifecycle stages: who is in which, how clusters are shared out, what is kept."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import THRESHOLDS
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score

from customer_segmentation.candidates import Stages, score_candidates
from customer_segmentation.choice import (
    CONSTRUCTED_SEGMENTS,
    NATURAL_GROUPS,
    REPRODUCIBLE_SEGMENTS,
    Choice,
    Thresholds,
    choose_in_stages,
    explain_choice,
)
from customer_segmentation.evidence import find_boundaries, weigh_candidates
from customer_segmentation.features import describe_feature_sets
from customer_segmentation.fitting import Fit, fit_version
from customer_segmentation.identity import match_clusters
from customer_segmentation.schemas import VALLEYS
from customer_segmentation.stages import (
    EVERY_STAGE,
    EVERYBODY,
    IN_STAGES,
    Divisions,
    allocate,
    allocations,
    divided,
    inherited_allocation,
    joined_stages,
    labels_in_stages,
    members_by_stage,
    silhouette_in_stages,
    stages_of_their_own,
)
from customer_segmentation.versions import why_allocated_anew

JOINS = {
    "new": ["cooling", "lapsed", "active"],
    "active": ["cooling", "lapsed", "new"],
    "cooling": ["lapsed", "active", "new"],
    "lapsed": ["cooling", "active", "new"],
    "unknown": ["cooling", "lapsed", "active", "new"],
}


def hills(*middles: tuple[float, float], size: int = 100) -> np.ndarray:
    rng = np.random.default_rng(len(middles))
    return np.concatenate([rng.normal(middle, 0.3, (size, 2)) for middle in middles])


def stage_names(**sizes: int) -> np.ndarray:
    return np.repeat(list(sizes), list(sizes.values())).astype(object)


def divisions_of(points: np.ndarray, stages: np.ndarray, **options: Any) -> Divisions:
    members = members_by_stage(stages, list(JOINS))
    return Divisions(points, members, random_seed=1, **{"total_position": 0} | options)


def test_small_stages_join_the_first_that_there_is() -> None:
    lifecycle = pd.Series(stage_names(new=1, active=60, lapsed=38, unknown=1))
    own = stages_of_their_own(lifecycle, JOINS, 0.02)
    assert own == ["active", "lapsed"]
    joined = pd.Series(joined_stages(lifecycle, JOINS, own))
    assert joined.groupby(lifecycle).unique().map(list).to_dict() == {
        "active": ["active"], "lapsed": ["lapsed"], "new": ["lapsed"], "unknown": ["lapsed"],
    }  # fmt: skip


def test_a_stage_of_exactly_the_share_stands_alone_and_the_largest_always() -> None:
    lifecycle = pd.Series(stage_names(new=2, active=98))
    assert stages_of_their_own(lifecycle, JOINS, 0.02) == ["new", "active"]
    assert stages_of_their_own(lifecycle, JOINS, 1.0) == ["active"]
    assert stages_of_their_own(pd.Series(["unknown"] * 5), JOINS, 0.02) == []


def test_everybody_as_one_stage_is_plain_kmeans() -> None:
    points = hills((0, 0), (3, 1), (1, 5))
    divisions = Divisions(points, {EVERYBODY: np.arange(len(points))}, random_seed=7)
    found = divisions.at(EVERYBODY, 3)
    assert found is not None
    direct = KMeans(3, n_init=10, random_state=7).fit(points)
    expected = sorted(direct.cluster_centers_.tolist())
    np.testing.assert_allclose(found.centroids, expected, atol=1e-9)
    assert found.inertia == pytest.approx(direct.inertia_)
    assert found.smallest_share == pytest.approx(1 / 3)


def test_the_division_that_lowers_the_inertia_most_comes_first() -> None:
    points = hills((0, 0), (8, 0), (0, 0), (0, 2))
    divisions = divisions_of(points, stage_names(active=200, lapsed=200))
    found = list(allocations(divisions, 5, 0.02))
    assert found[:3] == [
        {"active": 1, "lapsed": 1},
        {"active": 2, "lapsed": 1},
        {"active": 2, "lapsed": 2},
    ]
    assert sum(found[-1].values()) == 5


def test_a_division_with_too_small_a_part_looks_at_the_total_alone() -> None:
    rng = np.random.default_rng(3)
    # Five customers of very many orders: K-means takes them for a cluster.
    points = np.column_stack([rng.normal(0, 1, 400), np.zeros(400)])
    points[:5, 1] = 100
    divisions = divisions_of(points, stage_names(active=400))
    whole = divisions.at("active", 2)
    assert whole is not None
    assert whole.smallest_share == 5 / 400
    assert allocate(divisions, 2, 0.02, is_given=False) == {"active": 2}
    parts = divided(divisions, {"active": 2}, 0.02)
    assert parts is not None
    assert np.isnan(parts["active"].centroids[:, 1]).all()
    labels = labels_in_stages(points, divisions.members, parts)
    assert np.bincount(labels).min() > 100
    cut = parts["active"].centroids[:, 0].mean()
    assert ((points[:, 0] > cut) == (labels == labels[points[:, 0].argmax()])).all()


def test_where_nothing_can_be_divided_a_given_number_is_made_all_the_same() -> None:
    points = np.zeros((100, 2))
    points[0] = 5
    divisions = divisions_of(points, stage_names(active=100))
    assert allocate(divisions, 2, 0.02, is_given=False) is None
    assert allocate(divisions, 2, 0.02, is_given=True) == {"active": 2}
    assert allocate(divisions, 3, 0.02, is_given=True) is None


def test_weights_are_customers_drawn_so_often() -> None:
    points = hills((0, 0), (4, 0), size=40)
    stages = stage_names(active=80)
    weights = np.random.default_rng(0).integers(0, 4, 80)
    drawn = divisions_of(points, stages, weights=weights).at("active", 2)
    repeated = np.repeat(np.arange(80), weights)
    again = divisions_of(points[repeated], stages[repeated]).at("active", 2)
    assert drawn is not None
    assert again is not None
    np.testing.assert_allclose(drawn.centroids, again.centroids, atol=1e-9)
    assert drawn.inertia == pytest.approx(again.inertia)
    assert drawn.smallest_share == pytest.approx(again.smallest_share)


def test_silhouettes_are_those_within_the_stages() -> None:
    points = hills((0, 0), (2, 0), (0, 0.5))
    stages = stage_names(active=200, lapsed=100)
    members = members_by_stage(stages, list(JOINS))
    labels = np.repeat([0, 1, 2], 100)
    alone = silhouette_score(points[:200], labels[:200])
    assert silhouette_in_stages(points, labels, members) == pytest.approx(alone)
    one_each = np.where(stages == "active", 0, 1)
    assert np.isnan(silhouette_in_stages(points, one_each, members))


def staged(points: np.ndarray, stages: np.ndarray, ks: range, **options: Any) -> Stages:
    members = members_by_stage(stages, list(JOINS))
    return Stages(points, members, ks, 0.02, **{"total_position": 0} | options)


PLANTED = hills((0, 0), (4, 0), (0, 0), (4, 0), (0, 4))
PLANTED_STAGES = stage_names(active=200, lapsed=300)


def test_planted_hills_in_stages_are_found_and_reproduced() -> None:
    of_stages = staged(PLANTED, PLANTED_STAGES, range(4, 7))
    scores = score_candidates(
        PLANTED, range(3, 7), random_seed=1, num_bootstraps=10, stages=of_stages
    )
    rows = scores[scores["algorithm"] == IN_STAGES].set_index("k")
    assert rows.index.tolist() == [4, 5, 6]
    assert json.loads(rows.loc[5, "allocation"]) == {"active": 2, "lapsed": 3}
    assert rows["silhouette"].idxmax() == 5
    assert rows.loc[5, "bootstrap_jaccard"] > 0.99
    assert rows.loc[5, "smallest_cluster_share"] == 0.2
    assert rows.loc[6, "bootstrap_jaccard"] < 0.95
    assert (rows["agreement_with_stages"] == 1).all()
    others = scores[scores["algorithm"] == "ward"].set_index("k")
    assert others["agreement_with_stages"].notna().tolist() == [False, True, True, True]
    assert others["agreement_with_kmeans"].notna().all()


def test_an_inherited_allocation_is_kept_by_the_bootstraps_too() -> None:
    wrong = {"active": 3, "lapsed": 2}
    fresh = staged(PLANTED, PLANTED_STAGES, range(4, 7))
    kept = staged(PLANTED, PLANTED_STAGES, range(4, 7), inherited=wrong)
    assert kept.inherited_k == 5
    divisions = kept.divisions(random_seed=1)
    assert kept.shared_out(divisions)[5] == wrong
    assert kept.shared_out(divisions)[4] == fresh.shared_out(divisions)[4]
    weights = np.random.default_rng(5).integers(0, 3, len(PLANTED))
    resampled = kept.divisions(random_seed=2, weights=weights)
    assert kept.shared_out(resampled, always=True)[5] == wrong
    assert fresh.shared_out(resampled, always=True)[5] != wrong


def test_what_the_version_before_had_is_inherited_for_the_stages_that_there_are() -> None:
    before = {"active": 3, "lapsed": 2}
    assert inherited_allocation(before, ["active", "lapsed"]) == before
    assert inherited_allocation(before, ["new", "active"]) == {"new": 1, "active": 3}
    assert inherited_allocation({EVERYBODY: 4}, ["active"]) is None
    assert inherited_allocation(None, ["active"]) is None


def evidence(**jaccard: float) -> pd.DataFrame:
    """Staged candidates by k with their least Jaccard, all else well."""
    return pd.DataFrame(
        {
            "algorithm": IN_STAGES,
            "k": [int(name[1:]) for name in jaccard],
            "allocation": [json.dumps({"active": int(name[1:])}) for name in jaccard],
            "silhouette": 0.5,
            "bootstrap_jaccard": list(jaccard.values()),
            "bootstrap_adjusted_rand": 0.9,
            "smallest_cluster_share": 0.1,
        }
    )


def chosen(candidates: pd.DataFrame, inherited_k: int | None = None) -> Choice:
    rows = candidates.assign(is_reproduced=THRESHOLDS.are_reached(candidates))
    everybody = Choice(4, "stability", REPRODUCIBLE_SEGMENTS)
    found = choose_in_stages(rows, everybody, THRESHOLDS, inherited_k=inherited_k)
    assert found is not None
    return found


def test_the_largest_reproduced_number_is_taken_without_a_version_before() -> None:
    choice = chosen(evidence(k6=0.9, k7=0.76, k8=0.7))
    assert (choice.segment_count, choice.chosen_by, choice.algorithm) == (7, "stability", IN_STAGES)


@pytest.mark.parametrize(("least_stable", "kept"), [(0.74, True), (0.61, True), (0.59, False)])
def test_a_refit_keeps_its_number_until_resampling_clearly_finds_it_no_more(
    least_stable: float, kept: bool
) -> None:
    candidates = evidence(k6=0.9, k7=least_stable)
    choice = chosen(candidates, inherited_k=7)
    assert choice.segment_count == (7 if kept else 6)
    assert choice.chosen_by == ("kept" if kept else "stability")
    reasons = explain_choice(choice, candidates, THRESHOLDS)
    if kept:
        assert "as in the version before" in reasons[1]
    else:
        assert "not 7 as before: least stable cluster 0.59, needs 0.60" in reasons[0]


def test_a_given_number_is_taken_and_one_that_cannot_be_formed_is_none() -> None:
    rows = evidence(k6=0.9).assign(is_reproduced=True)
    given = Choice(6, "segment_count", CONSTRUCTED_SEGMENTS)
    assert choose_in_stages(rows, given, THRESHOLDS) == Choice(
        6, "segment_count", REPRODUCIBLE_SEGMENTS, IN_STAGES
    )
    assert choose_in_stages(rows, replace(given, segment_count=9), THRESHOLDS) is None


@pytest.mark.parametrize(
    ("jaccard", "inherited_k", "verdict"),
    [
        ({"k6": 0.9, "k7": 0.7}, None, REPRODUCIBLE_SEGMENTS),
        ({"k6": 0.7, "k7": 0.7}, None, CONSTRUCTED_SEGMENTS),
        ({"k6": 0.9, "k7": 0.7}, 7, CONSTRUCTED_SEGMENTS),
        ({"k6": 0.9, "k7": 0.8}, 7, REPRODUCIBLE_SEGMENTS),
    ],
)
def test_in_stages_the_verdict_is_on_their_own_number(
    jaccard: dict[str, float], inherited_k: int | None, verdict: str
) -> None:
    rows = evidence(**jaccard).assign(is_reproduced=[each >= 0.75 for each in jaccard.values()])
    for of_everybody in (REPRODUCIBLE_SEGMENTS, CONSTRUCTED_SEGMENTS, NATURAL_GROUPS):
        choice = choose_in_stages(
            rows, Choice(4, "stability", of_everybody), THRESHOLDS, inherited_k=inherited_k
        )
        assert choice is not None
        expected = of_everybody if of_everybody == NATURAL_GROUPS else verdict
        assert choice.verdict == expected


def test_the_larger_part_of_a_split_and_of_a_merger_keeps_the_id() -> None:
    before = np.repeat([0, 1], [100, 60])
    ids = np.array([4, 9])
    split = np.repeat([0, 1, 2], [55, 45, 60])
    found = match_clusters(split, before, ids, 9)
    assert found["cluster_id"].tolist() == [4, 10, 9]
    assert found["parents"].tolist() == ["4", "4", "9"]
    merged = match_clusters(np.zeros(160, dtype=int), before, ids, 9)
    assert merged["cluster_id"].tolist() == [4]
    assert merged["parents"].tolist() == ["4,9"]


def test_half_of_either_side_is_enough() -> None:
    # A cluster of 60 that was one of 200 goes on, if no larger part of that one does.
    before = np.repeat([0, 1], [200, 40])
    labels = np.concatenate([np.repeat([0, 1, 2, 3], [60, 50, 45, 45]), np.repeat(1, 40)])
    found = match_clusters(labels, before, np.array([1, 2]), 2)
    assert found["cluster_id"][0] == 1
    assert found["overlap"][0] == pytest.approx(60 / 200)


def test_clusters_that_swap_less_than_half_of_their_customers_go_on() -> None:
    before = np.repeat([0, 1], 100)
    labels = np.concatenate([np.repeat([0, 1], [55, 45]), np.repeat([0, 1], [45, 55])])
    found = match_clusters(labels, before, np.array([1, 2]), 2)
    assert found["cluster_id"].tolist() == [1, 2]
    assert found["parents"].tolist() == ["1,2", "2,1"]


def test_ids_stay_within_their_stage_unless_one_fit_has_none() -> None:
    labels = np.repeat([0, 1], 50)
    same = match_clusters(
        labels, labels, np.array([1, 2]), 2,
        stages=["active", "lapsed"], previous_stages=["active", "cooling"],
    )  # fmt: skip
    assert same["cluster_id"].tolist() == [1, 3]
    plain = match_clusters(
        labels, labels, np.array([1, 2]), 2,
        stages=["active", "lapsed"], previous_stages=[EVERYBODY, EVERYBODY],
    )  # fmt: skip
    assert plain["cluster_id"].tolist() == [1, 2]


def versions(curve_version: int = 1, why: str = "refit", **settings: Any) -> pd.DataFrame:
    defaults = {"segment_count": "auto", "random_seed": 1}
    return pd.DataFrame(
        {
            "model_version": [1, 2],
            "purpose": "serves",
            "curve_version": [1, curve_version],
            "due_because": ["first build", why],
            "settings": [json.dumps(defaults), json.dumps(defaults | settings)],
        }
    )


def test_the_allocation_is_kept_with_the_curve_and_the_settings_that_decide_it() -> None:
    assert why_allocated_anew(versions(), 2) == ""
    assert why_allocated_anew(versions(random_seed=2), 2) == ""
    assert why_allocated_anew(versions(segmentation="auto"), 2) == ""
    assert why_allocated_anew(versions(segment_count=5), 2) == "segment_count has changed"
    anew = "the repurchase curve was measured anew"
    assert why_allocated_anew(versions(2, "refit, the curve too as asked"), 2) == anew
    assert why_allocated_anew(versions(2, "refit, the curve too as it was out of date"), 2) == ""
    assert why_allocated_anew(versions(), 1) == "this is the first fit"


def test_a_change_from_the_version_before_is_told_with_its_reason() -> None:
    sample = shop()
    first = row_selected(weighed(sample))
    allocation = json.loads(first["allocation"])
    assert "version before" not in first["reason"]
    kept = row_selected(weighed(sample, before=allocation, anew_because=""))
    assert json.loads(kept["allocation"]) == allocation
    assert "as in the version before" in kept["reason"]
    changed = "segment_count has changed"
    given = row_selected(
        weighed(sample, segment_count=7, before={"active": 2, "lapsed": 2}, anew_because=changed)
    )
    assert given["reason"].endswith(
        f"the version before had 2 active, 2 lapsed; shared out anew, as {changed}"
    )
    gone = row_selected(
        weighed(
            sample[sample["lifecycle_stage"] != "cooling"].reset_index(drop=True),
            before={"active": 2, "cooling": 1, "lapsed": 2},
            anew_because="",
        )
    )
    assert json.loads(gone["allocation"]) == {"active": 2, "lapsed": 2}
    assert gone["reason"].endswith("2 active, 1 cooling, 2 lapsed; cooling has come or gone")
    uneven = {"active": 1, "cooling": 1, "lapsed": 4}
    for why, is_kept in (("", True), ("the repurchase curve was measured anew", False)):
        rows = weighed(sample, before=uneven, anew_because=why)
        in_stages = rows[rows["algorithm"] == IN_STAGES].set_index("k")
        assert (json.loads(in_stages.loc[6, "allocation"]) == uneven) == is_kept
    plain = row_selected(weighed(sample, segmentation="plain", before={EVERYBODY: 3}))
    assert "version before" not in plain["reason"]


CANDIDATES = ["total_amount", "num_orders", "avg_order_value", "days_since_last_order"]

FEATURE_SETTINGS: dict[str, Any] = {
    "candidate_features": CANDIDATES,
    "selected_features": None,
    "feature_transforms": {},
    "feature_limits": {},
    "scaler": "standard",
    "max_skewness": 1,
    "max_variance_inflation": 10,
}


def shop(customers: int = 600) -> pd.DataFrame:
    """Customers without groups, their stage drawn beside what they bought."""
    rng = np.random.default_rng(11)
    orders = 1 + rng.geometric(0.4, customers)
    average = np.exp(rng.normal(4, 0.5, customers))
    return pd.DataFrame(
        {
            "customer_id": [f"c{i:04d}" for i in range(customers)],
            "total_amount": orders * average,
            "num_orders": orders,
            "avg_order_value": average,
            "days_since_last_order": rng.integers(1, 400, customers),
            "sample_position": np.arange(customers) + 1,
            "lifecycle_stage": rng.choice(["active", "cooling", "lapsed"], customers),
        }
    ).assign(previous_lifecycle_stage=lambda rows: rows["lifecycle_stage"])


NO_FEATURES = pd.DataFrame({"stage": [], "feature": [], "transform": []})


def features(sample: pd.DataFrame, segmentation: str = "auto", **changes: Any) -> pd.DataFrame:
    return describe_feature_sets(
        sample, segmentation=segmentation, before=NO_FEATURES, **FEATURE_SETTINGS | changes
    )


def selected(rows: pd.DataFrame, stage: str) -> dict[str, str]:
    of_stage = rows[(rows["stage"] == stage) & rows["is_selected"]]
    return dict(zip(of_stage["feature"], of_stage["transform"], strict=True))


def test_within_stages_total_and_orders_are_looked_at_and_logged() -> None:
    rows = features(shop())
    assert selected(rows, EVERY_STAGE) == {"total_amount": "log1p", "num_orders": "log1p"}
    assert selected(rows, EVERYBODY)["days_since_last_order"] == "none"
    plain = features(shop(), "plain")
    pd.testing.assert_frame_equal(plain, rows[rows["stage"] == EVERYBODY])


def test_own_features_stand_within_stages_and_named_ones_hold_as_given() -> None:
    sample = shop().assign(
        num_categories=lambda rows: np.arange(len(rows)) % 7, twice=lambda r: 2 * r["total_amount"]
    )
    candidates = [*CANDIDATES, "num_categories", "twice"]
    rows = features(sample, candidate_features=candidates)
    assert list(selected(rows, EVERY_STAGE)) == ["total_amount", "num_orders", "num_categories"]
    named = features(sample, selected_features=["num_orders", "days_since_last_order"])
    assert selected(named, EVERY_STAGE) == {"num_orders": "log1p", "days_since_last_order": "log1p"}


def test_without_a_known_stage_there_is_one_set_of_features() -> None:
    assert set(features(shop().assign(lifecycle_stage="unknown"))["stage"]) == {EVERYBODY}


def weighed(sample: pd.DataFrame, **changes: Any) -> pd.DataFrame:
    settings: dict[str, Any] = {
        "segmentation": "auto",
        "joins": JOINS,
        "before": {},
        "anew_because": "this is the first fit",
        "segment_count": "auto",
        "segment_count_range": [3, 7],
        "evidence_sample_size": 2000,
        "thresholds": {name: getattr(THRESHOLDS, name) for name in Thresholds.__annotations__},
        "num_bootstraps": 5,
        "num_resamples": 2,
        "random_seed": 1,
    }
    segmentation = changes.get("segmentation", "auto")
    return weigh_candidates(sample, features(sample, segmentation), **settings | changes)


def row_selected(rows: pd.DataFrame) -> pd.Series:
    (found,) = (row for _, row in rows[rows["is_selected"]].iterrows())
    return found


def test_a_continuum_is_served_in_stages_from_two_more_than_there_are() -> None:
    rows = weighed(shop())
    assert set(rows["verdict"]) == {
        REPRODUCIBLE_SEGMENTS if row_selected(rows)["is_reproduced"] else CONSTRUCTED_SEGMENTS
    }
    in_stages = rows[rows["algorithm"] == IN_STAGES]
    assert in_stages["k"].tolist() == [5, 6, 7]
    assert row_selected(rows)["algorithm"] == IN_STAGES
    assert in_stages["resampling_share"].sum() == pytest.approx(1)
    # Those who ordered equally often are no group: densities are those of jittered points.
    hdbscan = rows[rows["algorithm"] == "hdbscan"].iloc[0]
    assert hdbscan["noise_share"] > 0.5
    is_kmeans = rows["algorithm"] == "kmeans"
    for figure in VALLEYS:
        assert (rows[figure].notna() == is_kmeans).all(), figure


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"segment_count": 2}, "not in stages, since there are 3 of them and segment_count 2"),
        (
            {"segment_count_range": [2, 2]},
            "not in stages, since there are 3 of them and segment_count_range up to 2",
        ),
    ],
)
def test_fewer_segments_than_stages_are_plain_kmeans_and_say_so(
    changes: dict[str, Any], why: str
) -> None:
    row = row_selected(weighed(shop(), **changes))
    assert row["algorithm"] == "kmeans"
    assert why in row["reason"]


def test_without_a_curve_it_is_plain_kmeans_and_says_so() -> None:
    row = row_selected(weighed(shop().assign(lifecycle_stage="unknown")))
    assert row["algorithm"] == "kmeans"
    assert "not in stages, as there is no repurchase curve" in row["reason"]


def test_plain_is_plain_and_stages_are_stages() -> None:
    plain = weighed(shop(), segmentation="plain")
    assert IN_STAGES not in set(plain["algorithm"])
    grouped = shop(400)
    far = grouped["num_orders"] > 2
    grouped.loc[far, ["total_amount", "num_orders", "avg_order_value"]] *= 40
    grouped["days_since_last_order"] = 100
    rows = weighed(grouped, segment_count_range=[2, 5])
    assert set(rows["verdict"]) == {"natural groups"}
    assert row_selected(rows)["algorithm"] == "kmeans"
    in_stages = weighed(grouped, segment_count_range=[2, 5], segmentation="stages")
    assert row_selected(in_stages)["algorithm"] == IN_STAGES


def test_a_fit_in_stages_scores_within_them_and_a_refit_keeps_its_ids() -> None:
    sample = shop()
    described = features(sample)
    both = pd.concat([described.assign(model_version=version) for version in (1, 2)])
    candidates = weighed(sample, segment_count=6)
    of_both = pd.concat([candidates.assign(model_version=version) for version in (1, 2)])
    chosen_rows = of_both[of_both["is_selected"]]
    settings: dict[str, Any] = {"joins": JOINS, "random_seed": 1, "min_segment_share": 0.02}
    nothing = pd.DataFrame(columns=["model_version", "stage", "cluster_id", "feature", "centroid"])
    first = fit_version(1, sample, both, nothing, chosen_rows, **settings).assign(model_version=1)
    ids = Fit(first, described, JOINS).score(sample, sample["lifecycle_stage"])
    stage_of = first.drop_duplicates("cluster_id").set_index("cluster_id")["stage"]
    assert (stage_of[ids].to_numpy() == sample["lifecycle_stage"]).all()
    assert first["cluster_id"].unique().tolist() == [1, 2, 3, 4, 5, 6]
    shares = first.drop_duplicates("cluster_id").set_index("cluster_id")["share_at_fit"]
    np.testing.assert_allclose(shares, np.bincount(ids)[1:] / len(ids), atol=1e-9)
    again = fit_version(2, sample, both, first, chosen_rows, **settings)
    assert (again["overlap"] == 1).all()
    assert again["cluster_id"].tolist() == first["cluster_id"].tolist()

    boundaries = find_boundaries(
        sample, described, first,
        joins=JOINS, evidence_sample_size=2000, max_valley_p_value=0.05, random_seed=1,
    )  # fmt: skip
    clusters = stage_of.groupby(stage_of).size()
    assert len(boundaries) == (clusters * (clusters - 1) / 2).sum()
    assert (stage_of[boundaries["cluster_id"]].to_numpy() == boundaries["stage"]).all()
    assert (stage_of[boundaries["other_cluster_id"]].to_numpy() == boundaries["stage"]).all()
