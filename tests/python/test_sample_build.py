"""The sample from end to end: SQL scores what scikit-learn fits, and the truth is found again."""

import numpy as np
import pandas as pd
import pytest
from conftest import PROJECT, VARS, Build, run_dbt
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import StandardScaler

from customer_segmentation.sample import generate
from customer_segmentation.schemas import CLUSTERING_CANDIDATES

FEATURES = ["num_orders", "avg_order_value", "days_since_last_order"]


@pytest.fixture(scope="module")
def customers(sample_build: Build) -> pd.DataFrame:
    return sample_build.query(
        "select * from segments.customer_segments where is_clusterable order by customer_id"
    )


def test_clusters_are_those_of_a_direct_kmeans_fit(
    sample_build: Build, customers: pd.DataFrame
) -> None:
    """scikit-learn from scratch, on the same features: same assignments, same inertia."""
    transforms = sample_build.query(
        "select feature, transform from clustering.clustering_features"
        " where model_version = 1 and is_selected"
        " and stage = 'everybody'"
    ).set_index("feature")["transform"]
    raw = customers[FEATURES].astype(float)
    logged = raw.apply(lambda c: np.log1p(c) if transforms[c.name] == "log1p" else c)
    points = StandardScaler().fit_transform(logged)
    direct = KMeans(n_clusters=customers["cluster_id"].nunique(), n_init=10, random_state=42).fit(
        points
    )

    assert adjusted_rand_score(direct.labels_, customers["cluster_id"]) == 1.0
    inertia = (customers["distance"] ** 2).sum()
    assert inertia == pytest.approx(direct.inertia_, rel=1e-6)


def test_planted_archetypes_are_recovered(customers: pd.DataFrame) -> None:
    planted = generate().planted
    truth = customers["customer_id"].map(planted)
    assert truth.notna().all()
    assert adjusted_rand_score(truth, customers["cluster_id"]) > 0.9


@pytest.mark.parametrize(
    ("kind", "archetype"),
    [
        ("loyal_high_value", "best"),
        ("infrequent_engaged", "cooling_repeat"),
        ("lapsed_one_time", "lapsed_once"),
        ("recent_one_time", "new"),
    ],
)
def test_most_of_a_kind_carries_the_archetype_that_fits(
    customers: pd.DataFrame, kind: str, archetype: str
) -> None:
    planted = generate().planted
    found = customers[customers["customer_id"].map(planted) == kind]["archetype"]
    assert (found == archetype).mean() > 0.9


def test_planted_customers_are_lost_only_with_all_their_rows(sample_build: Build) -> None:
    ids = sample_build.query("select customer_id from segments.customer_segments")["customer_id"]
    assert ids.is_unique
    lost = set(generate().planted) - set(ids)
    assert set(ids) | lost == set(generate().planted)
    assert len(lost) < 0.02 * len(generate().planted)
    accepted = sample_build.query(
        "select distinct customer_id from staging.stg_order_lines where exclusion_reason is null"
    )["customer_id"]
    assert lost.isdisjoint(accepted)


def test_customers_who_returned_everything_are_kept_apart(sample_build: Build) -> None:
    returned = sample_build.query(
        "select * from marketing.marketing_targets where segment_id = 'nothing_left_after_returns'"
    )
    assert len(returned) == 6
    assert not returned["is_eligible"].any()


@pytest.mark.parametrize(
    "reason",
    [
        "guest",
        "missing_customer_id",
        "unreadable_date",
        "unreadable_amount",
        "excluded_status",
        "repeated_line_id",
        "isolated_date",
    ],
)
def test_each_kind_of_mess_is_in_the_ledger_and_can_be_looked_at(
    sample_build: Build, reason: str
) -> None:
    ledger = sample_build.value(
        f"select num_rows from staging.order_exclusions where exclusion_reason = '{reason}'"
    )
    rows = sample_build.value(
        f"select count(*) from staging.excluded_order_lines where exclusion_reason = '{reason}'"
    )
    assert ledger == rows > 0


def test_the_strictest_listing_of_a_customer_counts(sample_build: Build) -> None:
    listings = generate().customers.splitlines()[1:]
    ids = [line.split(",")[0].upper() for line in listings]
    twice = {customer for customer in ids if ids.count(customer) > 1}
    unsubscribed = sample_build.query(
        "select customer_id from staging.stg_customers where is_unsubscribed"
    )["customer_id"]
    assert twice
    assert twice <= set(unsubscribed)


def test_schemas_are_the_layers_and_nothing_is_left_beside_them(sample_build: Build) -> None:
    tables = sample_build.query(
        "select schema_name, table_name from duckdb_tables() where not internal"
    )
    layers = {"staging", "metrics", "clustering", "segments", "marketing"}
    assert set(tables["schema_name"]) == layers | {"main"}
    assert list(tables.loc[tables["schema_name"] == "main", "table_name"]) == ["editions"]


def test_what_is_reproduced_is_said_of_kmeans_only_and_by_the_vars(sample_build: Build) -> None:
    candidates = sample_build.query("from clustering.clustering_candidates order by algorithm, k")
    is_kmeans = candidates["algorithm"].isin(["kmeans", "kmeans_in_stages"])
    assert candidates.loc[~is_kmeans, "is_reproduced"].isna().all()
    kmeans = candidates[is_kmeans]
    expected = (
        (kmeans["bootstrap_jaccard"] >= VARS["min_bootstrap_jaccard"])
        & (kmeans["bootstrap_adjusted_rand"] >= VARS["min_bootstrap_adjusted_rand"])
        & (kmeans["smallest_cluster_share"] >= VARS["min_segment_share"])
    )
    assert kmeans["is_reproduced"].tolist() == expected.tolist()
    assert {True, False} == set(expected)
    assert list(candidates) == list(CLUSTERING_CANDIDATES)


def test_analyses_answer(sample_build: Build) -> None:
    assert run_dbt(sample_build.database, ["compile", "--select", "path:analyses"], None).success
    compiled = sample_build.database.parent / "target" / "compiled"
    analyses = list(compiled.rglob("analyses/*.sql"))
    assert len(analyses) == len(list((PROJECT / "analyses").glob("*.sql"))) > 0
    for analysis in analyses:
        assert len(sample_build.query(analysis.read_text())) > 0, analysis.name
