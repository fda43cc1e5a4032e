"""Cluster ids follow the customers, whatever numbers a fit gives its clusters."""

import numpy as np
import pytest

from customer_segmentation.agreement import contingency, jaccard_overlaps
from customer_segmentation.identity import match_clusters

PREVIOUS = np.repeat([0, 1, 2], [40, 30, 30])
IDS = np.array([5, 7, 8])


def test_renumbered_clusters_keep_their_ids() -> None:
    renumbered = np.choose(PREVIOUS, [2, 0, 1])
    matched = match_clusters(renumbered, PREVIOUS, IDS, largest_id=9)
    assert matched["cluster_id"].tolist() == [7, 8, 5]
    assert matched["overlap"].tolist() == [1, 1, 1]


def test_a_cluster_with_fewer_than_half_in_common_is_new() -> None:
    labels = PREVIOUS.copy()
    labels[0:25] = 3  # most of cluster 0 leaves for a cluster of its own
    matched = match_clusters(labels, PREVIOUS, IDS, largest_id=9)
    assert matched["cluster_id"].tolist() == [10, 7, 8, 5]
    assert matched["overlap"].round(3).tolist()[1:] == [1, 1, 0.625]
    assert np.isnan(matched["overlap"][0])


def test_an_id_is_never_used_again() -> None:
    matched = match_clusters(np.arange(100) % 4, PREVIOUS, IDS, largest_id=12)
    assert matched["cluster_id"].tolist() == [13, 14, 15, 16]


def test_fewer_clusters_than_before() -> None:
    merged = np.where(PREVIOUS == 2, 1, PREVIOUS)
    matched = match_clusters(merged, PREVIOUS, IDS, largest_id=9)
    assert matched["cluster_id"][0] == 5
    assert matched["cluster_id"][1] in (7, 8)
    assert matched["overlap"][1] == 0.5


def test_the_pairing_is_the_best_overall() -> None:
    overlaps = jaccard_overlaps(contingency(np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1])))
    assert overlaps == pytest.approx(np.array([[1 / 2, 1 / 4], [0, 2 / 3]]))
