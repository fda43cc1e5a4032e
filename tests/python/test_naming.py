"""Names are claims: which a cluster may bear, how it keeps one, and how two are told apart."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

from customer_segmentation.naming import (
    METRICS,
    Distributions,
    Range,
    add_names,
    last_names,
    name_segments,
    range_of_its_own,
    tell_apart,
)
from customer_segmentation.schemas import SEGMENT_NAMES

WORDS = pd.DataFrame(
    [
        ("lapsed", 1, "quiet", "lapsed", None),
        ("quiet", 2, None, "quiet", None),
        ("once", 3, None, "one-time", None),
        ("high_value", 4, None, None, "of high value"),
        ("big_basket", 5, None, None, "with large orders"),
    ],
    columns=["claim", "position", "implies", "adjective", "addition"],
)
ARCHETYPES = pd.DataFrame(
    [
        ("lapsed", "Lapsed customers", "lapsed"),
        ("lapsed_once", "Lapsed one-time buyers", "lapsed once"),
        ("once", "One-time buyers", "once"),
    ],
    columns=["archetype", "name", "claims"],
)
LIMITS: dict[str, Any] = {"min_claim_share": 0.8, "min_claim_contrast": 0.2, "currency": "EUR"}
NOBODY = pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in SEGMENT_NAMES.items()})


def distributions(values: Mapping[int, Mapping[str, Sequence[float]]]) -> pd.DataFrame:
    """Quantiles of each cluster's members; metrics that are not given are 1 for everybody."""
    rows = []
    for cluster, metrics in values.items():
        size = len(next(iter(metrics.values())))
        for metric in METRICS:
            members = np.sort(np.asarray(metrics.get(metric, [1.0] * size), dtype=float))
            at = [members[int(np.ceil(step / 200 * size)) - 1] for step in range(1, 201)]
            rows.append((cluster, metric, size, at))
    return pd.DataFrame(rows, columns=["cluster_id", "metric", "num_customers", "quantiles"])


def fits(**borne: Sequence[int]) -> pd.DataFrame:
    """Archetypes and the clusters that may bear them; one with more claims is rarer."""
    size = dict(
        zip(ARCHETYPES["archetype"], ARCHETYPES["claims"].str.split().str.len(), strict=True)
    )
    rows = [
        (cluster, archetype, size[archetype], 1 / size[archetype], True)
        for archetype, clusters in borne.items()
        for cluster in clusters
    ]
    names = ["cluster_id", "archetype", "num_claims", "share_of_customers", "is_borne"]
    return pd.DataFrame(rows, columns=names)


def shares(held: Mapping[int, Mapping[str, tuple[float, float]]]) -> pd.DataFrame:
    """Share of the members and of the others who fulfil a claim; none fulfils what is not given."""
    return pd.DataFrame(
        [
            (cluster, claim, *claims.get(claim, (0.0, 0.0)))
            for cluster, claims in held.items()
            for claim in WORDS["claim"]
        ],
        columns=["cluster_id", "claim", "share_inside", "share_outside"],
    )


SPEND = {"total_amount": np.linspace(1, 100, 50), "days_since_last_order": np.arange(50) % 7}
ALIKE = distributions({1: SPEND, 2: SPEND, 3: SPEND})
NO_CLAIMS: dict[int, dict[str, tuple[float, float]]] = {1: {}, 2: {}, 3: {}}


def named(
    borne: pd.DataFrame,
    held: Mapping[int, Mapping[str, tuple[float, float]]] = NO_CLAIMS,
    quantiles: pd.DataFrame = ALIKE,
    before: pd.DataFrame = NOBODY,
) -> pd.DataFrame:
    return name_segments(
        fits=borne,
        shares=shares(held),
        quantiles=quantiles,
        archetypes=ARCHETYPES,
        words=WORDS,
        before=before,
        **LIMITS,
    ).set_index("cluster_id")


def on_a_day(names: pd.DataFrame, day: str = "2024-01-01", version: int = 1) -> pd.DataFrame:
    date = datetime.date.fromisoformat(day)
    return names.reset_index().assign(model_version=version, as_of_date=date)


def test_most_claims_first() -> None:
    names = named(fits(lapsed=[1, 2], lapsed_once=[1], once=[3]))
    assert names["segment"].tolist() == [
        "Lapsed one-time buyers",
        "Lapsed customers",
        "One-time buyers",
    ]
    assert names["claims"].tolist() == ["lapsed once", "lapsed", "once"]
    assert set(names["named_because"]) == {"new"}


def test_a_name_stays_while_it_holds_although_another_claims_more() -> None:
    before = on_a_day(named(fits(lapsed=[1], once=[3])))
    names = named(
        fits(lapsed=[1], lapsed_once=[1]), {**NO_CLAIMS, 3: {"once": (0.5, 0)}}, before=before
    )
    assert names.loc[1, ["segment", "named_because"]].tolist() == ["Lapsed customers", "kept"]
    assert names.loc[3, "named_because"] == (
        "no longer “One-time buyers”: not true of most members any more: once (50%)"
    )
    everybody = named(fits(), {**NO_CLAIMS, 1: {"lapsed": (1, 1)}}, before=before)
    assert everybody.loc[1, "named_because"] == (
        "no longer “Lapsed customers”: it does not tell them from the others any more"
    )


def test_what_fits_no_archetype_is_called_by_facts_that_hold_less_elsewhere() -> None:
    held = {
        1: {"lapsed": (0.9, 0.7), "quiet": (1, 0.6), "once": (0.8, 0.6), "big_basket": (0.79, 0)},
        2: {"lapsed": (0.95, 0.75), "once": (0.9, 0.71)},
        3: {"high_value": (1, 0), "big_basket": (0.9, 0.1)},
    }
    names = named(fits(), held)
    assert names["segment"].tolist() == [
        "Lapsed one-time customers",
        "Lapsed customers",
        "Customers of high value and with large orders",
    ]
    assert names["archetype"].isna().all()
    kept = named(fits(once=[1]), held, before=on_a_day(names))
    assert kept.loc[1, ["segment", "named_because"]].tolist() == [
        "Lapsed one-time customers",
        "kept",
    ]


def test_without_any_claim_a_range_or_the_number_is_the_name() -> None:
    quantiles = distributions(
        {1: {"days_since_last_order": range(1, 101)}, 2: {"days_since_last_order": range(301, 401)}}
    )
    names = named(fits(), {1: {}, 2: {}}, quantiles)
    assert names["segment"].tolist() == [
        "Customers (last order up to 95 days ago)",
        "Customers (last order more than 305 days ago)",
    ]
    assert named(fits())["segment"].tolist() == [f"Customers (segment {n})" for n in (1, 2, 3)]


def test_a_range_that_is_the_name_stays_while_it_tells_the_cluster_from_others() -> None:
    def days(first: int, second: int) -> pd.DataFrame:
        return distributions(
            {
                1: {"days_since_last_order": range(first, first + 100)},
                2: {"days_since_last_order": range(second, second + 100)},
            }
        )

    before = on_a_day(named(fits(), {1: {}, 2: {}}, days(1, 301)))
    later = named(fits(), {1: {}, 2: {}}, days(11, 291), before)
    assert later["segment"].tolist() == before["segment"].tolist()
    assert set(later["named_because"]) == {"kept"}
    mixed = named(fits(), {1: {}, 2: {}}, days(11, 21), before)
    assert mixed["segment"].tolist() == ["Customers (segment 1)", "Customers (segment 2)"]
    assert mixed["named_because"][1] == (
        "no longer “Customers (last order up to 95 days ago)”: told apart from others anew"
    )


def test_clusters_of_one_name_are_told_apart_by_what_holds_for_most_of_each() -> None:
    quantiles = distributions(
        {
            1: {"total_amount": np.linspace(1, 110, 100)},
            2: {"total_amount": np.linspace(101, 300, 100)},
            3: {"total_amount": np.linspace(290, 900, 100)},
        }
    )
    names = named(fits(lapsed=[1, 2, 3]), quantiles=quantiles)
    assert names["segment"].tolist() == [
        "Lapsed customers (up to €107 in total)",
        "Lapsed customers (€107 to €296 in total)",
        "Lapsed customers (more than €296 in total)",
    ]
    kept = named(fits(lapsed=[1, 2, 3]), quantiles=quantiles, before=on_a_day(names))
    assert kept["segment"].tolist() == names["segment"].tolist()
    assert set(kept["named_because"]) == {"kept"}


def test_ranges_stay_while_each_holds_and_go_when_the_others_are_gone() -> None:
    def spread(lower: float, upper: float) -> dict[str, Any]:
        return {"total_amount": np.linspace(lower, upper, 100)}

    names = named(
        fits(lapsed=[1, 2]), {1: {}, 2: {}}, distributions({1: spread(0, 100), 2: spread(100, 200)})
    )
    assert names["range_up_to"].tolist()[0] == names["range_above"].tolist()[1] == 99
    moved = distributions({1: spread(10, 110), 2: spread(90, 200)})
    kept = named(fits(lapsed=[1, 2]), {1: {}, 2: {}}, moved, on_a_day(names))
    assert kept["segment"].tolist() == names["segment"].tolist()
    far = distributions({1: spread(50, 150), 2: spread(160, 300)})
    told = named(fits(lapsed=[1, 2]), {1: {}, 2: {}}, far, on_a_day(names))
    assert told.loc[1, "range_up_to"] > 145
    assert told.loc[1, "named_because"].endswith(
        "(up to €99 in total)”: told apart from others anew"
    )
    alone = named(fits(lapsed=[1]), {1: {}}, distributions({1: spread(0, 100)}), on_a_day(names))
    assert alone.loc[1, "segment"] == "Lapsed customers"


def test_clusters_that_nothing_tells_apart_have_numbers() -> None:
    names = named(fits(lapsed=[1, 2]))
    assert names["segment"].tolist() == [
        "Lapsed customers (segment 1)",
        "Lapsed customers (segment 2)",
        "Customers (segment 3)",
    ]


def test_shares_of_a_range_are_bounds() -> None:
    """Never more inside, never fewer outside, than there are."""
    rng = np.random.default_rng(3)
    for _ in range(50):
        members = {
            cluster: {
                "total_amount": rng.lognormal(cluster / 3, 1, int(rng.integers(5, 900))).round(1)
            }
            for cluster in (1, 2, 3)
        }
        known = Distributions(distributions(members))
        above, up_to = np.sort(rng.lognormal(0.5, 1, 2)).round(1)
        for values in (
            Range("total_amount", above, up_to),
            Range("total_amount", up_to=up_to),
            Range("total_amount", above),
        ):
            inside = {
                cluster: ((m := metrics["total_amount"]) > values.above) & (m <= values.up_to)
                for cluster, metrics in members.items()
            }
            assert (
                known.least_share(1, values)
                <= inside[1].mean()
                <= known.least_share(1, values) + 0.02
            )
            others = np.concatenate([inside[2], inside[3]]).mean()
            assert others <= known.most_outside(1, values) <= others + 0.02


@pytest.mark.parametrize("seed", range(20))
def test_ranges_hold_for_as_many_members_as_they_say(seed: int) -> None:
    rng = np.random.default_rng(seed)
    members = {
        cluster: {
            "total_amount": rng.lognormal(rng.uniform(2, 6), rng.uniform(0.1, 1), 300).round(2),
            "num_orders": rng.poisson(rng.uniform(0, 9), 300) + 1,
            "days_since_last_order": rng.integers(1, rng.integers(2, 700), 300),
        }
        for cluster in (1, 2, 3)
    }
    known = Distributions(distributions(members))
    ranges = tell_apart([1, 2, 3], known, min_claim_share=0.8) or {}
    own = range_of_its_own(1, known, min_claim_share=0.8, min_claim_contrast=0.2)
    for cluster, values in [*ranges.items(), *([(1, own)] if own else [])]:
        held = np.asarray(members[cluster].get(values.metric, [1] * 300))
        assert ((held > values.above) & (held <= values.up_to)).mean() >= 0.8
    if ranges:
        ordered = sorted(ranges.values(), key=lambda values: values.above)
        assert [values.up_to for values in ordered[:-1]] == [values.above for values in ordered[1:]]


def test_names_of_before_are_those_of_earlier_days_and_versions() -> None:
    day = [datetime.date(2024, 1, n) for n in (1, 2, 3, 4)]
    rows = pd.DataFrame(
        [
            (1, 1, day[0]),
            (1, 1, day[2]),
            (2, 1, day[1]),
            (2, 1, day[3]),
            (1, 2, day[0]),
            (2, 2, day[2]),
        ],
        columns=["model_version", "cluster_id", "as_of_date"],
    ).assign(named_because="new")
    found = last_names(rows, [1], 2, day[2])
    assert found[["model_version", "as_of_date"]].to_numpy().tolist() == [[1, day[2]]]
    assert last_names(rows, [2], 1, day[0]).empty
    assert last_names(rows, [2], 2, day[2])["model_version"].tolist() == [1]


def test_restored_names_are_written_and_those_of_the_day_replaced() -> None:
    today, then = pd.Timestamp("2024-02-01"), pd.Timestamp("2023-12-01")
    evidence: dict[str, Any] = {
        "fits": pd.concat(
            [fits(lapsed=[1]).assign(as_of_date=today), fits(once=[1, 2]).assign(as_of_date=then)]
        ),
        "quantiles": pd.concat([ALIKE.assign(as_of_date=day) for day in (today, then)]),
        "archetypes": ARCHETYPES,
        "words": WORDS,
        **LIMITS,
    }
    restored = pd.concat(
        [
            on_a_day(named(fits(once=[1])), "2024-01-01"),
            on_a_day(named(fits(once=[1])), "2024-02-01"),
        ]
    ).assign(as_of_date=lambda rows: pd.to_datetime(rows["as_of_date"]))
    rows = add_names(
        restored,
        restored,
        pd.concat([shares(NO_CLAIMS).assign(as_of_date=day) for day in (today, then)]),
        model_version=1,
        as_of_date=datetime.date(2024, 2, 1),
        graded_versions={then: -1},
        **evidence,
    )
    assert list(rows) == list(SEGMENT_NAMES)
    assert len(rows) == 9
    graded = rows[rows["model_version"] == -1]
    assert set(graded["as_of_date"]) == {datetime.date(2023, 12, 1)}
    # What it is called today does not hold then; what holds then is told apart.
    assert graded["segment"].tolist()[0].startswith("One-time buyers")
    assert set(graded["named_because"]) == {"graded"}
    # Nobody was called so: a name that was made in hindsight is not kept.
    known = rows[rows["as_of_date"] < datetime.date(2024, 2, 1)]
    before = last_names(known, [1, 2, 3], 1, datetime.date(2024, 2, 1))
    assert set(before["as_of_date"]) == {datetime.date(2024, 1, 1)}
    today = rows[rows["as_of_date"] == datetime.date(2024, 2, 1)]
    assert today["segment"].tolist()[0] == "Lapsed customers"
    assert today["named_because"].tolist()[0].startswith("no longer “One-time buyers”: ")
