"""What is computed in other processes is what would be computed here."""

import os

import numpy as np
import pandas as pd
import pytest

from customer_segmentation.candidates import score_candidates
from customer_segmentation.processes import PROCESSES, Call, num_processes


def identity_of_the_process() -> int:
    return os.getpid()


def end_the_process(but: int) -> str:
    if os.getpid() != but:
        os._exit(1)
    return "computed here"


def test_calls_are_made_elsewhere_but_for_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PROCESSES, "2")
    assert Call(identity_of_the_process).result() != os.getpid()
    monkeypatch.setenv(PROCESSES, "1")
    assert Call(identity_of_the_process).result() == os.getpid()


def test_what_a_lost_process_had_to_do_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PROCESSES, "2")
    assert Call(end_the_process, os.getpid()).result() == "computed here"
    # The next call finds processes again.
    assert Call(identity_of_the_process).result() != os.getpid()


def test_an_error_is_that_of_the_function(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PROCESSES, "2")
    call = Call(score_candidates, np.full((3, 1), np.nan), range(2, 3), random_seed=1)
    with pytest.raises(TypeError, match="num_bootstraps"):
        call.result()


def test_the_result_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    points = np.random.default_rng(1).normal(size=(300, 2))
    scored = []
    for number in ("1", "2"):
        monkeypatch.setenv(PROCESSES, number)
        call = Call(score_candidates, points, range(2, 4), random_seed=1, num_bootstraps=3)
        scored.append(call.result().drop(columns="seconds"))
    pd.testing.assert_frame_equal(*scored, check_exact=True)


@pytest.mark.parametrize("given", ["two", "0", "-1", "1.5"])
def test_what_is_no_number_of_processes_is_told(
    given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PROCESSES, given)
    with pytest.raises(ValueError, match=f"'{given}' is no number of processes. Give 1 or more"):
        num_processes()
