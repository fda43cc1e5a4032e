"""The segmentation in a notebook: its tables as data frames, and a model that scores others."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from os import PathLike
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.spatial.distance import cdist
from sklearn.compose import ColumnTransformer
from sklearn.neighbors import NearestCentroid
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from customer_segmentation.database import Database
from customer_segmentation.features import coordinates
from customer_segmentation.fitting import centroid_table


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
    """A row per cluster and selected feature: ``cluster_id``, ``feature``, ``centroid``."""
    names: pd.Series = field(repr=False)
    """Name of each segment that is a cluster, by cluster id."""

    @cached_property
    def segments(self) -> pd.DataFrame:
        """One row per customer: ``segments.customer_segments``, in the order of customer ids."""
        return self._read("select * from segments.customer_segments order by customer_id")

    @cached_property
    def profiles(self) -> pd.DataFrame:
        """One row per segment with customers: ``segments.segment_profiles``, by revenue."""
        return self._read(
            "select * from segments.segment_profiles order by revenue desc, segment_id"
        )

    def _read(self, sql: str) -> pd.DataFrame:
        with Database(self.database) as database:
            return database.read(sql)

    def score(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Give customers their segments as ``clustering.customer_clusters`` does.

        ``frame`` has a row per customer and the raw selected features as columns, counted as
        ``metrics.customer_metrics`` counts them; other columns are ignored. Returns a frame with
        the same index and

        - ``cluster_id``: of the nearest centroid, the lowest id if several are equal;
        - ``segment``: its name, missing where none of the shop's customers is in that cluster now;
        - ``distance``: Euclidean distance to it, in units of the scaled features;
        - ``margin``: 1 - distance / distance to the second nearest; 0 on the boundary, 1 on the
          centroid.

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
        wrong = ~np.isfinite(points)
        if wrong.any():
            which = [name for name, column in zip(names, wrong.T, strict=True) if column.any()]
            raise ValueError(
                f"{wrong.any(axis=1).sum()} of {len(frame)} rows can't be scored: null, infinite,"
                f" no number, or below what can be logged in {', '.join(which)}."
            )
        ids, centroids = centroid_table(self.centroids, self.features)
        distances = cdist(points, centroids)
        order = np.argsort(distances, axis=1, kind="stable")[:, :2]
        nearest, second = np.take_along_axis(distances, order, axis=1).T
        with np.errstate(invalid="ignore"):
            margin = np.where(second > 0, 1 - nearest / second, 0.0)
        found = pd.Series(ids[order[:, 0]], index=frame.index)
        return pd.DataFrame(
            {
                "cluster_id": found,
                "segment": found.map(self.names),
                "distance": nearest.round(6),
                "margin": margin.round(6),
            },
            index=frame.index,
        )

    def as_pipeline(self) -> Pipeline:
        """Hand the model over to scikit-learn: a fitted pipeline that predicts cluster ids.

        Its steps transform, scale and take the nearest centroid; it takes the same frames as
        ``score``, and can be pickled. ``names`` says what each cluster is called.

        >>> shop = load("customer_segmentation.duckdb")  # doctest: +SKIP
        >>> shop.as_pipeline().predict(my_customers)  # doctest: +SKIP
        """
        chosen = self.features.sort_values("transform", kind="stable")
        ids, centroids = centroid_table(self.centroids, chosen)
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
        transformer = ColumnTransformer(steps, verbose_feature_names_out=False)
        # There is nothing to learn in these steps but the names of the columns.
        transformer.fit(pd.DataFrame(0.0, index=[0], columns=list(chosen["feature"])))
        scaler = StandardScaler()
        scaler.mean_ = chosen["centre"].to_numpy()
        scaler.scale_ = chosen["scale"].to_numpy()
        scaler.var_ = scaler.scale_**2
        scaler.n_features_in_ = len(chosen)
        classifier = NearestCentroid()
        classifier.classes_, classifier.centroids_ = ids, centroids
        classifier.class_prior_ = np.full(len(ids), 1 / len(ids))
        classifier.n_features_in_ = len(chosen)
        return Pipeline([("transform", transformer), ("scale", scaler), ("nearest", classifier)])


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
        version = opened.active_version
        features = opened.read(
            f"""
            select feature, transform, centre, scale, is_selected
            from clustering.clustering_features
            where model_version = {version} and is_selected
            order by feature
            """
        )
        centroids = opened.read(
            f"""
            select cluster_id, feature, centroid
            from clustering.cluster_centroids
            where model_version = {version} and centroid is not null
            order by cluster_id, feature
            """
        )
        names = opened.read(
            """
            select cluster_id, segment
            from segments.segment_definitions
            where cluster_id is not null
            order by cluster_id
            """
        )
    return Segmentation(
        path, version, features, centroids, names.set_index("cluster_id")["segment"]
    )
