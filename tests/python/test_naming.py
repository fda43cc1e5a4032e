"""Archetypes: the nearest ones overall, none twice, and none at any price."""

import pandas as pd
import pytest

from customer_segmentation.naming import match_archetypes

ARCHETYPES = pd.DataFrame(
    [
        ("loyal", "high", "high", "high"),
        ("lapsed", "low", "low", "low"),
        ("new", "high", "low", "low"),
        ("no_order", None, None, None),
    ],
    columns=["archetype", "recency", "frequency", "value"],
)


def clusters(*levels: tuple[float, float, float]) -> pd.DataFrame:
    frame = pd.DataFrame(levels, columns=["recency", "frequency", "value"])
    return frame.assign(cluster_id=range(1, len(frame) + 1))


def archetypes_of(frame: pd.DataFrame, archetype_max_distance: float = 0.25) -> list[str | None]:
    matched = match_archetypes(frame, ARCHETYPES, archetype_max_distance=archetype_max_distance)
    return [None if pd.isna(name) else name for name in matched["archetype"]]


def test_each_cluster_takes_what_it_resembles() -> None:
    assert archetypes_of(clusters((0.8, 0.9, 0.9), (0.1, 0.2, 0.2), (0.8, 0.1, 0.2))) == [
        "loyal",
        "lapsed",
        "new",
    ]


def test_no_archetype_is_given_twice() -> None:
    assert archetypes_of(clusters((0.80, 0.80, 0.80), (0.83, 0.83, 0.83))) == [None, "loyal"]


def test_a_cluster_like_none_stays_without() -> None:
    matched = match_archetypes(clusters((0.1, 0.9, 0.5)), ARCHETYPES, archetype_max_distance=0.25)
    assert matched["archetype"].isna().all()
    assert matched["distance"].isna().all()
    assert matched["archetype"].dtype == "string"


def test_the_distance_is_the_root_mean_square_over_the_levels() -> None:
    matched = match_archetypes(
        clusters((5 / 6, 5 / 6, 5 / 6 - 0.3)), ARCHETYPES, archetype_max_distance=0.25
    )
    assert matched["distance"].tolist() == pytest.approx([0.3 / 3**0.5], abs=1e-6)


def test_rows_without_levels_are_no_candidates() -> None:
    names = archetypes_of(clusters((0.9, 0.9, 0.9), (0.1, 0.1, 0.1), (0.9, 0.1, 0.1)), 1.0)
    assert "no_order" not in names


def test_more_clusters_than_archetypes() -> None:
    names = archetypes_of(clusters(*[(i / 20, i / 20, i / 20) for i in range(1, 20)]))
    assert sum(name is not None for name in names) == 2


def test_a_wrong_level_is_named() -> None:
    wrong = ARCHETYPES.replace({"recency": {"high": "hgih"}})
    with pytest.raises(ValueError, match="low, medium or high; they are not in loyal, new"):
        match_archetypes(clusters((0.5, 0.5, 0.5)), wrong, archetype_max_distance=0.25)
