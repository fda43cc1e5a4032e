"""What the bounded sample costs in quality, and what it saves in memory.

    python benchmarks/sampling.py benchmark.duckdb

Reads a database that the project built of many customers with segmentation: plain. Compares the
inertia of everybody under the centroids that were fitted on the sample with a fit on everybody, and
prints the peak memory of the Python part: reading the sample, features, evidence and fit, in a
process of its own.
"""

import argparse
import resource
import subprocess
import sys
from pathlib import Path

import duckdb
from scipy.spatial.distance import cdist

from customer_segmentation.evidence import weigh_candidates
from customer_segmentation.features import coordinates
from customer_segmentation.fitting import centroid_table, fit_centroids
from customer_segmentation.kmeans import fit_kmeans
from customer_segmentation.stages import EVERYBODY
from identity import described
from settings import LIMITS, VARS


def python_part(database: str) -> None:
    """Do what the Python models do on a first build, and print the peak memory in MiB."""
    connection = duckdb.connect(database, read_only=True, config={"memory_limit": "1GB"})
    sample = connection.sql("from clustering.clustering_sample order by customer_id").df()
    features = described(sample)
    weigh_candidates(
        sample,
        features,
        segmentation="plain",
        joins={},
        before={},
        anew_because="",
        segment_count="auto",
        segment_count_range=VARS["segment_count_range"],
        evidence_sample_size=VARS["evidence_sample_size"],
        thresholds=LIMITS,
        num_bootstraps=10,
        num_resamples=1,
        random_seed=42,
    )
    fit_centroids(sample, features, allocation={EVERYBODY: 4}, joins={}, random_seed=42)
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10:,.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("database", type=Path)
    parser.add_argument("--python-part", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.python_part:
        python_part(str(options.database))
        return
    peak = subprocess.run(
        [sys.executable, __file__, str(options.database), "--python-part"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    connection = duckdb.connect(str(options.database), read_only=True)
    features = connection.sql("from clustering.clustering_features order by feature").df()
    is_served = features["model_version"] == features["model_version"].max()
    features = features[is_served & (features["stage"] == EVERYBODY)]
    centroids = connection.sql("from clustering.cluster_centroids").df()
    centroids = centroids[centroids["model_version"] == centroids["model_version"].max()]
    everybody = connection.sql("from metrics.customer_metrics where is_clusterable").df()
    sampled = connection.sql("select count(*) from clustering.clustering_sample").fetchall()[0][0]
    points = coordinates(everybody, features)
    _, fitted = centroid_table(centroids, features)
    of_sample = cdist(points, fitted, "sqeuclidean").min(axis=1).sum()
    of_everybody = fit_kmeans(points, len(fitted), 42).inertia_
    print("| customers | sample | k | inertia above a fit on everybody | peak MiB of Python |")
    print("|--:|--:|--:|--:|--:|")
    print(
        f"| {len(points):,} | {sampled:,} | {len(fitted)} |"
        f" {of_sample / of_everybody - 1:.3%} | {peak} |"
    )


if __name__ == "__main__":
    main()
