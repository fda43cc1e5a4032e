"""What a build appends to a table by version: no row twice, none of another's registry."""

import pandas as pd
import pytest

from customer_segmentation.versions import new_rows, version_before

COLUMNS = {"model_version": "int32", "feature": "string", "value": "float64"}


def versions(*origins: str) -> pd.DataFrame:
    served = range(1, len(origins) + 1)
    return pd.DataFrame(
        {"model_version": served, "served_version": served, "origin": origins, "purpose": "serves"}
    )


def made(version: int) -> pd.DataFrame:
    return pd.DataFrame({"feature": ["a"], "value": [10.0 * version]})


def rows(*values: tuple[int, float]) -> pd.DataFrame:
    frame = pd.DataFrame(values, columns=["model_version", "value"])
    return frame.assign(feature="a")


def values(appended: pd.DataFrame) -> list[tuple[int, float]]:
    return list(zip(appended["model_version"], appended["value"], strict=True))


def test_the_newest_fit_is_made_when_it_lacks() -> None:
    assert values(new_rows(versions("fitted", "fitted"), {1}, made, COLUMNS)) == [(2, 20)]


@pytest.mark.parametrize("existing", [{1, 2}, {2}])
def test_nothing_is_made_when_the_newest_is_there(existing: set[int]) -> None:
    appended = new_rows(versions("fitted", "fitted"), existing, made, COLUMNS)
    assert len(appended) == 0
    assert {name: str(kind) for name, kind in appended.dtypes.items()} == COLUMNS


def test_restored_versions_are_taken_from_the_registry() -> None:
    registry = rows((1, 1.0), (1, 1.0), (2, 2.0))
    appended = new_rows(versions("restored", "restored"), set(), made, COLUMNS, registry)
    assert values(appended) == [(1, 1), (2, 2)]
    appended = new_rows(versions("restored", "restored", "fitted"), {1, 2}, made, COLUMNS, registry)
    assert values(appended) == [(3, 30)]


def test_a_registry_that_numbers_other_fits_alike_is_not_mixed_in() -> None:
    appended = new_rows(versions("fitted", "fitted"), {1}, made, COLUMNS, rows((2, 2.0)))
    assert values(appended) == [(2, 20)]


def test_the_version_before_is_the_newest_of_the_earlier_ones() -> None:
    assert values(version_before(rows((1, 1.0), (2, 2.0), (4, 4.0)), 4)) == [(2, 2)]
    assert len(version_before(rows((4, 4.0)), 4)) == 0
