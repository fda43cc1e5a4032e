"""Lists as files: for importers byte by byte, for people in a spreadsheet, whole or not at all."""

import csv
import json
import os
import shutil
import stat
import subprocess
import zipfile
from hashlib import sha256
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import duckdb
import pytest
from click.testing import CliRunner
from conftest import Build

from customer_segmentation import exporting
from customer_segmentation.cli import main

NAMES = ["00042", "Zoë, “née” O'Hara\nof two lines", "=1+1", "+49 171 123", "-5", "@sum(1)",
         "-1+cmd|' /C calc'!A0", "1e5", "2024-01-05", "\t=1", "TRUE", " x"]  # fmt: skip
RUN = {"=1+1", "@sum(1)", "-1+cmd|' /C calc'!A0", "\t=1"}
"""Those that a spreadsheet would run or take apart."""


@pytest.fixture
def shop(sample_build: Build, tmp_path: Path) -> Path:
    """A built shop whose first customers are called as nobody should be."""
    database = sample_build.copy(tmp_path / "built")
    with duckdb.connect(str(database)) as connection:
        ids = connection.sql(
            "select customer_id from marketing.targets_win_back order by customer_id"
            f" limit {len(NAMES)}"
        ).fetchall()
        for (old,), new in zip(ids, NAMES, strict=True):
            for table in (
                "segments.customer_segments",
                "marketing.marketing_targets",
                "segments.customer_segment_changes",
            ):
                connection.execute(
                    f"update {table} set customer_id = $new where customer_id = $old",
                    {"new": new, "old": old},
                )
    return database


def export(database: Path, folder: Path, *further: str) -> tuple[dict[str, Any], str]:
    said = CliRunner().invoke(
        main, ["export", "--database", str(database), "--folder", str(folder), *further]
    )
    assert said.exit_code == 0, said.output
    return json.loads((folder / "manifest.json").read_text()), said.output


AS_SHOWN = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true"


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_list_is_a_file_with_its_rows_and_hash(
    shop: Path, sample_build: Build, tmp_path: Path
) -> None:
    folder = tmp_path / "export"
    manifest, said = export(shop, folder, "--key", "E-mail")
    files = {file["file"]: file for file in manifest["files"]}
    assert sorted([*files, "manifest.json"]) == sorted(p.name for p in folder.iterdir())
    for name, file in files.items():
        path = folder / name
        assert file["sha256"] == sha256(path.read_bytes()).hexdigest()
        assert file["columns"][0] == "E-mail"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert f"{name}: {file['rows']:,} rows" in said
        table = path.stem
        if table in ("customer_segments", "segment_changes_since_last_month"):
            assert {"consent_status", "is_eligible"} <= set(file["columns"])
        if table.startswith("targets_"):
            assert file["rows"] == sample_build.value(f"select count(*) from marketing.{table}")
            assert "consent_status" in file["columns"]
        if path.suffix == ".csv":
            assert len(rows_of(path)) == file["rows"]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    num_changes = sample_build.value(
        "select count(*) from segments.customer_segment_changes"
        " where changed_on > date '2025-12-01'"
    )
    assert files["segment_changes_since_last_month.csv"]["rows"] == num_changes > 0
    assert manifest["as_of_date"] == "2026-01-01"
    assert manifest["edition"] > 0


def test_ids_arrive_as_they_are_and_formulas_as_text(shop: Path, tmp_path: Path) -> None:
    manifest, _ = export(shop, tmp_path / "export")
    ids = {row["customer_id"] for row in rows_of(tmp_path / "export" / "targets_win_back.csv")}
    assert {f"'{name}" if name in RUN else name for name in NAMES} <= ids
    (file,) = (f for f in manifest["files"] if f["file"] == "targets_win_back.csv")
    assert file["neutralised_cells"] == len(RUN)
    # In a sheet text is text: nothing needs a mark, and nothing is a formula or a number.
    with zipfile.ZipFile(tmp_path / "export" / "targets_win_back.xlsx") as sheet:
        tree = ElementTree.fromstring(sheet.read("xl/worksheets/sheet1.xml"))
    space = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    assert not list(tree.iter(f"{space}f"))
    first = [
        (cell.get("t"), "".join(cell.itertext()))
        for cell in tree.iter(f"{space}c")
        if str(cell.get("r")).startswith("A") and str(cell.get("r"))[1:].isdigit()
    ]
    assert {kind for kind, _ in first} == {"inlineStr"}
    assert {name for name in NAMES if name.isprintable()} <= {text for _, text in first}


@pytest.mark.skipif(not shutil.which("soffice"), reason="needs LibreOffice")
def test_a_spreadsheet_shows_the_same(shop: Path, tmp_path: Path) -> None:
    folder = tmp_path / "export"
    export(shop, folder)
    subprocess.run(
        ["soffice", "--headless", "--convert-to", AS_SHOWN,
         "--outdir", str(tmp_path), str(folder / "targets_win_back.xlsx")],
        check=True, capture_output=True, env=os.environ | {"HOME": str(tmp_path)},
    )  # fmt: skip
    shown, written = (
        rows_of(tmp_path / "targets_win_back.csv"),
        rows_of(folder / "targets_win_back.csv"),
    )
    assert len(shown) == len(written)
    assert {name for name in NAMES if name.isprintable()} <= {row["customer_id"] for row in shown}


def test_whole_or_not_at_all(shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "export"
    export(shop, folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(exporting, "write_sheet", full)
    said = CliRunner().invoke(
        main, ["export", "--database", str(shop), "--folder", str(folder), "--key", "other"]
    )
    assert said.exit_code != 0
    assert "Traceback" not in said.output
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("key", ["segment", "consent_status"])
def test_a_key_that_is_called_like_a_column_is_one_sentence(
    shop: Path, tmp_path: Path, key: str
) -> None:
    folder = str(tmp_path / "export")
    said = CliRunner().invoke(
        main, ["export", "--database", str(shop), "--folder", folder, "--key", key]
    )
    assert said.exit_code == 1
    assert f"has a column '{key}' already. Give another name." in said.output
    manifest, _ = export(shop, tmp_path / "export", "--key", 'the "id"')
    assert rows_of(tmp_path / "export" / "customer_segments.csv")[0]['the "id"']
    assert manifest["key"] == 'the "id"'


def test_a_folder_of_something_else_is_left_alone(shop: Path, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.txt").write_text("mine")
    said = CliRunner().invoke(
        main, ["export", "--database", str(shop), "--folder", str(tmp_path / "home")]
    )
    assert said.exit_code == 1
    assert "has other files. Name another folder." in said.output
    assert (tmp_path / "home" / "thesis.txt").read_text() == "mine"
