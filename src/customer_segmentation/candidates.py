"""The evidence for each number of segments: several algorithms on one sample, scored alike."""

from __future__ import annotations

import json
import math
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product

import numpy as np
import pandas as pd
from kneed import KneeLocator
from sklearn.cluster import DBSCAN, HDBSCAN, AgglomerativeClustering
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import (
    adjusted_rand_score,
    calinski_harabasz_score,
    davies_bouldin_score,
    silhouette_score,
)
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from customer_segmentation.agreement import contingency
from customer_segmentation.kmeans import REFIT_RESTARTS, fit_kmeans, within_squares
from customer_segmentation.schemas import SCORES
from customer_segmentation.stability import (
    Stability,
    Tally,
    bootstrap_stability,
    prediction_strength,
)
from customer_segmentation.stages import (
    IN_STAGES,
    Allocation,
    Division,
    Divisions,
    allocate,
    allocations,
    divided,
    labels_in_stages,
    silhouette_in_stages,
)


@dataclass(frozen=True)
class Customers:
    """What the algorithms beside K-means are given: customers as points, scaled."""

    points: np.ndarray
    """Shape (customers, features)."""
    jittered_points: np.ndarray
    """The same with whole numbers spread over their step (``features.jittered``), for algorithms
    that estimate a density: customers who tie have an infinite one."""
    random_seed: int


@dataclass(frozen=True)
class Clustering:
    """What an algorithm found."""

    labels: np.ndarray
    """Each customer's cluster from 0, shape (customers,); -1 for customers in none."""
    scores: dict[str, float] = field(default_factory=dict)
    """Columns of ``SCORES`` that only this algorithm knows."""


def ward(customers: Customers, k: int) -> Clustering:
    """Ward's hierarchical clustering (1963), cut at ``k`` clusters."""
    return Clustering(AgglomerativeClustering(k, linkage="ward").fit_predict(customers.points))


MIXTURE_STARTS = 3
"""K-means starts of a mixture, of which the likeliest end is kept. With other seeds the least BIC
still moves by one k on both example shops: k = 7 with six of eight and 6 with two, where six groups
were planted (the jitter of a logged 1 is no Gaussian), and 4 with seven of eight, where none was.
Five starts, in more than half again the time, are no surer."""

LEAST_VARIANCE = 0.001
"""Added to the variances of a mixture's components, in those of the features: 0.03 standard
deviations is the narrowest. Jitter leaves amounts that many customers share (everybody bought the
one product), and a component that shrinks onto them would have an infinite likelihood."""


def gaussian_mixture(customers: Customers, k: int) -> Clustering:
    """Mixture of ``k`` Gaussians with full covariances, fitted by EM; the likeliest component each.

    ``bic`` is Schwarz's criterion (1978), less is better. The features are standardised, whatever
    the scaler, so that ``LEAST_VARIANCE`` is what it says; and jittered, since of tied customers
    the criterion would measure how narrow a component may become.
    """
    points = StandardScaler().fit_transform(customers.jittered_points)
    mixture = GaussianMixture(
        k, n_init=MIXTURE_STARTS, reg_covar=LEAST_VARIANCE, random_state=customers.random_seed
    )
    with warnings.catch_warnings():
        # Where EM has not come to rest yet, the components are nearly what they would be.
        warnings.simplefilter("ignore", ConvergenceWarning)
        components = mixture.fit_predict(points)
    # A component that is nobody's likeliest is no cluster.
    labels = np.unique(components, return_inverse=True)[1]
    return Clustering(labels, {"bic": mixture.bic(points)})


OTHERS_BY_K: dict[str, Callable[[Customers, int], Clustering]] = {
    "ward": ward,
    "gaussian_mixture": gaussian_mixture,
}
"""Algorithms that are scored beside K-means for each k; the report draws whatever is here."""


def dbscan(customers: Customers) -> Clustering:
    """DBSCAN with ``min_samples`` of two per feature, at least 4 (Sander et al. 1998)."""
    points = customers.points
    neighbours = max(4, 2 * points.shape[1])
    radius = dbscan_radius(points, neighbours)
    # eps must be positive; the least float still joins points that coincide.
    radius = max(radius, float(np.finfo(float).tiny))
    return Clustering(DBSCAN(eps=radius, min_samples=neighbours).fit_predict(points))


MIN_SHARE_OF_A_GROUP = 0.01
"""Fewer customers are no group for HDBSCAN: half of the usual ``min_segment_share``, so that it can
find what is too small for a segment."""


def hdbscan(customers: Customers) -> Clustering:
    """HDBSCAN (Campello, Moulavi and Sander 2013): groups of whatever density, the rest outside.

    ``min_cluster_size``, its one parameter, is ``MIN_SHARE_OF_A_GROUP``, at least 10 customers;
    ``min_samples`` is the same, as its authors have it. On jittered points, since each whole number
    that many customers share would be a group.
    """
    points = customers.jittered_points
    least = max(10, math.ceil(MIN_SHARE_OF_A_GROUP * len(points)))
    if len(points) < least:
        return Clustering(np.full(len(points), -1))
    return Clustering(HDBSCAN(min_cluster_size=least, copy=True).fit_predict(points))


OTHERS: dict[str, Callable[[Customers], Clustering]] = {"dbscan": dbscan, "hdbscan": hdbscan}
"""Algorithms that find the number of clusters themselves."""


@dataclass(frozen=True)
class Stages:
    """Customers of the evidence sample in their stages, and what is tried there."""

    points: np.ndarray
    """Scaled features within stages, shape (customers, features)."""
    members: Mapping[str, np.ndarray]
    """Row numbers by stage, in the order of the stages."""
    ks: range
    """Numbers of clusters, of all stages together."""
    min_share: float
    """No cluster has a smaller share of the customers, but for a ``given`` k."""
    total_position: int | None = None
    """Column of the total amount."""
    given: int | None = None
    """The k that was asked for, if one was."""
    inherited: Allocation | None = None
    """How the version before shared out the clusters, if it is to be kept."""

    @cached_property
    def inherited_k(self) -> int | None:
        """Clusters of the inherited allocation, where that is one of the ks."""
        k = sum(self.inherited.values()) if self.inherited else None
        return k if k in self.ks else None

    def divisions(
        self, *, random_seed: int, weights: np.ndarray | None = None, restarts: int | None = None
    ) -> Divisions:
        """Divisions of these customers, or of a resample of them."""
        return Divisions(
            self.points,
            self.members,
            random_seed=random_seed,
            weights=weights,
            total_position=self.total_position,
            **({} if restarts is None else {"restarts": restarts}),
        )

    def shared_out(self, divisions: Divisions, *, always: bool = False) -> dict[int, Allocation]:
        """Allocation of each k that can be formed; ``always`` takes the nearest to it instead."""
        path = {
            sum(each.values()): each
            for each in allocations(divisions, max(self.ks), self.min_share)
        }
        found = {k: path[k] for k in self.ks if k in path}
        if self.given is not None and self.given not in found:
            forced = allocate(divisions, self.given, self.min_share, is_given=True)
            found |= {} if forced is None else {self.given: forced}
        if self.inherited is not None and self.inherited_k is not None:
            found[self.inherited_k] = self.inherited
        if always:
            found = {k: found.get(k, path[max(path)]) for k in self.ks}
        return found

    def labels(
        self, divisions: Divisions, allocation: Allocation
    ) -> tuple[np.ndarray, dict[str, Division]] | None:
        """Cluster of every customer and the divided stages; None where a stage can't be divided."""
        parts = divided(divisions, allocation, self.min_share)
        return (
            None if parts is None else (labels_in_stages(self.points, self.members, parts), parts)
        )

    def stability(
        self,
        labels: Mapping[int, np.ndarray],
        *,
        random_seed: int,
        num_bootstraps: int,
        weights: np.ndarray | None = None,
    ) -> dict[int, Stability]:
        """``bootstrap_stability`` of each k at once: stages kept, allocation and centroids anew.

        An inherited allocation is kept, as the fit would keep it.
        """
        customers = len(self.points)
        counted = np.ones(customers, dtype=np.int64) if weights is None else weights
        rng = np.random.default_rng([random_seed, 2007])
        tallies = {k: Tally(int(own.max()) + 1, num_bootstraps) for k, own in labels.items()}
        for _ in range(num_bootstraps):
            drawn = rng.multinomial(int(counted.sum()), counted / counted.sum())
            divisions = self.divisions(
                random_seed=int(rng.integers(2**31)), weights=drawn, restarts=REFIT_RESTARTS
            )
            again = self.shared_out(divisions, always=True)
            for k, own in labels.items():
                found = self.labels(divisions, again[k])
                tallies[k].add(None if found is None else contingency(own, found[0], counted))
        return {k: tally.stability for k, tally in tallies.items()}


def score_candidates(
    points: np.ndarray,
    ks: range,
    *,
    random_seed: int,
    num_bootstraps: int,
    jittered_points: np.ndarray | None = None,
    stages: Stages | None = None,
) -> pd.DataFrame:
    """Score K-means, ``OTHERS_BY_K``, ``OTHERS`` and K-means in stages on the evidence sample.

    ``points`` are scaled features, shape (customers, features), sorted by customer; equal points in
    equal order give equal figures. ``jittered_points`` are the same, jittered; None where no
    feature is a whole number. ``stages`` are the same customers in their stages.

    Returns a row for each k of K-means (``kmeans``), of ``OTHERS_BY_K`` and of K-means in stages
    (``kmeans_in_stages``), and one row of each of the ``OTHERS``, where k is the number of clusters
    that it found:

    - ``allocation``: clusters by stage, as JSON (kmeans_in_stages only);
    - ``inertia``: sum of squared distances to the cluster means (not for ``OTHERS``), in stages in
      their own feature space;
    - ``is_elbow``: knee of the inertia (Satopää et al., Kneedle, 2011), of K-means and in stages;
    - ``silhouette`` (Rousseeuw 1987), ``davies_bouldin`` (1979), ``calinski_harabasz`` (1974):
      of the customers in clusters, noise apart; in stages ``silhouette_in_stages`` only;
    - ``bootstrap_adjusted_rand``, ``bootstrap_jaccard``: ``bootstrap_stability`` and
      ``Stages.stability``, not for the others;
    - ``prediction_strength``: kmeans only;
    - ``smallest_cluster_share``: of the smallest cluster, in all customers;
    - ``agreement_with_kmeans``: adjusted Rand index with K-means at the same k, for ``OTHERS`` with
      the K-means most like it, of the customers in clusters;
    - ``agreement_with_stages``: the same with K-means in stages;
    - ``noise_share``: of the customers that ``OTHERS`` leave out, 0 for all else;
    - ``bic``: gaussian_mixture only;
    - ``seconds``: what the row took; the only figure that differs from run to run.

    What is undefined (one cluster, no fewer clusters than distinct points) is null. Figures are
    rounded to 12 decimals. Runs on one thread, since sums over several depend on their number.
    Raises ``ValueError`` for points that are not a table of finite numbers or ks below 2.
    """
    points = checked(points, ks)
    customers = Customers(
        points, points if jittered_points is None else checked(jittered_points, ks), random_seed
    )
    distinct = len(np.unique(points, axis=0))
    rows = []
    kmeans_labels: dict[int, np.ndarray] = {}
    in_stages: list[dict[str, object]] = []
    staged_labels: dict[int, np.ndarray] = {}
    with threadpool_limits(limits=1):
        if stages is not None:
            in_stages, staged_labels = score_stages(
                stages, random_seed=random_seed, num_bootstraps=num_bootstraps
            )
        for k in ks:
            start = time.perf_counter()
            row: dict[str, object] = {"algorithm": "kmeans", "k": k}
            if k < distinct:
                fit = fit_kmeans(points, k, random_seed)
                kmeans_labels[k] = fit.labels_
                stability = bootstrap_stability(
                    points, fit.labels_, random_seed=random_seed, num_bootstraps=num_bootstraps
                )
                row |= shape_scores(points, fit.labels_) | {
                    "inertia": fit.inertia_,
                    "bootstrap_adjusted_rand": stability.bootstrap_adjusted_rand,
                    "bootstrap_jaccard": stability.bootstrap_jaccard,
                    "prediction_strength": prediction_strength(points, k, random_seed=random_seed),
                    "agreement_with_kmeans": 1.0,
                    "agreement_with_stages": agreement(fit.labels_, staged_labels.get(k)),
                }
            rows.append(row | {"seconds": time.perf_counter() - start})
        for (algorithm, clustering_at), k in product(OTHERS_BY_K.items(), ks):
            start = time.perf_counter()
            row = {"algorithm": algorithm, "k": k}
            if k < distinct:
                found = clustering_at(customers, k)
                labels = found.labels
                row |= (
                    shape_scores(points, labels)
                    | found.scores
                    | {
                        "inertia": within_squares(points, labels),
                        "agreement_with_kmeans": adjusted_rand_score(labels, kmeans_labels[k]),
                        "agreement_with_stages": agreement(labels, staged_labels.get(k)),
                    }
                )
            rows.append(row | {"seconds": time.perf_counter() - start})
        for algorithm, clustering_of in OTHERS.items():
            start = time.perf_counter()
            labels = clustering_of(customers).labels
            k = int(labels.max()) + 1
            row = {"algorithm": algorithm, "k": k} | shape_scores(points, labels)
            clustered = labels >= 0
            for name, others in (("kmeans", kmeans_labels), ("stages", staged_labels)):
                if k >= 2 and others:
                    row[f"agreement_with_{name}"] = max(
                        adjusted_rand_score(labels[clustered], other[clustered])
                        for other in others.values()
                    )
            rows.append(row | {"seconds": time.perf_counter() - start})
    for staged in in_stages:
        k = int(str(staged["k"]))
        if k in staged_labels:
            staged["agreement_with_kmeans"] = agreement(staged_labels[k], kmeans_labels.get(k))
        rows.append(staged)
    frame = pd.DataFrame(rows, columns=list(SCORES))
    frame["is_elbow"] = False
    for algorithm in ("kmeans", IN_STAGES):
        of_it = frame["algorithm"] == algorithm
        frame["is_elbow"] |= of_it & (frame["k"] == elbow(frame[of_it]))
    frame["noise_share"] = frame["noise_share"].astype("float64").fillna(0.0)
    return frame.astype(SCORES).round(12)


def checked(points: np.ndarray, ks: range) -> np.ndarray:
    """``points`` as floats; raises ``ValueError`` where nothing can be scored."""
    points = np.asarray(points, dtype=float)
    if points.ndim != 2 or 0 in points.shape:
        raise ValueError(
            f"points must be a table of customers and features, got shape {points.shape}"
        )
    if not np.isfinite(points).all():
        raise ValueError("points must be finite numbers: some are null or infinite")
    if not ks or min(ks) < 2:
        raise ValueError(f"ks must be 2 or more, got {ks}")
    return points


def shape_scores(points: np.ndarray, labels: np.ndarray) -> dict[str, object]:
    """Scores of one clustering that need no other; ``labels`` from 0, -1 for noise.

    Silhouette, Davies-Bouldin and Calinski-Harabasz are missing for fewer than two clusters, and
    for as many clusters as points.
    """
    clustered = labels >= 0
    sizes = np.bincount(labels[clustered])
    scores: dict[str, object] = {"noise_share": 1 - clustered.mean()}
    if len(sizes):
        scores["smallest_cluster_share"] = sizes.min() / len(points)
    if 2 <= len(sizes) < clustered.sum():
        members, their_labels = points[clustered], labels[clustered]
        scores |= {
            "silhouette": silhouette_score(members, their_labels),
            "davies_bouldin": davies_bouldin_score(members, their_labels),
            "calinski_harabasz": calinski_harabasz_score(members, their_labels),
        }
    return scores


def knee(values: np.ndarray, *, curve: str, direction: str) -> int | None:
    """Position of the knee of a curve (Kneedle, 2011), or None for a curve without one."""
    if len(values) < 3 or np.ptp(values) == 0:
        return None
    with warnings.catch_warnings():
        # kneed warns where it finds none; the caller has an answer for that.
        warnings.simplefilter("ignore")
        found = KneeLocator(range(len(values)), values, curve=curve, direction=direction).knee
    return None if found is None else int(found)


def elbow(kmeans: pd.DataFrame) -> int | None:
    """Find the k at the elbow of the K-means inertia; needs three ks or more."""
    scored = kmeans.dropna(subset="inertia")
    position = knee(scored["inertia"].to_numpy(dtype=float), curve="convex", direction="decreasing")
    return None if position is None else int(scored["k"].iloc[position])


def dbscan_radius(points: np.ndarray, neighbours: int) -> float:
    """Find DBSCAN's eps: the knee of the sorted neighbour distances (Ester et al. 1996).

    Distances are to the n-th of ``neighbours``, a point being its own first, as in scikit-learn's
    ``min_samples``. 0 if most points are one; the largest distance if the curve has no knee.
    """
    neighbours = min(neighbours, len(points))
    distances = NearestNeighbors(n_neighbors=neighbours).fit(points).kneighbors(points)[0]
    ordered = np.sort(distances[:, -1])
    position = knee(ordered, curve="convex", direction="increasing")
    return float(ordered[-1 if position is None else position])


def score_stages(
    stages: Stages, *, random_seed: int, num_bootstraps: int
) -> tuple[list[dict[str, object]], dict[int, np.ndarray]]:
    """Score K-means in stages; rows as of ``score_candidates``, and the labels by k."""
    start = time.perf_counter()
    divisions = stages.divisions(random_seed=random_seed)
    shared_out = stages.shared_out(divisions)
    found = {k: stages.labels(divisions, allocation) for k, allocation in shared_out.items()}
    made = {k: each for k, each in found.items() if each is not None}
    labels = {k: each[0] for k, each in made.items()}
    stability = stages.stability(labels, random_seed=random_seed, num_bootstraps=num_bootstraps)
    rows: list[dict[str, object]] = []
    for k in stages.ks:
        row: dict[str, object] = {"algorithm": IN_STAGES, "k": k}
        if k in made:
            own, parts = made[k]
            row |= {
                "allocation": json.dumps(shared_out[k]),
                "inertia": sum(part.inertia for part in parts.values()),
                "silhouette": silhouette_in_stages(stages.points, own, stages.members),
                "bootstrap_adjusted_rand": stability[k].bootstrap_adjusted_rand,
                "bootstrap_jaccard": stability[k].bootstrap_jaccard,
                "smallest_cluster_share": np.bincount(own, minlength=k).min() / len(own),
                "agreement_with_stages": 1.0,
            }
        rows.append(row)
    seconds = (time.perf_counter() - start) / len(rows)
    return [row | {"seconds": seconds} for row in rows], labels


def agreement(labels: np.ndarray, others: np.ndarray | None) -> float:
    """Compute the adjusted Rand index of two clusterings; NaN where there is no other."""
    return float("nan") if others is None else float(adjusted_rand_score(labels, others))
