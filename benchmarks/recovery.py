"""How often the choice of k finds groups that were planted, and claims some where none are.

Generates customers with known groups and clouds without any, and lets the package choose k.
Prints four Markdown tables: planted groups, boxes, clouds, and planted groups that are hard to
find. "Finer k claimed" counts natural groups at a greater k than was planted.
From the project's folder: ``python benchmarks/recovery.py``.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

from customer_segmentation.boundaries import is_valley, valleys_by_k
from customer_segmentation.features import jittered
from customer_segmentation.kmeans import fit_kmeans
from customer_segmentation.resampling import quick_choice
from settings import THRESHOLDS

CUSTOMERS = 2_000
FEATURES = 3
KS = range(3, 9)
BOOTSTRAPS = 20


def standardized(points: np.ndarray) -> np.ndarray:
    """Scale as the project scales, since scaling stretches groups."""
    return (points - points.mean(axis=0)) / points.std(axis=0)


def axes(rng: np.random.Generator, stretch: float) -> np.ndarray:
    """Return a group's spread: sd 1, but ``stretch`` in one random direction."""
    rotation = np.linalg.qr(rng.normal(size=(FEATURES, FEATURES)))[0]
    return rotation @ np.diag([stretch] + [1.0] * (FEATURES - 1)) @ rotation.T


def apart(centres: np.ndarray, spreads: list[np.ndarray], separation: float) -> bool:
    """Check that the last centre keeps its distance, in sd along the line, from those before it."""
    for centre, spread in zip(centres[:-1], spreads[:-1], strict=True):
        line = centres[-1] - centre
        distance = np.linalg.norm(line)
        along = max(np.linalg.norm(s @ line) / distance for s in (spread, spreads[-1]))
        if distance < separation * along:
            return False
    return True


def planted(
    rng: np.random.Generator,
    k: int,
    *,
    stretch: float = 1.0,
    imbalance: float = 1.0,
    separation: float = 4.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Points and labels of k Gaussian groups, as close together as ``separation`` lets them be.

    ``imbalance`` is the size of the largest group over that of the smallest, in even ratios.
    """
    centres, spreads = np.empty((0, FEATURES)), []
    side = separation
    while len(centres) < k:
        candidate = np.vstack([centres, rng.uniform(0, side, FEATURES)])
        spread = axes(rng, stretch)
        if apart(candidate, [*spreads, spread], separation):
            centres, spreads = candidate, [*spreads, spread]
        else:
            side *= 1.01
    shares = imbalance ** (np.arange(k) / (k - 1))
    labels = np.repeat(
        np.arange(k),
        np.diff(np.r_[0, shares.cumsum() / shares.sum()] * CUSTOMERS).round().astype(int),
    )
    noise = rng.normal(size=(len(labels), FEATURES))
    points = np.stack([spreads[g] @ n for g, n in zip(labels, noise, strict=True)])
    return standardized(points + centres[labels]), labels


def boxes(rng: np.random.Generator, k: int, *, gap: float) -> tuple[np.ndarray, np.ndarray]:
    """Points and labels of k uniform boxes with sides of 1 to 3, as close as ``gap`` lets them be.

    No box has a valley inside, and K-means cuts boxes into flat pieces at a finer k: along the line
    between two pieces customers are as even as can be without a valley, so that clouds with one
    hump claim less.
    """
    low, high = np.empty((0, FEATURES)), np.empty((0, FEATURES))
    side = 1.0
    while len(low) < k:
        corner, sides = rng.uniform(0, side, FEATURES), rng.uniform(1, 3, FEATURES)
        between = np.maximum(low - (corner + sides), corner - high).max(axis=1)
        if (between >= gap).all():
            low, high = np.vstack([low, corner]), np.vstack([high, corner + sides])
        else:
            side *= 1.01
    labels = np.arange(CUSTOMERS) * k // CUSTOMERS
    return standardized(rng.uniform(low[labels], high[labels])), labels


def shop(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return whole numbers of orders and days and an average value, each with one hump; jittered.

    Returns points and jittered points.
    """
    metrics = np.column_stack(
        [
            rng.geometric(0.3, CUSTOMERS),
            np.ceil(rng.exponential(120, CUSTOMERS)),
            rng.lognormal(3.5, 0.7, CUSTOMERS),
        ]
    )
    spread = np.column_stack([jittered(metrics[:, :2], rng), metrics[:, 2]])
    log = np.log1p(metrics)
    return standardized(log), (np.log1p(spread) - log.mean(axis=0)) / log.std(axis=0)


Cloud = Callable[[np.random.Generator], tuple[np.ndarray, np.ndarray | None]]

CLOUDS: dict[str, Cloud] = {
    "one Gaussian": lambda rng: (rng.normal(size=(CUSTOMERS, FEATURES)), None),
    "uniform": lambda rng: (standardized(rng.uniform(size=(CUSTOMERS, FEATURES))), None),
    "exponential": lambda rng: (standardized(rng.exponential(size=(CUSTOMERS, FEATURES))), None),
    "whole numbers, jittered": shop,
    "whole numbers, not jittered": lambda rng: (shop(rng)[0], None),
}

Groups = Callable[[np.random.Generator, int], tuple[np.ndarray, np.ndarray]]

SHAPES: dict[str, Groups] = {
    "spherical, 4 sd apart": planted,
    "elongated 2 : 1, 4 sd apart": partial(planted, stretch=2.0),
    "sizes 4 : 1, 4 sd apart": partial(planted, imbalance=4.0),
}

BOXES: dict[str, Groups] = {
    "boxes, 0.5 apart": partial(boxes, gap=0.5),
    "boxes, 1 apart": partial(boxes, gap=1.0),
}

HARD_SHAPES: dict[str, Groups] = {
    "elongated 3 : 1, 4 sd apart": partial(planted, stretch=3.0),
    "sizes 10 : 1, 4 sd apart": partial(planted, imbalance=10.0),
    "sizes 10 : 1, 5 sd apart": partial(planted, imbalance=10.0, separation=5.0),
}
"""Where it gets hard."""


def choose(points: np.ndarray, random_seed: int) -> tuple[int, str]:
    return quick_choice(
        points, KS, random_seed=random_seed, num_bootstraps=BOOTSTRAPS, thresholds=THRESHOLDS
    )


def recovery(seeds: int, shapes: dict[str, Groups]) -> Iterator[str]:
    yield (
        "| Planted groups | k | Planted k chosen | Finer k claimed | Natural groups claimed"
        " | Mean adjusted Rand |"
    )
    yield "|---|---:|---:|---:|---:|---:|"
    for name, groups in shapes.items():
        for k in range(3, 8):
            found, finer, natural, rand = 0, 0, 0, []
            for seed in range(seeds):
                points, labels = groups(np.random.default_rng([seed, k]), k)
                chosen, chosen_by = choose(points, seed)
                found += chosen == k
                finer += chosen > k and chosen_by == "valleys"
                natural += chosen_by == "valleys"
                rand.append(adjusted_rand_score(labels, fit_kmeans(points, chosen, seed).labels_))
            yield (
                f"| {name} | {k} | {found} of {seeds} | {finer} of {seeds} "
                f"| {natural} of {seeds} | {np.mean(rand):.3f} |"
            )


def false_claims(seeds: int) -> Iterator[str]:
    yield "| Cloud without groups | Natural groups claimed |"
    yield "|---|---:|"
    for name, cloud in CLOUDS.items():
        claims = 0
        for seed in range(seeds):
            points, jitter = cloud(np.random.default_rng([seed, 0]))
            valleys = valleys_by_k(
                points,
                KS,
                random_seed=seed,
                jittered_points=jitter,
                max_valley_p_value=THRESHOLDS.max_valley_p_value,
            )
            p_values = valleys["valley_p_value"].to_numpy()
            claims += bool(is_valley(p_values, THRESHOLDS.max_valley_p_value).any())
        yield f"| {name} | {claims} of {seeds} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=100, help="data sets per row (default 100)")
    seeds = parser.parse_args().seeds
    start = time.perf_counter()
    tables = (
        recovery(seeds, SHAPES),
        recovery(seeds, BOXES),
        false_claims(seeds),
        recovery(seeds, HARD_SHAPES),
    )
    with threadpool_limits(limits=1):
        for table in tables:
            for line in table:
                print(line, flush=True)
            print()
    print(f"{time.perf_counter() - start:.0f} seconds")


if __name__ == "__main__":
    main()
