"""How many customers keep their cluster id in plain K-means: under other seeds, over refits.

For the segments that a build serves see ``refits.py``.

    python benchmarks/identity.py online_retail_segments.duckdb --months 2011-01 2011-12

Reads a database that the project built. "Without matching" compares the raw labels of scikit-learn,
as a notebook would; "with matching" the ids that the project gives.
"""

import argparse
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from customer_segmentation.features import coordinates, describe_features
from customer_segmentation.fitting import Fit, centroid_table, fit_centroids
from customer_segmentation.kmeans import fit_kmeans, nearest, within_squares
from customer_segmentation.stages import EVERYBODY
from settings import VARS

AS_OF = """
    select
        customer_id,
        sum(amount)::double as total_amount,
        count(*) filter (where amount > 0) as num_orders,
        sum(amount)::double / num_orders as avg_order_value,
        date '{day}' - max(order_date) filter (where amount > 0) as days_since_last_order
    from staging.orders
    where order_date < date '{day}'
    group by customer_id
    having num_orders > 0 and total_amount > 0
    order by customer_id
"""


def described(sample: pd.DataFrame, before: pd.DataFrame | None = None) -> pd.DataFrame:
    return (
        describe_features(
            sample,
            candidate_features=VARS["candidate_features"],
            selected_features=None,
            feature_transforms=VARS["feature_transforms"],
            feature_limits=VARS["feature_limits"],
            scaler=VARS["scaler"],
            max_skewness=VARS["max_skewness"],
            max_variance_inflation=VARS["max_variance_inflation"],
            before=before,
        )
        .sort_values("feature", ignore_index=True)
        .assign(stage=EVERYBODY)
    )


def ids_of(sample: pd.DataFrame, fit: pd.DataFrame, features: pd.DataFrame) -> np.ndarray:
    everybody = pd.Series(EVERYBODY, index=sample.index)
    return Fit(fit, features, {}).score(sample, everybody)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("database", type=Path)
    parser.add_argument("--k", type=int, default=4, help="number of segments (default: 4)")
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument(
        "--months", nargs=2, metavar=("FIRST", "LAST"), help="as in 2011-01 2011-12"
    )
    options = parser.parse_args()
    connection = duckdb.connect(str(options.database), read_only=True)
    k = options.k
    today = connection.sql("select as_of_date from staging.as_of").fetchall()[0][0]

    sample = connection.sql(AS_OF.format(day=today)).df()
    features = described(sample)
    plain = {"allocation": {EVERYBODY: k}, "joins": {}}
    base = fit_centroids(sample, features, random_seed=42, **plain)
    base_ids = ids_of(sample, base, features)
    points = coordinates(sample, features)
    raw = fit_kmeans(points, k, 42).labels_
    kept, unmatched = [], []
    for seed in range(1, options.seeds + 1):
        fit = fit_centroids(
            sample,
            features,
            random_seed=seed,
            previous=Fit(base, features, {}),
            largest_id=k,
            **plain,
        )
        kept.append((ids_of(sample, fit, features) == base_ids).mean())
        unmatched.append((fit_kmeans(points, k, seed).labels_ == raw).mean())
    print(f"k = {k}, {len(sample):,} customers, {options.seeds} other seeds\n")
    print("| same customers keep their id | least | median | mean |")
    print("|---|--:|--:|--:|")
    for name, shares in (("with matching", kept), ("without matching", unmatched)):
        print(f"| {name} | {min(shares):.2%} | {np.median(shares):.2%} | {np.mean(shares):.2%} |")

    if options.months:
        print(
            "\n| refit as of | customers | keep id, with matching | without | ids kept |"
            " inertia saved |"
        )
        print("|---|--:|--:|--:|--:|--:|")
        previous, largest, raw_centroids = None, 0, np.empty((0, 0))
        first, last = (pd.Period(month) for month in options.months)
        for month in pd.period_range(first, last):
            day = (month.end_time + pd.Timedelta(days=1)).date()
            sample = connection.sql(AS_OF.format(day=day)).df()
            features = described(sample, previous[1] if previous else None)
            fit = fit_centroids(
                sample,
                features,
                random_seed=42,
                previous=Fit(*previous, {}) if previous else None,
                largest_id=largest,
                **plain,
            )
            points = coordinates(sample, features)
            kmeans = fit_kmeans(points, k, 42)
            if previous is not None:
                old_ids = ids_of(sample, *previous)
                new_ids = ids_of(sample, fit, features)
                # The labels that last month's raw fit gives today, by its own numbers.
                old_points = coordinates(sample, previous[1])
                old_raw = nearest(old_points, raw_centroids)
                old_fit = centroid_table(*previous)[1]
                old_inertia = within_squares(points, nearest(old_points, old_fit))
                saved = 1 - kmeans.inertia_ / old_inertia
                same = len(set(old_ids) & set(new_ids))
                print(
                    f"| {day} | {len(sample):,} | {(old_ids == new_ids).mean():.2%} |"
                    f" {(old_raw == kmeans.labels_).mean():.2%} | {same} of {k} | {saved:.1%} |"
                )
            raw_centroids = kmeans.cluster_centers_
            previous, largest = (fit, features), max(largest, int(fit["cluster_id"].max()))


if __name__ == "__main__":
    main()
