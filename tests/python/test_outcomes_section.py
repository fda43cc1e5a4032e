"""What the page says of how the segments fared, on the sample, and where RFM wins."""

import shutil
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
from conftest import Build

from customer_segmentation.report.page import make_sections
from customer_segmentation.report.sections.outcomes import beside_rfm
from customer_segmentation.report.shop import Shop
from customer_segmentation.report.wording import percent


def quality(**said: str) -> pd.DataFrame:
    """Rows of RFM groups, with what the segments are in each measure."""
    rows = [("rfm_groups", measure, word) for measure, word in said.items()]
    return pd.DataFrame(rows, columns=["way", "measure", "segments_are"])


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (
            {"auc": "level", "spearman": "better", "r2_log_spend": "better"},
            "The segments predicted who spends more than others and how much they spend better than"
            " the ten standard RFM groups; in who orders again no clear difference was found.",
        ),
        (
            {"auc": "worse", "spearman": "better", "r2_log_spend": "level"},
            "The ten standard RFM groups predicted who orders again better than the segments; the"
            " segments predicted who spends more than others better than they; in how much they"
            " spend no clear difference was found.",
        ),
        (
            {"r2_log_spend": "level", "spearman": "level", "auc": "level"},
            "In who orders again, who spends more than others and how much they spend no clear"
            " difference between the segments and the ten standard RFM groups was found.",
        ),
        ({}, ""),
    ],
)
def test_rfm_is_told_to_win_where_it_does(said: dict[str, str], sentence: str) -> None:
    assert beside_rfm(quality(**said)) == sentence


def sections_of(database: Path) -> dict[str, Any]:
    return {made.key: made for made in make_sections(Shop(database), lambda message: None)}


@pytest.fixture
def database(sample_build: Build, tmp_path: Path) -> Path:
    return sample_build.copy(tmp_path)


def test_the_page_says_what_the_tables_say(database: Path, sample_build: Build) -> None:
    sections = sections_of(database)
    outcomes = sample_build.query("from segments.segment_outcomes order by share_ordered desc")
    plots = {plot.key: plot for plot in sections["outcomes"].plots}
    first = outcomes.iloc[0]
    sentence = plots["predicted-by-segment"].sentence
    assert f"Most ordered of {first['segment']} ({percent(first['share_ordered'])})" in sentence
    inside = outcomes["predicted_share"].between(
        outcomes["share_ordered_low"], outcomes["share_ordered_high"]
    )
    said = f"For {6 - inside.sum()} of 6 segments the prediction is outside the range that chance"
    assert said in sentence
    ways = sample_build.query("from segments.segmentation_quality")
    told = beside_rfm(ways)
    assert told
    assert told in sections["outcomes"].lead
    assert told in sections["choice"].lead
    gains = ways[(ways["way"] == "rfm_groups") & (ways["measure"] == "auc")]["gain_of_segments"]
    assert ["Ten RFM groups", f"{gains.iloc[0]:+.3f}"] in [
        [row[0], row[4]] for row in plots["quality"].table.rows
    ]


def test_where_nothing_was_graded_the_page_says_so(database: Path) -> None:
    copy = Path(shutil.copy(database, database.with_name("ungraded.duckdb")))
    with duckdb.connect(str(copy)) as connection:
        connection.sql("delete from segments.segment_outcomes")
        connection.sql("delete from segments.segmentation_quality")
    sections = sections_of(copy)
    assert sections["outcomes"].lead.startswith("Nothing can be judged yet")
    assert sections["outcomes"].plots == ()
    assert "RFM" not in sections["choice"].lead


def test_the_last_day_of_the_version_that_scores_is_told(database: Path) -> None:
    copy = Path(shutil.copy(database, database.with_name("later.duckdb")))
    with duckdb.connect(str(copy)) as connection:
        for table in ("segment_outcomes", "segmentation_quality"):
            connection.sql(
                f"insert into segments.{table} from (select * replace (1 as model_version,"
                " date '2026-01-01' as as_of_date, date '2026-03-02' as outcomes_until)"
                f" from segments.{table})"
            )
    lead = sections_of(copy)["outcomes"].lead
    assert lead.startswith("Version 1 is held against what 963 customers did in the 60 days from")
    assert "2026-01-01" in lead


def test_the_comparison_is_of_the_day_that_is_told(database: Path) -> None:
    copy = Path(shutil.copy(database, database.with_name("nobody.duckdb")))
    with duckdb.connect(str(copy)) as connection:
        # A later day on which nobody ordered, so that nothing could be compared.
        connection.sql(
            "insert into segments.segment_outcomes from (select * replace (1 as model_version,"
            " date '2026-01-01' as as_of_date, date '2026-03-02' as outcomes_until,"
            " 0 as num_ordered, 0 as share_ordered) from segments.segment_outcomes)"
        )
    section = sections_of(copy)["outcomes"]
    assert "RFM" not in section.lead
    (plot,) = section.plots
    assert plot.sentence.startswith("Of each segment 0% ordered.")
