"""How often a shop is given the same verdict, whatever the seed of the random splits.

    python benchmarks/verdicts.py shop.duckdb other_shop.duckdb --seeds 20

Reads the evidence sample of databases that the project has built, asks everybody's verdict with the
seeds from 1 on and prints a Markdown row for each: the number of natural groups that were found, or
none, and how often.
"""

import argparse
from collections import Counter
from pathlib import Path

import duckdb
import numpy as np
from threadpoolctl import threadpool_limits

from customer_segmentation.boundaries import is_valley, valleys_by_k
from customer_segmentation.evidence import evidence_points
from settings import THRESHOLDS, VARS

KS = range(VARS["segment_count_range"][0], VARS["segment_count_range"][1] + 1)

FEATURES = """
    from clustering.clustering_features
    where
        stage = 'everybody'
        and model_version = (select max(model_version) from clustering.clustering_features)
    order by feature
"""


def natural_groups(points: np.ndarray, jittered: np.ndarray, random_seed: int) -> int:
    """Largest k with a valley between every two groups, 0 if there is none."""
    valleys = valleys_by_k(
        points,
        KS,
        random_seed=random_seed,
        max_valley_p_value=THRESHOLDS.max_valley_p_value,
        jittered_points=jittered,
    )
    natural = is_valley(valleys["valley_p_value"], THRESHOLDS.max_valley_p_value)
    return int(valleys["k"][natural].max()) if natural.any() else 0


def verdicts(database: Path, seeds: int) -> Counter[int]:
    with duckdb.connect(str(database), read_only=True) as connection:
        sample = connection.sql("from clustering.clustering_sample order by customer_id").df()
        features = connection.sql(FEATURES).df()
    return Counter(
        natural_groups(*evidence_points(sample, features, VARS["evidence_sample_size"], seed), seed)
        for seed in range(1, seeds + 1)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("databases", type=Path, nargs="+")
    parser.add_argument("--seeds", type=int, default=20, help="seeds per shop (default 20)")
    given = parser.parse_args()
    print("| Shop | Natural groups, times |", "|---|---|", sep="\n")
    with threadpool_limits(limits=1):
        for database in given.databases:
            found = verdicts(database, given.seeds).most_common()
            told = ", ".join(f"{k or 'none'}: {times} of {given.seeds}" for k, times in found)
            print(f"| {database.stem} | {told} |", flush=True)


if __name__ == "__main__":
    main()
