"""The report: what it says, what it must not hold, and what it says when it can't be made."""

import contextlib
import math
import re
import shutil
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import duckdb
import numpy as np
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner
from conftest import PROJECT, QUICK, VARS, Build, Builder, build_models, run_dbt

from customer_segmentation.cli import main
from customer_segmentation.database import NotReadable
from customer_segmentation.report.page import headline, make_sections, script_data, write_report
from customer_segmentation.report.sections.segment_count import resampled_choice
from customer_segmentation.report.sections.segments import NOTHING_LEFT
from customer_segmentation.report.shop import Shop
from customer_segmentation.report.wording import count, figure, is_in_money, percent


def quiet(message: str) -> None:
    """Show no progress."""


@pytest.fixture(scope="module")
def sample(sample_build: Build, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample's database; nobody may change it."""
    return sample_build.copy(tmp_path_factory.mktemp("report"))


def sections_of(database: Path) -> dict[str, Any]:
    return {section.key: section for section in make_sections(Shop(database), quiet)}


@pytest.fixture(scope="module")
def sample_sections(sample: Path) -> dict[str, Any]:
    """The sections of the sample's report."""
    return sections_of(sample)


def test_it_says_what_the_tables_say(sample_build: Build, sample_sections: dict[str, Any]) -> None:
    sections = sample_sections
    accepted, rows = sample_build.query(
        """
        select sum(num_rows) filter (where exclusion_reason = 'accepted'), sum(num_rows)
        from staging.order_exclusions
        """
    ).iloc[0]
    assert f"{int(accepted):,} of {int(rows):,} rows count" in sections["arrivals"].lead

    profiles = sample_build.query("from segments.segment_profiles order by revenue desc")
    cards = sections["segments"].content["cards"]
    assert {card["name"]: card["num_customers"] for card in cards} == {
        row["segment"]: f"{row['num_customers']:,} customers" for row in profiles.to_dict("records")
    }
    best = profiles.iloc[0]
    assert f"{best['segment']} are {best['share_of_customers']:.0%}" in sections["segments"].lead

    eligible = sample_build.value(
        "select count(*) from marketing.marketing_targets where is_eligible"
    )
    assert sections["targets"].lead.startswith(f"{eligible:,} of ")

    k = sample_build.value(
        "select k from clustering.clustering_candidates where is_selected and algorithm = 'kmeans'"
    )
    assert f"Why {k}: " in sections["choice"].lead
    assert "natural groups" in sections["choice"].lead


def test_a_continuum_is_called_one_and_other_data_say_otherwise(
    build: Builder, sample_sections: dict[str, Any], tmp_path: Path
) -> None:
    shop = build(segment_count=4, selected_features=["total_amount"], currency="€")
    sections = sections_of(shop.copy(tmp_path / "copy"))
    assert "Why 4: " in sections["choice"].lead
    assert "€" in sections["segments"].content["cards"][0]["typical"]
    keys = [plot.key for section in sections.values() for plot in section.plots]
    assert "customers-by-principal-components" not in keys, "there is one feature only"
    assert len(keys) == len(set(keys))
    was = {
        plot.key: plot.sentence for section in sample_sections.values() for plot in section.plots
    }
    same = [
        plot.key
        for section in sections.values()
        for plot in section.plots
        if plot.sentence == was.get(plot.key)
        and not plot.key.endswith(("before", "after"))
        # Those of the orders alone, which are the same.
        and plot.key not in ("growth-accounting", "cohorts")
    ]
    assert len(same) < 4, "the sentences are computed"


def assert_it_can_be_read(sections: dict[str, Any]) -> None:
    """Plots are valid, sentences end, and nothing that is missing is written as a figure."""
    assert script_data([plot.chart.to_dict() for s in sections.values() for plot in s.plots])
    for section in sections.values():
        texts = [section.lead, str(section.content)]
        for plot in section.plots:
            assert plot.sentence.endswith("."), plot.key
            assert plot.table.rows, plot.key
            texts += [plot.sentence, str(plot.table.rows)]
        for text in texts:
            assert not re.search(r"\b(nan|NaN|NaT|inf)\b", text), text
        for text in [section.lead, *(plot.sentence for plot in section.plots)]:
            # Files of lists have names that people look for.
            assert not re.search(r"\b[a-z]+_[a-z_]+\b(?![.]csv)", text), f"a var or a table: {text}"


def test_every_plot_has_a_sentence_and_its_figures(sample_sections: dict[str, Any]) -> None:
    assert sum(len(section.plots) for section in sample_sections.values()) > 15
    assert_it_can_be_read(sample_sections)


def assert_its_figures_are_true(shop: Build, sections: dict[str, Any]) -> None:
    """Work out anew, in SQL, what the sentences say."""
    said = {plot.key: plot.sentence for s in sections.values() for plot in s.plots}

    def row(sql: str) -> dict[str, Any]:
        return dict(shop.query(sql).iloc[0])

    most, least = (
        row(
            f"""
            select segment, share_of_revenue / share_of_customers as times
            from segments.segment_profiles
            inner join segments.segment_definitions using (segment_id, segment)
            where cluster_id is not null
            order by times {order} limit 1
            """
        )
        for order in ("desc", "asc")
    )
    assert said["size-against-revenue"] == (
        f"{most['segment']} bring {figure(most['times'])} times their share of the customers,"
        f" {least['segment']} {figure(least['times'])} times."
    )
    largest = row(
        """
        select * from segments.segment_profiles
        where segment_id in (select cast(cluster_id as varchar) from clustering.customer_clusters)
        order by num_customers desc limit 1
        """
    )
    if "The largest segment" in sections["segments"].lead:
        assert sections["segments"].lead.endswith(
            f"The largest segment is {largest['segment']}: {percent(largest['share_of_customers'])}"
            f" of the customers, {percent(largest['share_of_revenue'])} of the revenue."
        )
    (card,) = [c for c in sections["segments"].content["cards"] if c["name"] == largest["segment"]]
    actions = shop.query(
        f"""
        select name, count(*) as num
        from marketing.marketing_targets inner join marketing.actions using (action)
        where is_eligible and segment_id = '{largest["segment_id"]}'
        group by action, name order by num desc, action
        """
    )
    assert card["eligible"] == ", ".join(f"{r.num} {r.name.lower()}" for r in actions.itertuples())
    assert card["typical"].startswith(f"{largest['median_num_orders']:.0f} order")

    reason = row(
        """
        select suppressed_reason, count(*) as num from marketing.marketing_targets
        where suppressed_reason is not null group by all order by num desc limit 1
        """
    )
    assert f": {reason['num']} customer" in sections["targets"].lead
    longest = row(
        """
        select name, count(*) as num
        from marketing.marketing_targets inner join marketing.actions using (action)
        where is_eligible group by all order by num desc limit 1
        """
    )
    assert said["targets-per-action"].startswith(
        f"{longest['name']} is the longest list, with {longest['num']} customer"
    )
    for action, num in shop.query(
        """
        select action, count(*) as num from marketing.marketing_targets
        where is_eligible group by all
        """
    ).itertuples(index=False):
        assert f"targets_{action}.csv ({num:,} customer" in said["targets-per-action"]

    extreme = shop.query(
        """
        unpivot (
            select segment, index_total_amount, index_num_orders, index_avg_order_value,
                index_days_since_last_order
            from segments.segment_profiles
            inner join segments.segment_definitions using (segment_id, segment)
            where cluster_id is not null
        ) on columns(* exclude segment) into name metric value index
        order by abs(ln(greatest(index, 1) / 100)) desc limit 1
        """
    ).iloc[0]
    assert said["profile-indices"].startswith(f"{extreme['segment']} stand out most, in ")
    assert f"their mean is {extreme['index']:.0f} where" in said["profile-indices"]

    rules = shop.query("from segments.segment_rules order by rule")
    assert f" give {percent(rules['fidelity'][0])} of the clustered" in sections["rules"].lead
    told = {r["condition"]: r for g in sections["rules"].content["groups"] for r in g["rules"]}
    for rule in rules.to_dict("records"):
        for share in ("coverage", "precision", "recall"):
            assert told[rule["condition"]][share] == percent(rule[share])

    kmeans = shop.query(
        "from clustering.clustering_candidates where algorithm = 'kmeans' order by k"
    ).set_index("k")
    chosen = kmeans[kmeans["is_selected"]].iloc[0]
    best = kmeans["silhouette"].idxmax()
    assert f"highest at k = {best} ({figure(kmeans['silhouette'][best])})" in said["silhouette"]
    assert f"Jaccard overlap of {figure(chosen['bootstrap_jaccard'])}, where" in said["stability"]
    passing = kmeans.query(
        f"bootstrap_jaccard >= {VARS['min_bootstrap_jaccard']}"
        f" and bootstrap_adjusted_rand >= {VARS['min_bootstrap_adjusted_rand']}"
        f" and smallest_cluster_share >= {VARS['min_segment_share']}"
    )
    if len(passing):
        told_k = re.findall(r"\d+", said["stability"].partition(" reproduced")[0])
        assert [int(k) for k in told_k] == list(passing.index)
    agreement = row(
        f"""
        select agreement_with_kmeans as rand from clustering.clustering_candidates
        where algorithm = 'ward' and k = {chosen.name}
        """
    )["rand"]
    word = "agrees" if agreement >= 0.8 else "half agrees" if agreement >= 0.5 else "disagrees"
    assert (
        f"clustering {word} with K-means there (adjusted Rand index {figure(agreement)})"
        in (said["silhouette"])
    )
    index = shop.value("select max(population_stability_index) from segments.segment_drift")
    assert f"(population stability index {figure(index)})" in sections["choice"].lead

    for name, shape in (
        shop.query("from metrics.metric_distributions").set_index("metric").iterrows()
    ):
        key = str(name).replace("_", "-")
        assert f"skewness {figure(shape['sample_skewness'])}" in said[f"{key}-before"]
        if not is_in_money(str(name)):
            assert f"nine tenths {figure(shape['p90'])} or less" in said[f"{key}-before"]
        if "logarithm takes" in said[f"{key}-after"]:
            logged = figure(shape["sample_skewness_after_log1p"])
            to = f"from {figure(shape['sample_skewness'])} to {logged};"
            assert to in said[f"{key}-after"]
    pair = row("from metrics.metric_correlations order by abs(pearson_of_transformed) desc limit 1")
    assert f"({pair['pearson_of_transformed']:.2f})" in said["correlations"]

    excluded = row(
        """
        select
            sum(amount) as amount,
            max(num_rows) as most,
            max(num_rows) / (select sum(num_rows) from staging.order_exclusions) as share
        from staging.order_exclusions where exclusion_reason != 'accepted'
        """
    )
    assert (
        f"{excluded['most']:.0f} rows, {percent(excluded['share'])} of all"
        in sections["arrivals"].lead
    )
    assert f"hold {excluded['amount']:,.0f}, as far" in said["exclusions"]
    medians = shop.query(
        """
        select min(median_num_orders) as low, max(median_num_orders) as high
        from segments.segment_profiles
        where segment_id in (select cast(cluster_id as varchar) from clustering.customer_clusters)
        """
    ).iloc[0]
    by_orders = said["customers-by-days-since-last-order-and-num-orders"]
    if "median of orders" in by_orders:
        assert f"goes from {figure(medians['low'])} to {figure(medians['high'])}." in by_orders


def test_its_figures_are_true(
    sample_build: Build, sample: Path, sample_sections: dict[str, Any]
) -> None:
    sections = sample_sections
    assert_its_figures_are_true(sample_build, sections)
    eligible = sample_build.value(
        "select count(*) filter (where is_eligible) / count(*) from marketing.marketing_targets"
    )
    figures = {name: value for value, name in headline(Shop(sample))["figures"]}
    unknown = sample_build.value(
        "select count(*) from marketing.marketing_targets"
        " where is_eligible and consent_status = 'unknown'"
    )
    assert unknown > 0
    said = f"on a list, {unknown:,} of unknown consent"
    assert figures[said] == percent(eligible)
    again = sample_build.value(
        "select resampling_share from clustering.clustering_candidates where is_selected"
    )
    resamples = VARS["num_resamples"]
    said_again = f"would have been chosen in {again * resamples:.0f} of {resamples} resamples"
    assert said_again in sections["choice"].lead

    features = sample_build.query(
        "from clustering.clustering_features"
        " where model_version = 1 and is_selected and stage = 'everybody'"
    )
    scaled = ", ".join(
        f"({f'ln(1 + {f.feature})' if f.transform == 'log1p' else f.feature} - {f.centre})"
        f" / {f.scale}"
        for f in features.itertuples()
    )
    spread = np.linalg.eigvalsh(
        np.cov(sample_build.query(f"select {scaled} from clustering.clustering_sample").T)
    )
    (plot,) = [p for p in sections["customers"].plots if p.key.endswith("components")]
    assert f" show {percent(spread[-2:].sum() / spread.sum())} of their variance." in plot.sentence


def test_a_shop_of_a_few_customers_with_one_order_each(build: Builder, tmp_path: Path) -> None:
    """Nothing varies in the number of orders, and little is reproduced."""
    orders = tmp_path / "orders.parquet"
    duckdb.sql(
        f"""
        copy (
            select
                'C' || i as customer_id, 'O' || i as order_id,
                timestamp '2025-01-01' + interval (i * 37 % 50) day as ordered_at,
                0.01 + (i * 29 % 13) / 1000 as amount
            from range(12) as numbers(i)
        ) to '{orders}'
        """
    )
    columns = {c: c for c in ("customer_id", "order_id", "ordered_at", "amount")}
    shop = build(
        data_tests=True,
        orders_location=str(orders),
        order_columns=columns,
        segment_count_range=[2, 3],
        currency="BTC",
    )
    assert shop.success, shop.log
    sections = sections_of(shop.copy(tmp_path / "copy"))
    assert_it_can_be_read(sections)
    plots = {plot.key: plot for section in sections.values() for plot in section.plots}
    assert plots["num-orders-before"].sentence == "Every customer has 1."
    assert "sets nobody apart" in plots["num-orders-after"].sentence
    assert "BTC\xa00.01" in sections["segments"].content["cards"][0]["typical"]
    assert "exclusions" not in plots
    assert sections["arrivals"].lead.endswith("None was excluded.")


def test_two_segments_of_a_shop_with_more_kinds_of_customers(
    build: Builder, tmp_path: Path
) -> None:
    shop = build(
        data_tests=True, segment_count=2, metrics_window_days=90, returns="exclude", max_rules=2
    )
    sections = sections_of(shop.copy(tmp_path / "copy"))
    assert_it_can_be_read(sections)
    assert_its_figures_are_true(shop, sections)
    assert "The boundary between them is a " in sections["choice"].lead
    name = shop.value(
        "select name from segments.segment_archetypes where archetype = 'no_order_in_window'"
    )
    cards = {card["name"]: card for card in sections["segments"].content["cards"]}
    assert cards[name]["typical"] is None


def test_evidence_that_was_not_measured_and_metrics_that_came_later(
    build: Builder, tmp_path: Path
) -> None:
    features = ["total_amount", "num_orders", "avg_order_value", "days_since_last_order"]
    shop = build(num_bootstraps=0, num_resamples=0)
    assert shop.success, shop.log
    shop = build(model_version=1, candidate_features=[*features, "tenure_days"])
    assert shop.success, shop.log
    sections = sections_of(shop.copy(tmp_path / "copy"))
    assert_it_can_be_read(sections)
    keys = {plot.key for section in sections.values() for plot in section.plots}
    assert "stability" not in keys
    assert {"inertia", "correlations"} <= keys


def test_one_metric_alone(build: Builder, tmp_path: Path) -> None:
    shop = build(candidate_features=["num_orders"], selected_features=["num_orders"])
    assert shop.success, shop.log
    sections = sections_of(shop.copy(tmp_path / "copy"))
    assert_it_can_be_read(sections)
    assert "correlations" not in {plot.key for plot in sections["metrics"].plots}


def test_many_segments_and_nobody_to_write_to(build: Builder, tmp_path: Path) -> None:
    shop = build(
        segment_count=12,
        max_rules=6,
        customer_columns=dict(customer_id="customer_id", has_consent="'no'"),
        unknown_consent_is_eligible=False,
    )
    sections = sections_of(shop.copy(tmp_path / "copy"))
    assert_it_can_be_read(sections)
    assert "natural groups among the customers, at another number" in sections["choice"].lead
    assert re.search(r"No rule tells \d of the segments: that would", sections["rules"].lead)
    assert sections["targets"].lead.startswith("0 of ")
    assert "Nobody may be contacted" in sections["targets"].plots[0].sentence
    cards = sections["segments"].content["cards"]
    assert len({card["badge"] for card in cards if card["is_cluster"]}) == 12


def test_the_exposure_names_the_tables_that_are_read(
    sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    queries: list[str] = []
    read = Shop.read
    monkeypatch.setattr(Shop, "read", lambda shop, sql: (queries.append(sql), read(shop, sql))[1])
    shop = Shop(sample)
    make_sections(shop, quiet)
    assert shop.facts
    assert shop.alarms
    names = {name for sql in queries for name in re.findall(r"(?:from|join)\s+(\w+)", sql)}
    with duckdb.connect(str(sample), read_only=True) as connection:
        known = connection.sql(
            "select table_name from duckdb_tables() union select view_name from duckdb_views()"
        ).fetchall()
    tables = {name for name in names if (name,) in known}
    exposures = yaml.safe_load((PROJECT / "models" / "exposures.yml").read_text())["exposures"]
    (report,) = [exposure for exposure in exposures if exposure["name"] == "segment_report"]
    assert {ref.split("'")[-2] for ref in report["depends_on"]} == tables


def test_no_key_no_address_and_no_path_is_published(tmp_path: Path) -> None:
    """Customers whose ids are e-mail addresses, in a file whose folder has a telling name.

    And with faults that ring: one customer has a quarter of the orders, some ids are in capitals
    too, and addresses stand where amounts and statuses should.
    """
    orders = tmp_path / "confidential" / "orders.parquet"
    orders.parent.mkdir()
    seed = PROJECT / "seeds" / "raw_orders.csv"
    duckdb.sql(
        f"""
        copy (
            with addressed as (
                select
                    *,
                    lower(trim(customer_id)) || '@shop.example' as address,
                    hash(order_id) % 20 as die
                from read_csv('{seed}', all_varchar = true)
            )
            select * exclude (address, die) replace (
                case
                    when die < 5 then 'reseller@shop.example'
                    when die < 7 then upper(address)
                    else address
                end as customer_id,
                if(die = 7, address, amount) as amount,
                if(die = 8, address, status) as status
            )
            from addressed
        ) to '{orders}'
        """
    )
    columns = ("customer_id", "order_id", "ordered_at", "amount", "line_id", "status")
    variables = {"orders_location": str(orders), "order_columns": {c: c for c in columns}}
    shop = build_models(tmp_path / "shop.duckdb", QUICK | variables)
    assert shop.success, shop.log
    site = tmp_path / "site"
    copy = shop.copy(tmp_path / "copy")
    write_report(Shop(copy), site, quiet)
    assert run_dbt(shop.database, ["docs", "generate", "--static"], variables).success
    arguments = ["docs", "--target", str(tmp_path / "target"), "--site", str(site)]
    with contextlib.chdir(PROJECT):
        result = CliRunner().invoke(main, arguments, env={"DUCKDB_PATH": str(copy)})
        assert result.exit_code == 0, result.output

    customers = shop.query("select customer_id from segments.customer_segments")["customer_id"]
    assert customers.str.lower().str.contains("@shop.example").all()
    ringing = set(
        shop.query("select split_part(alarm, ':', 1) as name from metrics.input_alarms")["name"]
    )
    assert {"excluded_rows", "one_customer", "similar_customer_ids", "unknown_status"} <= ringing
    published = {path.name: path.read_text() for path in site.rglob("*") if path.is_file()}
    assert {"index.html", "targets-per-action.svg"} <= set(published)
    for path in site.rglob("*"):
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            assert "@shop.example" not in text.lower(), path
            assert "confidential" not in text, path
            for folder in (PROJECT, Path.home(), tmp_path):
                assert f"{folder}/" not in text, (path, folder)
    assert "read_parquet('./orders.parquet'" in (site / "docs" / "index.html").read_text(
        encoding="utf-8"
    )
    report = (site / "report" / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"[\w.+-]+@[\w-]+\.[a-z]{2,}", report), "an e-mail address"


def test_pictures_are_svg_without_the_page(
    sample_report: Path, sample_sections: dict[str, Any]
) -> None:
    pictures = sorted((sample_report.parent / "pictures").glob("*.svg"))
    plots = [plot for section in sample_sections.values() for plot in section.plots]
    assert sorted(picture.stem for picture in pictures) == sorted(plot.key for plot in plots)
    for picture in pictures:
        text = picture.read_text(encoding="utf-8")
        assert ElementTree.fromstring(text).tag.endswith("svg")
        assert "var(--" not in text, f"{picture.name}: a colour that only the page knows"


def test_index_leads_to_what_is_there(sample_report: Path) -> None:
    index = (sample_report.parents[1] / "index.html").read_text(encoding="utf-8")
    assert 'href="report/index.html"' in index
    assert "docs/index.html" not in index


# ---- The command line


def report(*arguments: Any) -> Any:
    return CliRunner().invoke(main, ["report", *map(str, arguments)])


def test_the_command_shows_progress_and_writes_the_same_bytes_again(
    sample: Path, sample_report: Path, tmp_path: Path
) -> None:
    result = report("--database", sample, "--site", tmp_path / "site")
    assert result.exit_code == 0, result.output
    assert "The segments at a glance: 1 plot" in result.output
    page = tmp_path / "site" / "report" / "index.html"
    assert f"{page}: " in result.output
    assert (tmp_path / "site" / "index.html").exists()
    assert page.read_bytes() == sample_report.read_bytes()
    assert page.stat().st_size < 5_000_000


def test_a_missing_database_is_one_sentence(tmp_path: Path) -> None:
    result = report("--database", tmp_path / "none.duckdb", "--site", tmp_path / "site")
    assert result.exit_code == 1
    assert "There is no database" in result.output
    assert "make build" in result.output
    assert not (tmp_path / "site").exists()


def test_a_half_built_database_is_one_sentence_and_the_old_report_stays(
    sample: Path, sample_report: Path, tmp_path: Path
) -> None:
    half = tmp_path / "half.duckdb"
    shutil.copy(sample, half)
    site = shutil.copytree(sample_report.parents[1], tmp_path / "site")
    before = (site / "report" / "index.html").read_bytes()
    with duckdb.connect(str(half)) as connection:
        connection.sql("drop table segments.segment_rules")
    result = report("--database", half, "--site", site)
    assert result.exit_code == 1
    assert "segment_rules" in result.output
    assert "Build it again" in result.output
    assert (site / "report" / "index.html").read_bytes() == before


def test_something_that_is_no_database_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "text.duckdb").write_text("not a database, only text " * 400)
    result = report("--database", tmp_path / "text.duckdb", "--site", tmp_path / "site")
    assert result.exit_code == 1
    assert "is no DuckDB database, but something else. Move it away" in result.output


def test_a_folder_that_cannot_be_written_is_one_sentence(sample: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    result = report("--database", sample, "--site", tmp_path / "file" / "site")
    assert result.exit_code == 1
    assert "can't be written" in result.output
    assert "--site" in result.output


def test_docs_before_they_are_made_are_one_sentence(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["docs", "--target", str(tmp_path), "--site", str(tmp_path)])
    assert result.exit_code == 1
    assert "make docs" in result.output


def test_a_shop_with_nothing_left_has_no_shares(sample: Path, tmp_path: Path) -> None:
    database = Path(shutil.copy(sample, tmp_path / "negative.duckdb"))
    with duckdb.connect(str(database)) as connection:
        connection.sql("update segments.segment_profiles set revenue = -revenue")
    section = sections_of(database)["segments"]
    assert section.lead == section.plots[0].sentence == NOTHING_LEFT


@pytest.mark.parametrize(
    ("shares", "told"),
    [
        ({5: 1.0}, "5 would have been chosen in 20 of 20 resamples"),
        ({5: 0.6, 4: 0.4}, "5 would have been chosen in 12 of 20 resamples, 4 in the other 8"),
        (
            {5: 0.1, 4: 0.15, 6: 0.75},
            "5 would have been chosen in 2 of 20 resamples, but 6 in 15 and 4 in 3",
        ),
        ({5: 0.8}, "5 would have been chosen in 16 of 20 resamples, no number in the other 4"),
        ({4: 0.7, 6: 0.3}, "5 would have been chosen in 0 of 20 resamples, but 4 in 14 and 6 in 6"),
    ],
)
def test_what_resamples_would_choose_instead_is_said(shares: dict[int, float], told: str) -> None:
    table = pd.DataFrame({"k": [4, 5, 6]})
    table["resampling_share"] = table["k"].map(shares).fillna(0.0)
    assert resampled_choice(table, 5, 20) == told


@pytest.mark.parametrize(
    ("word", "says"),
    [
        (
            "reproducible segments",
            "The customers form reproducible segments of a continuum: at no number of segments in"
            " the range is there a valley between every two of them, but resampling finds these"
            " again, so the number is a convention.",
        ),
        (
            "constructed segments",
            "The customers form constructed segments: at no number of segments in the range is"
            " there a valley between every two of them, and resampling does not find these again"
            " as surely as it should, so the number is a convention.",
        ),
        (
            "continuum",
            "The customers are a continuum: at no number of segments in the range is there a"
            " valley between every two of them, so the number is a convention.",
        ),
    ],
)
def test_the_verdict_is_said_in_its_words_and_old_ones_as_before(
    sample: Path, tmp_path: Path, word: str, says: str
) -> None:
    database = Path(shutil.copy(sample, tmp_path / "shop.duckdb"))
    with duckdb.connect(str(database)) as connection:
        connection.sql(f"update clustering.clustering_candidates set verdict = '{word}'")
    assert sections_of(database)["choice"].lead.startswith(says)


def test_a_restored_version_says_that_its_evidence_is_elsewhere(
    sample: Path, tmp_path: Path
) -> None:
    database = tmp_path / "restored.duckdb"
    shutil.copy(sample, database)
    with duckdb.connect(str(database)) as connection:
        connection.sql("delete from clustering.clustering_candidates")
        connection.sql("delete from clustering.cluster_boundaries")
    section = sections_of(database)["choice"]
    assert "restored from a registry" in section.lead
    assert [plot.key for plot in section.plots] == ["foretold"], "which needs no evidence"


def test_a_fit_that_did_not_say_what_is_reproduced_is_not_judged_anew(
    sample: Path, tmp_path: Path
) -> None:
    """Databases of earlier versions: before the next build, and after it."""
    database = Path(shutil.copy(sample, tmp_path / "earlier.duckdb"))
    with duckdb.connect(str(database)) as connection:
        connection.sql("update clustering.clustering_candidates set is_reproduced = null")
    (plot,) = [p for p in sections_of(database)["choice"].plots if p.key == "stability"]
    assert re.match(r"At \d the least stable segment is found again with a Jaccard", plot.sentence)
    with duckdb.connect(str(database)) as connection:
        connection.sql("alter table clustering.clustering_candidates drop column is_reproduced")
    with pytest.raises(NotReadable, match="is_reproduced"):
        sections_of(database)


def test_those_who_find_k_themselves_say_what_they_look_for(
    sample: Path, sample_build: Build, sample_sections: dict[str, Any], tmp_path: Path
) -> None:
    (plot,) = [p for p in sample_sections["choice"].plots if p.key == "silhouette"]
    density = sample_build.query(
        "from clustering.clustering_candidates where algorithm like '%dbscan'"
    ).set_index("algorithm")
    for name, told in (("DBSCAN", "one density for all groups"), ("HDBSCAN", "any density")):
        row = density.loc[name.lower()]
        assert (
            f" {name} looks for gaps at {told}: it finds {count(row['k'], 'cluster')} and leaves"
            f" {percent(row['noise_share'])} of the customers outside." in plot.sentence
        )
    assert density["k"].to_dict() == {"dbscan": 2, "hdbscan": 6}
    least = sample_build.query("select arg_min(k, bic) as k from clustering.clustering_candidates")[
        "k"
    ][0]
    assert f"The BIC of the mixtures is least at k = {least}." in plot.sentence
    assert plot.table.headings[-1] == "BIC"
    # A fit of before knows neither.
    database = Path(shutil.copy(sample, tmp_path / "earlier.duckdb"))
    with duckdb.connect(str(database)) as connection:
        connection.sql(
            "delete from clustering.clustering_candidates"
            " where algorithm in ('hdbscan', 'gaussian_mixture')"
        )
    (plot,) = [p for p in sections_of(database)["choice"].plots if p.key == "silhouette"]
    assert "BIC" not in plot.sentence + str(plot.table.headings)
    assert "mixture" not in plot.sentence


def test_limits_and_unscaled_features_are_told(sample: Path, tmp_path: Path) -> None:
    database = Path(shutil.copy(sample, tmp_path / "limited.duckdb"))
    with duckdb.connect(str(database)) as connection:
        connection.sql(
            """
            update clustering.clustering_features
            set lower_limit = 2, upper_limit = 9, skewness = 1.5, centre = 0, scale = 1
            where feature = 'num_orders'
            """
        )
    plots = {p.key: p for p in sections_of(database)["metrics"].plots}
    plot = plots["num-orders-after"]
    assert plot.title == "Orders, log and not scaled"
    start = "Values below 2 count as that. Values above 9 count as that. The logarithm takes the"
    assert plot.sentence.startswith(f"{start} skewness from 1.5 to ")
    assert "scaled" not in plot.sentence
    assert plot.table.rows[0][0].startswith(figure(math.log(3)))
    assert "count as that" not in plots["avg-order-value-after"].sentence


def test_tables_write_a_dash_for_what_is_missing() -> None:
    from customer_segmentation.report.section import Table

    table = Table.of(
        pd.DataFrame({"name": ["a", None], "value": [1.0, float("nan")]}),
        {"name": ("Name", None), "value": ("Value", "{:.1f}".format)},
    )
    assert table.rows == [["a", "1.0"], ["–", "–"]]  # noqa: RUF001
