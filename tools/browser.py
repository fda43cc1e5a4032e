"""A browser for the tests and the pictures: found, or fetched where that is nobody's surprise.

`make browser` runs this file. Everything that needs a browser asks `find_browser`.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

COMMANDS = [
    "chromium", "chromium-browser", "chromium-headless-shell", "google-chrome",
    "google-chrome-stable", "chrome", "microsoft-edge", "microsoft-edge-stable", "msedge",
]  # fmt: skip

APPLICATIONS = [
    root / f"{name}.app" / "Contents" / "MacOS" / name
    for root in (Path("/Applications"), Path.home() / "Applications")
    for name in ("Chromium", "Google Chrome", "Microsoft Edge")
]

PLAYWRIGHT = [sys.executable, "-m", "playwright", "install", "chromium", "--only-shell"]

PACKAGE_MANAGERS = {
    "apt-get": [
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"],
    ],
    "dnf": [["dnf", "install", "-y", "-q", "chromium-headless"]],
}

MAX_SECONDS_TO_START, MAX_SECONDS_TO_DOWNLOAD, MAX_SECONDS_TO_INSTALL = 60, 300, 600

HOW_TO_GET_ONE = (
    "Install Chromium, Chrome or Edge (Debian and Ubuntu: sudo apt-get install chromium),"
    " or say where one is: CHROMIUM=/path make test"
)


class NoBrowser(Exception):
    """There is none, in one sentence that says what to do."""


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process and whatever it started: politely first, as it may be a package manager."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            # What runs under sudo is not ours to end.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, sign)
            with suppress(subprocess.TimeoutExpired):
                process.wait(5)


def run(command: Sequence[str], max_seconds: float, **environment: str) -> tuple[bool, str]:
    """Run a command and whatever it starts; returns whether it succeeded, and what it wrote.

    Nothing of it is left behind when the time is over or the user interrupts.
    """
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **environment},
                start_new_session=True,
            )
        except OSError as problem:
            return False, str(problem)
        late = ""
        try:
            process.wait(max_seconds)
        except subprocess.TimeoutExpired:
            late = f"It was not ready after {max_seconds:.0f} seconds."
        finally:
            end(process)
        output.seek(0)
        return process.returncode == 0, output.read() + late


def starts(path: str) -> bool:
    """Whether the browser opens an empty page."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        command = [path, *options, f"--user-data-dir={profile}", "--dump-dom", "about:blank"]
        succeeded, written = run(command, MAX_SECONDS_TO_START)
    return succeeded and "<html>" in written


def installed() -> Iterator[str]:
    """Browsers under their usual names."""
    yield from filter(None, map(shutil.which, COMMANDS))
    yield from (str(path) for path in APPLICATIONS if path.is_file())


def downloaded() -> Iterator[str]:
    """Browsers that Playwright downloaded; it is asked where it puts them."""
    _, plan = run([*PLAYWRIGHT, "--dry-run"], MAX_SECONDS_TO_START)
    for folder in re.findall(r"Install location: +(.*headless.*)", plan):
        yield from (
            str(path) for path in sorted(Path(folder).glob("*/*headless*shell*")) if path.is_file()
        )


def first_that_starts(paths: Iterator[str]) -> str | None:
    """Return the first browser that starts, and tell of those that don't."""
    for path in paths:
        if starts(path):
            return path
        print(f"{path} doesn't start.", flush=True)
    return None


def find_browser() -> str:
    """Where the browser is: CHROMIUM, else one that is installed, else Playwright's own.

    Raises NoBrowser if there is none that starts.
    """
    if named := os.environ.get("CHROMIUM"):
        path = shutil.which(named)
        if path is None:
            raise NoBrowser(
                f"CHROMIUM: there is no program '{named}'. Correct it, or unset it to have"
                " a browser looked for."
            )
        if not starts(path):
            raise NoBrowser(
                f"CHROMIUM: '{named}' doesn't start as a browser. Try '{named} --headless"
                " --no-sandbox --dump-dom about:blank', or unset it to have one looked for."
            )
        return path
    found = first_that_starts(installed()) or first_that_starts(downloaded())
    if found is None:
        raise NoBrowser(f"No browser here, and the report has to be seen in one. {HOW_TO_GET_ONE}")
    return found


def last_line(written: str) -> str:
    """Return what a failed command says: its first line with an error, else its last one."""
    lines = [line.strip() for line in written.splitlines() if line.strip()]
    errors = [line for line in lines if re.match(r"(E|Error|ERROR)\b", line)]
    return [*errors[:1], *lines[-1:], "It said nothing."][0]


def download() -> None:
    """Let Playwright download its browser, for this user only."""
    print("No browser is installed; Playwright downloads one ...", flush=True)
    quick = {"PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT": "10000"}
    succeeded, written = run(PLAYWRIGHT, MAX_SECONDS_TO_DOWNLOAD, **quick)
    if not succeeded:
        print(f"Playwright couldn't: {last_line(written)}", flush=True)


def may_install() -> bool:
    """Whether this machine is for CI or ours as root: on a person's own, nothing is installed."""
    in_ci = os.environ.get("CI", "").lower() not in ("", "0", "false")
    return in_ci or os.geteuid() == 0


def install() -> None:
    """Let the package manager install Chromium, with sudo where we aren't root."""
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    for manager, commands in PACKAGE_MANAGERS.items():
        if shutil.which(manager) is None:
            continue
        print(f"Installing Chromium with {manager} ...", flush=True)
        for command in commands:
            succeeded, written = run(
                [*as_root, "/usr/bin/env", "DEBIAN_FRONTEND=noninteractive", *command],
                MAX_SECONDS_TO_INSTALL,
            )
            if not succeeded:
                print(f"{manager} couldn't: {last_line(written)}", flush=True)
                break
        return


def provide() -> str:
    """Find a browser, or fetch one: from Playwright, else from the package manager.

    Raises NoBrowser if none could be fetched, or if CHROMIUM is wrong.
    """
    try:
        return find_browser()
    except NoBrowser:
        if os.environ.get("CHROMIUM"):
            raise
    download()
    found = first_that_starts(downloaded())
    if found is None and may_install():
        install()
        found = first_that_starts(installed())
    if found is None:
        raise NoBrowser(f"No browser could be had. {HOW_TO_GET_ONE}")
    return found


if __name__ == "__main__":
    try:
        print(f"Browser: {provide()}")
    except NoBrowser as problem:
        sys.exit(str(problem))
