"""The segmentation in a notebook: its tables as data frames, and a model that scores others."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from os import PathLike
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.spatial.distance import cdist
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import ColumnTransformer
from sklearn.neighbors import NearestCentroid
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from customer_segmentation.database import Database
from customer_segmentation.features import coordinates, winsorised
from customer_segmentation.fitting import centroid_table
from customer_segmentation.lifecycle import KNOWN, lifecycle_stages
from customer_segmentation.stages import EVERYBODY

STAGE = "stage"
"""A column of the pipeline: which of the clusterings scores the customer, from 0."""


@dataclass(frozen=True, eq=False)
class Scorers:
    """Which clustering scores whom: the stages, and how customers come to them."""

    stages: pd.Series = field(repr=False)
    """Stage by lifecycle stage, as in ``clustering.stages``."""
    curve: pd.DataFrame = field(repr=False)
    limits: dict[str, float] = field(repr=False)

    @property
    def names(self) -> list[str]:
        """Stages that have clusters."""
        return sorted(set(self.stages))

    @property
    def is_plain(self) -> bool:
        """Whether K-means was done on everybody."""
        return self.names == [EVERYBODY]

    def of(self, frame: pd.DataFrame) -> np.ndarray:
        """Position of each customer's stage in ``names``; parameters as ``Segmentation.score``."""
        if self.is_plain:
            return np.zeros(len(frame), dtype=np.int64)
        if "lifecycle_stage" in frame.columns:
            lifecycle = frame["lifecycle_stage"]
        else:
            missing = [name for name in KNOWN if name not in frame.columns]
            if missing:
                raise ValueError(
                    f"There is no column {', '.join(missing)}: the segments are made within"
                    f" lifecycle stages. Give lifecycle_stage, or {', '.join(KNOWN)}."
                )
            known = frame[list(KNOWN)].apply(pd.to_numeric, errors="coerce").astype("float64")
            lifecycle = lifecycle_stages(known, self.curve, self.limits)
        wrong = sorted({str(stage) for stage in lifecycle if stage not in self.stages.index})
        if wrong:
            raise ValueError(
                f"lifecycle_stage is one of {', '.join(self.stages.index)}, and not"
                f" {', '.join(wrong[:3])}."
            )
        return lifecycle.map(self.stages).map(self.names.index).to_numpy(dtype=np.int64)

    def placed(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Put the position of the stage beside the features."""
        return frame.assign(**{STAGE: self.of(frame)})


class NearestCentroidOfStage(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Nearest centroid among those of the stage, whose position is the last column of X."""

    def __init__(self, clusterings: list[tuple[np.ndarray, np.ndarray]]) -> None:
        """Take ids and centroids of each stage; NaN for a feature that it does not look at."""
        self.clusterings = clusterings
        self.classes_ = np.sort(np.concatenate([ids for ids, _ in clusterings]))

    def fit(self, X: object, y: object = None) -> NearestCentroidOfStage:
        """Do nothing: what there is to learn was given."""
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Cluster id of each row."""
        values = np.asarray(X, dtype=float)
        found = np.zeros(len(values), dtype=np.int64)
        for position, (ids, centroids) in enumerate(self.clusterings):
            rows = values[:, -1] == position
            if rows.any():
                found[rows] = ids[distances_to(values[rows, :-1], centroids).argmin(axis=1)]
        return found


def within_limits(frame: pd.DataFrame, features: pd.DataFrame) -> pd.DataFrame:
    """Winsorise the columns that are ``features``, rows of ``clustering_features``."""
    return frame.assign(
        **{
            str(row["feature"]): winsorised(
                frame[row["feature"]].to_numpy(dtype=float), row["lower_limit"], row["upper_limit"]
            )
            for row in features.to_dict("records")
        }
    )


def distances_to(points: np.ndarray, centroids: np.ndarray) -> np.ndarray:
    """Euclidean distances, shape (customers, clusters), in the features that are looked at."""
    looked_at = ~np.isnan(centroids[0])
    distances: np.ndarray = cdist(points[:, looked_at], centroids[:, looked_at])
    return distances


@dataclass(frozen=True, eq=False)
class Segmentation:
    """What a build found: its active version as a model, and its tables.

    The model is read once; ``segments`` and ``profiles`` are read when they are first asked for.
    """

    database: Path
    model_version: int
    features: pd.DataFrame = field(repr=False)
    """The selected features, as rows of ``clustering.clustering_features``."""
    centroids: pd.DataFrame = field(repr=False)
    """A row per cluster and selected feature: ``stage``, ``cluster_id``, ``feature``,
    ``centroid``."""
    scorers: Scorers = field(repr=False)
    """Within which stage a customer is scored."""
    names: pd.Series = field(repr=False)
    """Name of each segment that is a cluster, by cluster id."""
    edition: int = 0
    """What the tables were published as; 0 if before there were editions."""

    @cached_property
    def segments(self) -> pd.DataFrame:
        """One row per customer: ``segments.customer_segments``, in the order of customer ids."""
        return self._read("select * from customer_segments order by customer_id")

    @cached_property
    def profiles(self) -> pd.DataFrame:
        """One row per segment with customers: ``segments.segment_profiles``, by revenue."""
        return self._read("select * from segment_profiles order by revenue desc, segment_id")

    def _read(self, sql: str) -> pd.DataFrame:
        with Database(self.database) as database:
            return database.read(sql)

    def score(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Give customers their segments as ``clustering.customer_clusters`` does.

        ``frame`` has a row per customer and the raw selected features as columns, counted as
        ``metrics.customer_metrics`` counts them; where the segments are made within lifecycle
        stages, ``lifecycle_stage`` too, or what it is found from (``num_order_days``,
        ``mean_gap_days``, ``silence_days``). Other columns are ignored. Returns a frame with the
        same index and

        - ``cluster_id``: of the nearest centroid of the stage, the lowest id if several are equal;
        - ``segment``: its name, missing where none of the shop's customers is in that cluster now;
        - ``distance``: Euclidean distance to it, in units of the scaled features;
        - ``margin``: 1 - distance / distance to the second nearest of the stage; 0 on the boundary,
          1 on the centroid, and 1 where the stage has one cluster.

        Raises ``ValueError`` if a column is missing, or a value is no number that can be scored.

        >>> shop = load("customer_segmentation.duckdb")  # doctest: +SKIP
        >>> shop.score(my_customers)["segment"].value_counts()  # doctest: +SKIP
        """
        names = list(self.features["feature"])
        missing = [name for name in names if name not in frame.columns]
        if missing:
            raise ValueError(
                f"There is no column {', '.join(missing)}: the segments are made of"
                f" {', '.join(names)}."
            )
        values = frame[names].apply(pd.to_numeric, errors="coerce").astype("float64")
        with np.errstate(divide="ignore", invalid="ignore"):
            points = coordinates(values, self.features)
        # A limit would take an infinite value for a large one.
        wrong = ~(np.isfinite(points) & np.isfinite(values.to_numpy()))
        if wrong.any():
            which = [name for name, column in zip(names, wrong.T, strict=True) if column.any()]
            raise ValueError(
                f"{wrong.any(axis=1).sum()} of {len(frame)} rows can't be scored: null, infinite,"
                f" no number, or below what can be logged in {', '.join(which)}."
            )
        stages = self.scorers.of(frame)
        found = np.zeros(len(frame), dtype=np.int64)
        nearest, margin = np.zeros(len(frame)), np.ones(len(frame))
        for position, (ids, centroids) in enumerate(self._clusterings(self.features)):
            rows = np.flatnonzero(stages == position)
            distances = distances_to(points[rows], centroids)
            order = np.argsort(distances, axis=1, kind="stable")[:, :2]
            found[rows] = ids[order[:, 0]]
            ascending = np.take_along_axis(distances, order, axis=1)
            nearest[rows] = ascending[:, 0]
            if len(ids) > 1:
                with np.errstate(invalid="ignore", divide="ignore"):
                    margin[rows] = np.where(
                        ascending[:, 1] > 0, 1 - ascending[:, 0] / ascending[:, 1], 0.0
                    )
        return pd.DataFrame(
            {
                "cluster_id": found,
                "segment": pd.Series(found, index=frame.index).map(self.names),
                "distance": nearest.round(6),
                "margin": margin.round(6),
            },
            index=frame.index,
        )

    def _clusterings(self, features: pd.DataFrame) -> list[tuple[np.ndarray, np.ndarray]]:
        """Ids and centroids of each stage, in the order of ``scorers.names`` and of ``features``.

        A feature that a stage does not look at is NaN.
        """
        return [
            centroid_table(self.centroids[self.centroids["stage"] == stage], features)
            for stage in self.scorers.names
        ]

    def as_pipeline(self) -> Pipeline:
        """Hand the model over to scikit-learn: a fitted pipeline that predicts cluster ids.

        Its steps find the stage where there are stages, winsorise where there are limits,
        transform, scale and take the nearest centroid; it takes the same frames as ``score``, and
        can be pickled. ``names`` says what each cluster is called.

        >>> shop = load("customer_segmentation.duckdb")  # doctest: +SKIP
        >>> shop.as_pipeline().predict(my_customers)  # doctest: +SKIP
        """
        chosen = self.features.sort_values("transform", kind="stable")
        columns = list(chosen["feature"])
        steps = [
            (
                transform,
                FunctionTransformer(np.log1p, np.expm1, feature_names_out="one-to-one")
                if transform == "log1p"
                else "passthrough",
                list(features),
            )
            for transform, features in chosen.groupby("transform")["feature"]
        ]
        in_stages = not self.scorers.is_plain
        if in_stages:
            steps.append((STAGE, "passthrough", [STAGE]))
            columns.append(STAGE)
        transformer = ColumnTransformer(steps, verbose_feature_names_out=False)
        # There is nothing to learn in these steps but the names of the columns.
        transformer.fit(pd.DataFrame(0.0, index=[0], columns=columns))
        scaler = StandardScaler()
        # The stage is no measure: it is handed on as it is.
        scaler.mean_ = np.append(chosen["centre"].to_numpy(), [0.0] * in_stages)
        scaler.scale_ = np.append(chosen["scale"].to_numpy(), [1.0] * in_stages)
        scaler.var_ = scaler.scale_**2
        scaler.n_features_in_ = len(columns)
        clusterings = self._clusterings(chosen)
        limited = chosen[chosen[["lower_limit", "upper_limit"]].notna().any(axis=1)]
        limiter = FunctionTransformer(within_limits, kw_args={"features": limited})
        limits = [("limit", limiter)] * (len(limited) > 0)
        if in_stages:
            return Pipeline(
                [
                    ("stage", FunctionTransformer(self.scorers.placed)),
                    *limits,
                    ("transform", transformer),
                    ("scale", scaler),
                    ("nearest", NearestCentroidOfStage(clusterings)),
                ]
            )
        ids, centroids = clusterings[0]
        classifier = NearestCentroid()
        classifier.classes_, classifier.centroids_ = ids, centroids
        classifier.class_prior_ = np.full(len(ids), 1 / len(ids))
        classifier.n_features_in_ = len(chosen)
        return Pipeline(
            [*limits, ("transform", transformer), ("scale", scaler), ("nearest", classifier)]
        )


def load(database: str | PathLike[str]) -> Segmentation:
    """Read the segmentation that a build left in ``database``, a DuckDB file.

    The file is opened read-only and closed again. Raises
    ``customer_segmentation.database.NotReadable`` with a sentence for people if there is no such
    database, if it is being written, or if it was not built to its end.

    >>> import customer_segmentation
    >>> shop = customer_segmentation.load("customer_segmentation.duckdb")  # doctest: +SKIP
    >>> shop.segments.groupby("segment")["total_amount"].sum()  # doctest: +SKIP
    """
    path = Path(database)
    with Database(path) as opened:
        opened.expect_one_edition()
        edition = opened.served_edition.edition_id
        version = opened.active_version
        features = opened.read(
            f"""
            select feature, lower_limit, upper_limit, transform, centre, scale, is_selected
            from clustering_features
            where
                model_version = {version}
                and is_selected
                and (stage = 'everybody') = (
                    select bool_or(stage = 'everybody')
                    from cluster_centroids
                    where model_version = {version}
                )
            order by feature
            """
        )
        centroids = opened.read(
            f"""
            select stage, cluster_id, feature, centroid
            from cluster_centroids
            where model_version = {version} and centroid is not null
            order by cluster_id, feature
            """
        )
        stages = opened.read(
            f"""
            select lifecycle_stage, coalesce(stage, 'everybody') as stage
            from lifecycle_stages
            left join (
                from stages
                where model_version = {version}
            ) as stages using (lifecycle_stage)
            order by position
            """
        )
        curve = opened.read(f"from version_curves where model_version = {version}")
        limits = opened.read(
            f"""
            select limit_name, limit_value
            from claim_limits
            where model_version = {version}
            """
        )
        names = opened.read(
            """
            select cluster_id, segment
            from segment_definitions
            where cluster_id is not null
            order by cluster_id
            """
        )
    scorers = Scorers(
        stages.set_index("lifecycle_stage")["stage"],
        curve,
        dict(zip(limits["limit_name"], limits["limit_value"], strict=True)),
    )
    return Segmentation(
        path,
        version,
        features,
        centroids,
        scorers,
        names.set_index("cluster_id")["segment"],
        edition,
    )
