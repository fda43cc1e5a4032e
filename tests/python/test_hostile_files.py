"""Exports as hostile as real ones: every row is in the ledger, or one sentence names the file.

``make hostile-files`` builds 500 of them; here are a few.
"""

import os
import re
from collections import Counter
from pathlib import Path

import pytest
from conftest import NO_DATA_TESTS, NO_UNIT_TESTS, run_dbt

from hostile_files import make_case

NUM_FILES = int(os.environ.get("HOSTILE_FILES", "8"))
FIRST = int(os.environ.get("HOSTILE_FILES_FROM", "0"))


def test_every_row_is_in_the_ledger_or_a_sentence_says_why(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    outcomes: Counter[str] = Counter()
    wrong = []
    for seed in range(FIRST, FIRST + NUM_FILES):
        case = make_case(seed, tmp_path / str(seed))
        build = run_dbt(
            tmp_path / "shop.duckdb",
            ["build", *NO_UNIT_TESTS, *NO_DATA_TESTS, "--select", "+order_exclusions"],
            {"orders_location": case.location} | case.variables,
        )
        if build.success:
            counted = build.value("select sum(num_rows) from staging.order_exclusions")
            outcome = "green, ledger agrees" if counted == case.num_rows else "green, rows lost"
            said = f"{counted} rows of {case.num_rows}"
        else:
            said = next((m for m in build.messages if "Invalid Input Error: " in m), build.log)
            said = said.split("Invalid Input Error: ")[-1].split("\n")[0]
            names_file = any(str(path) in said for path in case.paths) or case.location in said
            has_line = re.search(r"line \d+", said)
            outcome = (
                "stack trace" if "Traceback" in build.log
                else "sentence with file and line" if names_file and has_line
                else "sentence with file" if names_file
                else "No order accepted" if said.startswith("No order was accepted")
                else "another sentence"
            )  # fmt: skip
        outcomes[outcome] += 1
        if outcome in ("green, rows lost", "stack trace", "another sentence"):
            wrong.append((seed, outcome, case.faults, said))
        elif NUM_FILES > 50:
            with capfd.disabled():
                print(seed, outcome, case.faults, "" if build.success else said, flush=True)
    if NUM_FILES > 50:
        with capfd.disabled():
            print(*outcomes.most_common(), sep="\n")
    assert not wrong
    assert outcomes["green, ledger agrees"] > 0
