"""Which number of segments foretold best: each customer by others, a finer one only for a gain."""

import numpy as np
import pytest

from customer_segmentation.choice import decide
from customer_segmentation.foresight import (
    MEASURES,
    Foresight,
    folds,
    foresight_of,
    foretold_by_groups,
    log_spend,
)

BRIER, SPEND = MEASURES


def errors(brier: list[list[float]], spend: list[list[float]]) -> Foresight:
    """Errors of three numbers of segments, a row per customer."""
    return Foresight((3, 4, 5), {BRIER: np.array(brier), SPEND: np.array(spend)})


def test_nobody_is_foretold_by_what_they_did_themselves() -> None:
    rng = np.random.default_rng(0)
    groups, values, fold = rng.integers(0, 4, 60), rng.normal(size=60), folds(60, 1)
    before = foretold_by_groups(groups, values, fold)
    for customer in range(60):
        others = values.copy()
        others[customer] = 1e6
        assert foretold_by_groups(groups, others, fold)[customer] == pytest.approx(
            before[customer], abs=1e-8
        )


def test_a_group_of_one_fold_is_foretold_by_everybody_else() -> None:
    groups, fold = np.array([0, 1, 1, 1]), np.array([0, 0, 1, 1])
    assert foretold_by_groups(groups, np.array([9.0, 1, 2, 6]), fold)[0] == 4


def test_folds_are_as_large_as_can_be_and_follow_the_seed() -> None:
    assert sorted(np.bincount(folds(23, 1))) == [2] * 7 + [3] * 3
    assert (folds(23, 1) == folds(23, 1)).all()
    assert (folds(23, 1) != folds(23, 2)).any()
    assert (folds(23, 1) != folds(23, 1, repeat=1)).any()


def test_what_came_back_beyond_the_spend_is_nothing_spent() -> None:
    assert log_spend(np.array([-5.0, 0.0, np.e - 1])).tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    ("brier", "spend", "finest"),
    [
        # A clear gain in one measure, the other as it was.
        ([[0.3, 0.2, 0.2]] * 9 + [[0.3, 0.21, 0.21]], [[1.0, 1.0, 1.0]] * 10, 4),
        # A gain in both that is within one standard error.
        ([[0.3, 0.1, 0.3], [0.1, 0.3, 0.1]] * 5, [[1.0, 1.0, 1.0]] * 10, 3),
        # A gain in one and as clear a loss in the other.
        (
            [[0.3, 0.2, 0.2]] * 9 + [[0.3, 0.21, 0.21]],
            [[1.0, 2.0, 2.0]] * 9 + [[1.0, 2.1, 2.0]],
            3,
        ),
        # The finest gains on the smallest, though the one between does not.
        ([[0.3, 0.3, 0.2]] * 9 + [[0.3, 0.3, 0.21]], [[1.0, 1.0, 1.0]] * 10, 5),
    ],
    ids=["gain", "noise", "loss", "leap"],
)
def test_a_finer_number_is_taken_for_a_gain_only(
    brier: list[list[float]], spend: list[list[float]], finest: int
) -> None:
    assert errors(brier, spend).finest([3, 4, 5]) == finest


def test_only_numbers_that_were_judged_are_taken() -> None:
    foresight = errors([[0.3, 0.2, 0.1]] * 10, [[1.0, 1.0, 1.0]] * 10)
    assert foresight.finest([2, 4, 9]) == 4
    assert foresight.finest([2, 9]) is None


def test_customers_drawn_twice_count_twice() -> None:
    rng = np.random.default_rng(1)
    brier, spend = rng.normal(size=(2, 50, 3))
    weights = rng.integers(0, 3, 50)
    drawn = np.repeat(np.arange(50), weights)
    gain = Foresight((3, 4, 5), {BRIER: brier, SPEND: spend}).gain(SPEND, 5, 3, weights)
    again = Foresight((3, 4, 5), {BRIER: brier[drawn], SPEND: spend[drawn]}).gain(SPEND, 5, 3)
    assert gain == pytest.approx(again)


@pytest.fixture(scope="module")
def shop() -> tuple[dict[int, np.ndarray], np.ndarray, np.ndarray]:
    """Four kinds of customers: labels at 2, 4 and 8 groups, and what they did."""
    rng = np.random.default_rng(7)
    kind = rng.integers(0, 4, 3000)
    has_ordered = (rng.random(3000) < np.array([0.05, 0.3, 0.6, 0.9])[kind]).astype(float)
    revenue = has_ordered * np.exp(rng.normal(3, 1, 3000))
    return {2: kind // 2, 4: kind, 8: 2 * kind + rng.integers(0, 2, 3000)}, has_ordered, revenue


def test_the_kinds_that_there_are_foretell_best(
    shop: tuple[dict[int, np.ndarray], np.ndarray, np.ndarray],
) -> None:
    labels, has_ordered, revenue = shop
    found = [
        foresight_of(labels, has_ordered, revenue, seed).finest([2, 4, 8]) for seed in range(9)
    ]
    assert found == [4] * 9
    brier = foresight_of(labels, has_ordered, revenue, 0).mean_errors(BRIER)
    # The variance of each kind is what nobody can foretell.
    chances = np.array([0.05, 0.3, 0.6, 0.9])
    assert brier[4] == pytest.approx((chances * (1 - chances)).mean(), abs=0.01)


def test_of_what_is_reproduced_foresight_takes_the_finest_and_stability_the_largest() -> None:
    def chosen(finest: int | None) -> tuple[int, str]:
        return decide(
            range(3, 9),
            has_valleys=lambda k: False,
            is_reproduced=lambda k: k in (4, 5, 7),
            silhouette=lambda k: 0.5,
            finest=lambda ks: finest if ks == [4, 5, 7] else None,
        )

    assert chosen(5) == (5, "foresight")
    assert chosen(None) == (7, "stability")
