"""Fits are versions: when one is due, which one scores, and what survives."""

import json
import re
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
from conftest import AFTER_THE_METRICS, PROJECT, Build, build_models, build_with_data_tests, run_dbt

# Less evidence than by default, since these tests are about what becomes of a fit.
QUICK = {
    "evidence_sample_size": 400,
    "num_bootstraps": 5,
    "num_resamples": 0,
    "segment_count": 6,
}


def clusters(build: Build) -> pd.DataFrame:
    return build.query("from clustering.customer_clusters order by customer_id")


def versions(build: Build) -> list[tuple[int, str]]:
    rows = build.query(
        "from clustering.model_versions where purpose = 'serves' order by model_version"
    )
    return list(zip(rows["model_version"], rows["due_because"], strict=True))


def again(build: Build, **variables: Any) -> Build:
    """Build the clustering anew, and what comes before it if a var changes that."""
    changes_metrics = variables.keys() - AFTER_THE_METRICS
    clustering = "+customer_clusters" if changes_metrics else "path:models/clustering"
    # Of an empty database all: there the metrics are copied.
    names = ["customer_facts", "fact_counts", "cluster_claims", "archetype_fits"]
    names += ["cluster_quantiles", "segment_names", "segment_registry"]
    selection = ("--select", clustering, *names) if build.database.exists() else ()
    return build_models(build.database, QUICK | variables, *selection)


LATER = {"segment_count": 4, "feature_limits": {"num_orders": [None, 0.8]}}
"""Settings of all versions but the first."""


LACKING = {"clustering_features": ["lower_limit", "upper_limit"], "clustering_candidates": ["bic"]}
"""Columns that a database of an earlier version of this project has not, by table."""


@pytest.fixture(scope="module")
def lifetime(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One database through all that can happen to it; each step's versions and clusters."""
    folder = tmp_path_factory.mktemp("versions")
    build = Build(True, folder / "shop.duckdb")
    steps: dict[str, Any] = {"database": build.database}

    def step(name: str, run: Build) -> None:
        assert run.success, run.log
        steps[name] = versions(run), clusters(run)

    step("first", build_models(build.database, QUICK))
    with duckdb.connect(str(build.database)) as connection:
        for table, columns in LACKING.items():
            for column in columns:
                connection.sql(f"alter table clustering.{table} drop column {column}")
    step("second", again(build))
    step("full refresh", build_models(build.database, QUICK, "--full-refresh"))
    step("other count", again(build, **LATER))
    step("refit", again(build, **LATER, refit=True))
    step("pinned", again(build, model_version=1, refit=True))
    step("unpinned", build_with_data_tests(build.database, QUICK | LATER))
    return steps


def test_a_second_build_and_a_full_refresh_fit_nothing(lifetime: dict[str, Any]) -> None:
    first, kept = lifetime["first"]
    assert first == [(1, "first build")]
    for name in ("second", "full refresh"):
        assert lifetime[name][0] == first
        pd.testing.assert_frame_equal(lifetime[name][1], kept)


def test_a_database_of_before_gets_the_columns_that_it_lacks(lifetime: dict[str, Any]) -> None:
    build = Build(True, lifetime["database"])
    for table, column in (("clustering_features", "upper_limit"), ("clustering_candidates", "bic")):
        query = f"select distinct model_version from clustering.{table} where {column} is not null"
        assert set(build.query(query)["model_version"]) == {2, 3}


def test_a_changed_setting_and_a_refit_append_versions(lifetime: dict[str, Any]) -> None:
    assert lifetime["other count"][0] == [(1, "first build"), (2, "settings changed")]
    assert lifetime["refit"][0][2:] == [(3, "refit")]


def test_ids_of_other_customers_are_not_used_again(lifetime: dict[str, Any]) -> None:
    before, after = lifetime["first"][1], lifetime["other count"][1]
    assert after["cluster_id"].nunique() == 4
    for cluster in set(before["cluster_id"]) & set(after["cluster_id"]):
        old = set(before.loc[before["cluster_id"] == cluster, "customer_id"])
        new = set(after.loc[after["cluster_id"] == cluster, "customer_id"])
        assert len(old & new) / len(old | new) >= 0.5


def test_a_refit_of_the_same_customers_keeps_every_id(lifetime: dict[str, Any]) -> None:
    before, after = lifetime["other count"][1], lifetime["refit"][1]
    assert (before["cluster_id"] == after["cluster_id"]).all()
    assert (after["model_version"] == 3).all()


def test_a_pinned_version_scores_and_nothing_is_fitted(lifetime: dict[str, Any]) -> None:
    assert len(lifetime["pinned"][0]) == 3
    pd.testing.assert_frame_equal(lifetime["pinned"][1], lifetime["first"][1])
    pd.testing.assert_frame_equal(lifetime["unpinned"][1], lifetime["refit"][1])


def test_the_registry_tells_the_history(lifetime: dict[str, Any]) -> None:
    registry = Build(True, lifetime["database"]).query("from segments.segment_registry")
    assert set(registry.loc[registry["model_version"] == 1, "status"]) == {"new"}
    assert set(registry.loc[registry["model_version"] == 3, "status"]) == {"kept"}
    assert "retired" in set(registry.loc[registry["model_version"] == 2, "status"])
    kept = registry[registry["status"] == "kept"].set_index(["model_version", "cluster_id"])
    assert len(kept) > 4
    for (version, cluster), row in kept.iterrows():
        before = registry[
            (registry["model_version"] == version - 1) & (registry["cluster_id"] == cluster)
        ].iloc[0]
        if row["segment"] == before["segment"]:
            assert row["named_because"] == "kept"
        else:
            assert row["named_because"].startswith(f"no longer “{before['segment']}”: ")
    assert set(kept.loc[3, "named_because"]) == {"kept"}


def test_an_exported_registry_scores_an_empty_database(
    lifetime: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "registry.csv"
    exported = run_dbt(
        lifetime["database"],
        ["run-operation", "export_registry", "--args", f"{{path: '{path}'}}"],
        None,
    )
    assert exported.success, exported.log
    assert path.read_text().startswith("record,model_version,dataset,fitted_on,")

    fresh = Build(True, tmp_path / "shop.duckdb")
    settings = LATER | {"registry_location": str(path)}
    restored = again(fresh, **settings)
    assert restored.success, restored.log
    assert versions(restored) == lifetime["unpinned"][0]
    pd.testing.assert_frame_equal(clusters(restored), lifetime["unpinned"][1])
    exporting = Build(True, lifetime["database"])
    tables = ["version_curves", "claim_limits", "stages"]
    for table in [*(f"clustering.{name}" for name in tables), "segments.segment_names"]:
        served = f"from {table} where model_version > 0 order by all"
        rows = exporting.query(served)
        assert len(rows) > 5
        pd.testing.assert_frame_equal(restored.query(served), rows)
    limits = (
        "select model_version, stage, feature, lower_limit, upper_limit"
        " from clustering.clustering_features where model_version > 0 order by all"
    )
    pd.testing.assert_frame_equal(restored.query(limits), exporting.query(limits))

    scored = again(fresh, **settings)
    assert versions(scored) == lifetime["unpinned"][0]
    pinned = again(fresh, **settings, model_version=1)
    pd.testing.assert_frame_equal(clusters(pinned), lifetime["first"][1])
    refitted = again(fresh, **settings, refit=True)
    assert versions(refitted)[3:] == [(4, "refit")]
    assert (clusters(refitted)["cluster_id"] == lifetime["unpinned"][1]["cluster_id"]).all()


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"segment_count": 5, "refit_on_change": False}, "3: segment_count."),
        ({"model_version": 1}, "1: feature_limits, segment_count."),
    ],
)
def test_settings_that_wait_for_a_refit_are_told(
    lifetime: dict[str, Any], tmp_path: Path, variables: dict[str, Any], told: str
) -> None:
    """The last fits were asked for four segments, the first one for six and without limits."""
    copy = Build(True, lifetime["database"]).copy(tmp_path)
    waiting = again(Build(True, copy), **LATER | variables)
    assert waiting.success, waiting.log
    assert len(versions(waiting)) == 3
    assert (
        f"Settings changed since the fit, and the segments are still those of version {told}"
    ) in waiting.log


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        (
            {"dataset": "another"},
            "dataset: this registry's segments were fitted on 'sample', not on 'another'. Give",
        ),
        ({"model_version": 9}, "model_version: there is no version 9. There are 1, 2, 3."),
        (
            {"model_version": 1, "candidate_features": ["num_orders", "days_since_last_order"]},
            "model_version: version 1 needs the feature 'avg_order_value', which is not among",
        ),
    ],
)
def test_what_the_registry_cannot_do_is_said_and_nothing_replaced(
    lifetime: dict[str, Any], variables: dict[str, Any], sentence: str
) -> None:
    build = Build(True, lifetime["database"])
    failed = again(build, **variables)
    assert not failed.success
    assert sentence in failed.log
    assert "Traceback" not in failed.log
    pd.testing.assert_frame_equal(clusters(failed), lifetime["unpinned"][1])


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        (
            {"model_version": 1},
            "model_version: there is no version 1, since nothing was fitted yet.",
        ),
        ({"registry_location": "none.csv"}, "registry_location: there is no file 'none.csv'."),
    ],
)
def test_a_fresh_database_says_what_is_missing(
    tmp_path: Path, variables: dict[str, Any], sentence: str
) -> None:
    failed = again(Build(True, tmp_path / "shop.duckdb"), **variables)
    assert not failed.success
    assert sentence in failed.log
    assert "Traceback" not in failed.log


# ---- Settings are compared key by key


OLD_REGISTRY = str(PROJECT / "tests" / "data" / "registry_of_0.1.0.csv")


def settings_of_then() -> dict[str, Any]:
    """The settings of the old registry under the names of now."""
    renamed = (PROJECT / "macros" / "guards" / "check_vars.sql").read_text()
    renamed = renamed.split("macro renamed_vars")[1].split("endmacro")[0]
    names = dict(re.findall(r"'(\w+)': '(\w+)'", renamed))
    settings = json.loads(pd.read_csv(OLD_REGISTRY)["settings"][0])
    assert len(names.keys() & settings.keys()) > 5
    return {names.get(name, name): value for name, value in settings.items()}


def test_a_registry_of_an_earlier_version_scores_and_its_settings_are_adopted(
    tmp_path: Path, sample_build: Build
) -> None:
    """Its settings have other names and lack some: neither makes a fit due. A change does."""
    then = settings_of_then() | {"registry_location": OLD_REGISTRY}
    old = Path(OLD_REGISTRY).read_text()
    assert "stability_bootstraps" in old
    assert "excluded_statuses" not in old
    build = Build(True, tmp_path / "shop.duckdb")
    scored = build_models(build.database, then)
    assert scored.success, scored.log
    assert versions(scored) == [(1, "first build")]
    # The fit is of a reading of the sample that left a few lines out, so that few customers differ.
    same = clusters(scored)["cluster_id"].to_numpy() == clusters(sample_build)["cluster_id"]
    assert same.mean() > 0.99
    settings = "select settings from clustering.model_versions where model_version = 1"
    assert json.loads(scored.value(settings)) == (
        json.loads(sample_build.value(settings)) | settings_of_then()
    )

    adopted = again(build, excluded_statuses=["void"])
    assert versions(adopted) == [
        (1, "first build"),
        (2, "settings changed, the curve too as its settings changed"),
    ]


def test_a_renamed_setting_is_compared_under_its_old_name(tmp_path: Path) -> None:
    build = Build(True, tmp_path / "shop.duckdb")
    changed = build_models(
        build.database, QUICK | {"registry_location": OLD_REGISTRY, "segment_count": "auto"}
    )
    assert versions(changed) == [(1, "first build"), (2, "settings changed")], (
        "num_bootstraps was 100, as stability_bootstraps"
    )


def vars_read_by(manifest: dict[str, Any], unique_id: str) -> set[str]:
    """Vars in the code, the configuration and the macros of a node or a macro."""
    thing = manifest["nodes"].get(unique_id) or manifest["macros"][unique_id]
    text = thing.get("raw_code") or thing.get("macro_sql") or ""
    found = set(
        re.findall(
            r"\b(?:checked_)?var\('(\w+)'", text + json.dumps(thing.get("unrendered_config", {}))
        )
    )
    for macro in thing["depends_on"]["macros"]:
        if macro.startswith("macro.customer_segmentation."):
            found |= vars_read_by(manifest, macro)
    return found


NOT_SETTINGS = {
    # Where the orders are and which day it is: another day's orders are scored, not fitted anew.
    "orders_location", "orders_model", "customers_location", "customers_model",
    "customer_identities_location", "customer_identity_columns", "currency_rates_location",
    "attached_databases", "allow_network", "as_of_date", "schema_prefix",
    # Consent has no part in a fit, nor have labels and checks. A status that is not known counts.
    "customer_columns", "customers_csv_options", "consent_words", "refusal_words",
    # The metrics as of other days are for those who ask for them.
    "history_months", "counted_statuses", "dataset", "currency", "check_order_ids",
    # What decides about fits themselves.
    "refit", "refit_on_change", "model_version", "registry_location",
}  # fmt: skip


def test_every_var_that_a_fit_depends_on_is_among_its_settings(sample_build: Build) -> None:
    target = sample_build.database.parent / "target" / "manifest.json"
    manifest = json.loads(target.read_text())
    fits = ["clustering_features", "clustering_candidates", "cluster_boundaries"]
    fits += ["cluster_centroids", "version_curves", "claim_limits"]
    waiting = [f"model.customer_segmentation.{name}" for name in fits]
    seen: set[str] = set()
    read: set[str] = set()
    while waiting:
        node = waiting.pop()
        if node in seen or not node.startswith("model."):
            continue
        seen.add(node)
        # The guards read vars to refuse them; model_versions and the registry hold the settings.
        if not node.endswith((".clustering_guards", ".model_versions", ".restored_registry")):
            read |= vars_read_by(manifest, node)
        waiting += manifest["nodes"][node]["depends_on"]["nodes"]
    assert "model.customer_segmentation.raw_order_lines" in seen
    settings = set(json.loads(sample_build.value("select settings from clustering.model_versions")))
    assert {"max_skewness", "timezone", "order_columns", "num_bootstraps"} <= read
    assert read - NOT_SETTINGS - settings == set()
    assert settings - read == set()


def test_vars_that_come_after_the_metrics_are_not_read_before(sample_build: Build) -> None:
    """Tests rely on it where they start from the sample's metrics.

    metric_days asks whether a fit is due, which in a fresh database without a registry it is.
    """
    manifest = json.loads((sample_build.database.parent / "target" / "manifest.json").read_text())
    before = [
        node
        for node, content in manifest["nodes"].items()
        if content["original_file_path"].startswith(("models/staging/", "models/metrics/"))
        and content["name"] != "metric_days"
        and content["resource_type"] == "model"
    ]
    assert len(before) > 20
    assert (
        AFTER_THE_METRICS & set().union(*(vars_read_by(manifest, node) for node in before)) == set()
    )
