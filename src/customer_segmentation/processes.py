"""Long computations in processes of their own, on all processors, with the same result as on one.

A build's own process has threads that wait for the database and for each other; beside them a
computation in Python gets half of a processor.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from importlib import import_module
from typing import Any

from joblib.externals.loky import get_reusable_executor

PROCESSES = "CUSTOMER_SEGMENTATION_PROCESSES"
"""Variable of the environment: how many processes compute; 1 for the build's own alone."""

MOST_PROCESSES = 8
"""More than this have nothing to do."""

SECONDS_TO_WAIT = 60
"""Processes without work end after this time."""


def num_processes() -> int:
    """As many as there are processors, if ``PROCESSES`` does not say it.

    Raises ``ValueError`` if it says no number.
    """
    if given := os.environ.get(PROCESSES):
        if not given.isdecimal() or int(given) < 1:
            raise ValueError(f"{PROCESSES}: '{given}' is no number of processes. Give 1 or more.")
        return int(given)
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    return min(processors or os.cpu_count() or 1, MOST_PROCESSES)


def _executor() -> Executor:
    executor: Executor = get_reusable_executor(num_processes(), timeout=SECONDS_TO_WAIT)
    return executor


def start(module: str) -> None:
    """Start the processes and let them import a module, while this process goes on."""
    if num_processes() > 1:
        for _ in range(num_processes()):
            _executor().submit(import_module, module)


class Call:
    """A call that is computed elsewhere, or here when its result is taken."""

    def __init__(self, function: Callable[..., Any], *arguments: Any, **named: Any) -> None:
        """Begin to compute; function and arguments must be such that they can be pickled."""
        self._here = partial(function, *arguments, **named)
        self._elsewhere: Future[Any] | None = None
        if num_processes() > 1:
            self._elsewhere = _executor().submit(self._here)

    def result(self) -> Any:
        """Wait for the result; compute it here where its process ended, as for lack of memory."""
        if self._elsewhere is None:
            return self._here()
        try:
            return self._elsewhere.result()
        except BrokenProcessPool:
            return self._here()
