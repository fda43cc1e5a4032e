"""Disturb builds at random moments while people read; say what they saw, and what is left.

    python benchmarks/kills.py --kills 200                    killed: SIGKILL, with all children
    python benchmarks/kills.py --kills 50 --kind disk-full    on a disk that is too small
    python benchmarks/kills.py --kills 50 --kind memory       with too little memory
    python benchmarks/kills.py --kills 50 --kind stop         held a second, another build tried
    python benchmarks/kills.py --kills 30 --in-place          plain ``dbt build``

A small shop lives through the builds of LIFE again and again: a first one, then scores and a
refit, as of two days by turns and with two exports, so that what is half new shows. Each is
disturbed; then the same build is asked for again, unless the disturbed one had already published,
and has to end with the tables of builds that nobody disturbed, hashed independent of the order of
rows. All the while one process opens the file, reads every layer and closes it, again and again,
and another one keeps its one connection. What they read has to be the edition before or the one
after, and never the one before again.

Moments: half are drawn uniformly from the time that this build last took (and 5 % more), a quarter
from its last tenth (and those 5 %), where the switch is. A quarter are steps on files: the build
counts what Python opens, links, renames and removes in the database's folder, and is disturbed just
before a step that is drawn, or up to 20 milliseconds later. With ``--in-place`` there are no such
steps (the last tenth takes their share); readers would lock the build out, and so wait until it has
begun, and none keeps a connection; and what was killed is asked for again, whatever it left.
"""

import argparse
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import yaml

from orders import write_orders
from reading import SHELLS, Read, Readers, edition_of, relations_of, tables_of, things_of

PROJECT = Path(__file__).resolve().parents[1]
NAME = "shop.duckdb"
KINDS = ("kill", "disk-full", "memory", "stop")
EXPORTS = {"a": (400, "2025-06-01"), "b": (440, "2025-07-01")}
"""Name: customers of the export, and the as-of date that it is built with."""

SETTINGS = """
dataset: kills
rows_are: orders
order_columns:
  customer_id: customer_id
  order_id: order_id
  ordered_at: ordered_at
  amount: amount
history_months: 2
evidence_sample_size: 200
num_bootstraps: 2
num_resamples: 0
segment_count_by: evidence
"""

STEPS_ON_FILES = """
import os, signal, sys, threading
folder, counted, wanted, delay, sent = sys.argv[1:6]
steps = []
events = {"open", "shutil.copyfile", "shutil.move", "shutil.rmtree"} | {
    "os." + name for name in ("link", "mkdir", "remove", "rename", "rmdir", "symlink", "truncate")
}

def disturb():
    os.killpg(0, int(sent))

def count(event, arguments):
    paths = (os.fsdecode(a) for a in arguments if isinstance(a, (str, bytes, os.PathLike)))
    if event in events and any((os.path.abspath(p) + "/").startswith(folder + "/") for p in paths):
        steps.append(event)
        if len(steps) == int(wanted):
            if float(delay):
                threading.Timer(float(delay), disturb).start()
            else:
                disturb()

sys.addaudithook(count)
sys.argv[1:6] = []
from customer_segmentation.cli import main
try:
    main()
finally:
    with open(counted, "w") as file:
        print(len(steps), file=file)
"""
"""The build command, which counts its steps on files and may be disturbed at one of them."""


class Step(NamedTuple):
    """A build in a shop's life."""

    kind: str
    export: str


LIFE = (Step("first", "a"), Step("score", "b"), Step("refit", "a"), Step("score", "b"))


@dataclass(frozen=True)
class Clean:
    """What a build left that nobody disturbed, and what it took."""

    database: Path
    edition: str
    tables: dict[str, str]
    things: set[str]
    num_steps: int
    disk: int
    address_space: int


@dataclass
class Disturbed:
    """What happened to one disturbed build, and after it."""

    step: Step
    told: str = ""
    counts: Counter[str] = field(default_factory=Counter)
    longest: float = 0.0
    longest_at_switch: float = 0.0
    sentences: Counter[str] = field(default_factory=Counter)
    problems: Counter[str] = field(default_factory=Counter)


def judge(reads: list[list[Read]], before: str, after: str, disturbed: Disturbed) -> None:
    """Count failed and mixed reads; a reader may go from before to after, once."""
    counts = disturbed.counts
    for reader, of_one in enumerate(reads):
        allowed = [before, after] if before else [after]
        switched = None
        for read in of_one:
            counts["reads"] += 1
            if read.problem:
                counts["failed reads"] += 1
                disturbed.problems[plain(read.problem)] += 1
            elif read.edition not in allowed:
                counts["mixed editions read"] += 1
                disturbed.problems["read " + read.edition] += 1
            elif reader == 1:
                # Who keeps a connection keeps the edition.
                allowed = [read.edition]
            elif read.edition == after and before in allowed:
                allowed = [after]
                switched = read
        disturbed.longest = max([disturbed.longest, *(read.seconds for read in of_one)])
        if switched:
            disturbed.longest_at_switch = max(
                read.seconds for read in of_one if abs(read.started - switched.started) < 1
            )


# ---- Builds -----------------------------------------------------------------------------------


class Shop:
    """A database in a folder of its own, and the vars of the builds of its life."""

    def __init__(
        self,
        folder: Path,
        life: list[dict[str, Any]],
        in_place: bool,
        further: tuple[str, ...] = (),
    ) -> None:
        self.folder, self.life, self.in_place, self.further = folder, life, in_place, further
        self.database = folder / "data" / NAME
        self.database.parent.mkdir(parents=True, exist_ok=True)

    def build(
        self,
        number: int,
        environment: dict[str, str] | None = None,
        stop_at: int = 0,
        delay: float = 0.0,
        sent: int = signal.SIGKILL,
        kib: int = 0,
    ) -> "Build":
        """Start the build of this number in the shop's life."""
        variables = yaml.safe_dump(self.life[number])
        arguments = ["build", "--vars", variables, "--project-dir", str(PROJECT), *self.further]
        counted = self.folder / "counted"
        counted.unlink(missing_ok=True)
        if self.in_place:
            command = [str(Path(sys.executable).with_name("dbt")), *arguments]
            command += ["--profiles-dir", str(PROJECT), "--exclude-resource-type", "unit_test"]
        else:
            disturbance = [str(self.database.parent), str(counted), str(stop_at), str(delay)]
            command = [sys.executable, "-c", STEPS_ON_FILES, *disturbance, str(sent), *arguments]
        if kib:
            command = ["sh", "-c", 'ulimit -v "$0" && exec "$@"', str(kib), *command]
        # A target of its own for each request, so that dbt parses it once.
        folders = {
            "DUCKDB_PATH": str(self.database),
            "DBT_TARGET_PATH": str(self.folder / f"target-{self.life.index(self.life[number])}"),
            "DBT_LOG_PATH": str(self.folder / "logs"),
            "DBT_LOG_LEVEL_FILE": "none",
        }
        return Build(command, os.environ | folders | (environment or {}), self.folder)

    def num_steps(self) -> int:
        """How many steps on files the last build has counted."""
        counted = self.folder / "counted"
        return int(counted.read_text()) if counted.exists() else 0

    def restore(self, clean: Clean | None) -> None:
        """Begin again with a database that nobody disturbed, or with none."""
        for path in self.database.parent.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        if clean:
            shutil.copy(clean.database, self.database)


def sizes(folder: Path) -> int:
    """Bytes that a folder takes on the disk; a file with two names counts once."""
    found = {}
    for path in folder.rglob("*"):
        try:
            status = path.stat()
        except FileNotFoundError:
            continue
        found[status.st_ino] = status.st_blocks * 512
    return sum(found.values())


class Build:
    """A build in a session of its own, which writes into a file."""

    def __init__(self, command: list[str], environment: dict[str, str], folder: Path) -> None:
        self.written = folder / "written"
        with self.written.open("w") as file:
            self.started = time.perf_counter()
            self.process = subprocess.Popen(
                command,
                env=environment,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def seconds(self) -> float:
        """Seconds since its start."""
        return time.perf_counter() - self.started

    @property
    def has_ended(self) -> bool:
        """Whether it has ended, in whatever way."""
        return self.process.poll() is not None

    def send(self, number: int) -> None:
        """Send a signal to the build and its children, unless its number may be another's now."""
        if not self.has_ended:
            os.killpg(self.process.pid, number)

    def wait(self, until: float = 900.0, stopped: bool = False) -> bool:
        """Wait until it ends, or for so many seconds after its start; says whether it has ended.

        With ``stopped`` also until it is held.
        """
        while not self.has_ended and self.seconds < until and not (stopped and self.is_stopped()):
            time.sleep(0.004)
        return self.has_ended

    def end(self) -> None:
        """Kill it if it still runs, with its children."""
        self.send(signal.SIGKILL)
        self.process.wait()

    def sentence(self) -> str:
        """Give the sentence that it failed with, or what is wrong about how it failed."""
        text = self.written.read_text(errors="replace")
        lines = [line for line in text.splitlines() if line.strip()]
        errors = [line for line in lines if line.startswith("Error: ")]
        if "Traceback" in text:
            return "A traceback: " + plain(lines[-1])
        if self.process.returncode < 0:
            return f"Died of signal {-self.process.returncode}."
        if not errors:
            return "No sentence, but: " + plain(lines[-1] if lines else "nothing")
        return plain(errors[-1]) + (f" (and {len(errors) - 1} more)" if errors[1:] else "")

    def is_stopped(self) -> bool:
        """Whether it is held by SIGSTOP."""
        try:
            status = Path(f"/proc/{self.process.pid}/stat").read_text()
        except FileNotFoundError:
            return False
        return status.rpartition(")")[2].split()[0] == "T"

    def address_space(self) -> int:
        """Most KiB of address space that it had, or 0 where the system does not say."""
        try:
            status = Path(f"/proc/{self.process.pid}/status").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return 0
        found = re.search(r"VmPeak:\s+(\d+)", status)
        return int(found[1]) if found else 0


def plain(message: str) -> str:
    """Take out of a message what differs from one time to the next."""
    message = re.sub(r"(?<![\w:])(/[\w.#-]+){2,}", "PATH", " ".join(message.split()))
    return re.sub(r"\d+([.,:]\d+)*", "#", message)[:400]


def make_life(exports: Path) -> list[dict[str, Any]]:
    """Write the exports, and give the vars of each build of LIFE."""
    exports.mkdir()
    for name, (customers, _) in EXPORTS.items():
        write_orders(exports / f"{name}.parquet", customers)
    return [
        yaml.safe_load(SETTINGS)
        | {
            "as_of_date": EXPORTS[step.export][1],
            "orders_location": str(exports / f"{step.export}.parquet"),
            "refit": step.kind == "refit",
        }
        for step in LIFE
    ]


def make_clean(shop: Shop, folder: Path, numbers: range) -> Iterator[tuple[Clean, float]]:
    """Build a life that nobody disturbs; gives what each build left, and its seconds."""
    folder.mkdir()
    for number in numbers:
        started_with = disk = sizes(shop.database.parent)
        address_space = 0
        build = shop.build(number)
        while not build.wait(build.seconds + 0.02):
            disk = max(disk, sizes(shop.database.parent))
            address_space = max(address_space, build.address_space())
        seconds = build.seconds
        build.end()
        if build.process.returncode:
            sys.exit(f"The undisturbed build {number} fails: {build.sentence()}")
        kept = folder / str(number) / NAME
        kept.parent.mkdir()
        shutil.copy(shop.database, kept)
        with duckdb.connect(str(kept), read_only=True) as connection:
            edition, tables = edition_of(connection), tables_of(connection)
        things = things_of(shop.database)
        steps, grown = shop.num_steps(), disk - started_with
        yield Clean(kept, edition, tables, things, steps, grown, address_space), seconds


# ---- Disturbing -------------------------------------------------------------------------------


@dataclass
class Trial:
    """One build to disturb: the shop, the request, and what it should leave."""

    shop: Shop
    number: int
    kind: str
    draws: random.Random
    clean: Clean
    seconds: float
    readers: Readers
    disturbed: Disturbed

    def start(self, **how: Any) -> Build:
        """Start the build, and let readers in."""
        build = self.shop.build(self.number, **how)
        if self.shop.in_place:
            # dbt has the file open when it starts its first node.
            while not build.has_ended and " START " not in build.written.read_text():
                time.sleep(0.02)
            self.readers.turn.release()
        return build

    def hold_readers(self) -> None:
        """Keep readers out until the next build has begun."""
        if self.shop.in_place:
            self.readers.turn.acquire()

    def at_a_moment(self, sent: int) -> Build:
        """Send a signal at a moment that is drawn; says so in ``told``."""
        which, position = self.draws.random(), self.draws.random()
        delay = self.draws.choice([0.0, self.draws.uniform(0, 0.02)])
        if which < 0.25 and self.clean.num_steps:
            stop_at = 1 + int(position * self.clean.num_steps)
            build = self.start(stop_at=stop_at, delay=delay, sent=sent)
            build.wait(stopped=True)
            self.disturbed.told += f", at step {stop_at} on files of {self.clean.num_steps}"
            return build
        share = 0.9 + 0.15 * position if which < 0.5 else 1.05 * position
        build = self.start()
        if not build.wait(share * self.seconds):
            build.send(sent)
        self.disturbed.told += f", after {build.seconds:.1f} s of {self.seconds:.1f}"
        return build

    def kill(self) -> None:
        """Kill the build, if it has not ended by then."""
        build = self.at_a_moment(signal.SIGKILL)
        build.end()
        self.disturbed.counts["too late"] += build.process.returncode == 0
        self.failed_by_itself(build)

    def failed_by_itself(self, build: Build) -> None:
        """Count a build that says it failed: nothing was in its way."""
        if build.process.returncode > 0:
            self.disturbed.counts["builds that failed"] += 1
            self.disturbed.sentences[build.sentence()] += 1

    def stop(self) -> None:
        """Hold the build for a second, in which another one is tried if this one has the lock."""
        build = self.at_a_moment(signal.SIGSTOP)
        lock = self.shop.database.with_name(f"{NAME}.editions") / "lock"
        self.disturbed.counts["too late"] += build.has_ended
        if not build.has_ended:
            tried = time.perf_counter()
            # A session of one process: its number is what the lock has to name.
            if lock.exists() and str(build.process.pid) in lock.read_text():
                self.another(build.process.pid)
            time.sleep(max(0.0, 1 - (time.perf_counter() - tried)))
            build.send(signal.SIGCONT)
            build.wait()
        build.end()
        self.failed_by_itself(build)

    def another(self, pid: int) -> None:
        """Try a build beside one that is stopped: it has to fail, and say who builds."""
        beside = Shop(self.shop.folder / "beside", self.shop.life, self.shop.in_place)
        beside.database = self.shop.database
        second = beside.build(self.number)
        second.wait()
        second.end()
        self.disturbed.counts["second builds tried"] += 1
        sentence = second.sentence() if second.process.returncode else "Built beside another one."
        self.disturbed.sentences[sentence] += 1
        says_who = str(pid) in second.written.read_text()
        self.disturbed.counts["second builds not refused"] += not (
            says_who and sentence.startswith("Error: ")
        )

    def fail(self, **how: Any) -> None:
        """Run a build to its end that may well fail, and keep its sentence."""
        build = self.start(**how)
        build.wait()
        build.end()
        if build.process.returncode:
            self.disturbed.counts["failed builds"] += 1
            sentence = build.sentence()
            self.disturbed.sentences[sentence] += 1
            self.disturbed.counts["failed builds without a sentence"] += not sentence.startswith(
                "Error: "
            )

    def fill_disk(self) -> None:
        """Leave so much room on the disk that the build runs out of it somewhere."""
        folder = self.shop.database.parent
        used = shutil.disk_usage(folder).used
        room = int(self.clean.disk * self.draws.uniform(0.0, 1.02)) + 4096
        resize(folder, used + room)
        needed = self.clean.disk / 2**20
        self.disturbed.told += f", with {room / 2**20:.1f} MiB of room, of {needed:.1f}"
        self.fail()
        resize(folder, DISK)

    def limit_memory(self) -> None:
        """Limit DuckDB by its own setting, or all of the process by the system."""
        if self.draws.random() < 0.5:
            limit = int(10 ** self.draws.uniform(0.7, 2.3))
            self.disturbed.told += f", with {limit} MB for DuckDB"
            self.fail(environment={"DUCKDB_MEMORY_LIMIT": f"{limit}MB"})
        else:
            kib = int(self.clean.address_space * self.draws.uniform(0.3, 1.0))
            self.disturbed.told += f", with {kib / 2**10:,.0f} MiB of address space"
            self.fail(kib=kib)

    def run(self) -> None:
        """Disturb the build in the way of its kind."""
        ways = {
            "kill": self.kill,
            "stop": self.stop,
            "disk-full": self.fill_disk,
            "memory": self.limit_memory,
        }
        ways[self.kind]()


DISK = 2**30
"""Bytes of the small disk while nobody fills it."""


def resize(folder: Path, size: int) -> None:
    """Make the disk under a folder larger or smaller."""
    options = f"remount,size={size}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "shop", str(folder)], check=True)


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """Mount a disk of its own under a folder; nobody outside this process sees it."""
    options = f"size={DISK}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "shop", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def into_a_namespace() -> None:
    """Start this script again where it may mount what nobody else sees."""
    if os.environ.get("KILLS_MAY_MOUNT"):
        return
    may = subprocess.run(["unshare", "-rm", "true"], check=False, capture_output=True)
    if may.returncode:
        sys.exit("A small disk needs 'unshare -rm', which this system refuses. Take another kind.")
    os.environ["KILLS_MAY_MOUNT"] = "yes"
    os.execvp("unshare", ["unshare", "-rm", sys.executable, *sys.argv])


def look_at(database: Path, cleans: list[Clean], disturbed: Disturbed, when: str) -> str:
    """Say which edition is published, if it is a whole one; count what is wrong with it."""
    counts = disturbed.counts
    if not database.exists():
        return ""
    edition = ""
    try:
        with duckdb.connect(str(database), read_only=True) as connection:
            present = {f"{schema}.{name}" for schema, name in relations_of(connection)}
            missing = cleans[0].tables.keys() - present
            counts[f"missing tables {when}"] += len(missing)
            if {"clustering.model_versions", "clustering.cluster_centroids"} <= present:
                shells = connection.execute(SHELLS).fetchall()[0][0]
                counts[f"shells of versions {when}"] += shells
            if not missing:
                edition = edition_of(connection)
                if edition not in [clean.edition for clean in cleans]:
                    counts[f"mixed editions {when}"] += 1
                    disturbed.problems[f"{when} {edition}"] += 1
    except duckdb.Error as error:
        counts[f"databases that can't be read {when}"] += 1
        disturbed.problems[f"{when} {plain(str(error))}"] += 1
    return edition


def disturb(
    shop: Shop,
    number: int,
    kind: str,
    draws: random.Random,
    cleans: list[Clean],
    took: list[float],
    in_a_row: int = 1,
) -> Disturbed:
    """Disturb a build, look, ask for it again, and compare with what nobody disturbed."""
    disturbed = Disturbed(LIFE[number])
    counts = disturbed.counts
    clean, before = cleans[number], cleans[number - 1].edition if number else ""
    whole = [clean, *cleans[:number][-1:]]
    readers = Readers(shop.database, not number, shop.in_place)
    trial = Trial(shop, number, kind, draws, clean, took[number], readers, disturbed)
    try:
        for turn in range(in_a_row):
            if turn:
                trial.hold_readers()
            counts["disturbed"] += 1
            trial.run()
            edition = look_at(shop.database, whole, disturbed, "left")
            counts["lost"] += bool(number) and not shop.database.exists()
            # In place, tables that readers are not asked for may still be those of before.
            is_whole = not shop.in_place or counts["too late"] > 0
            if is_published := edition == clean.edition and is_whole:
                counts["published already"] += 1
                break
        if not is_published:
            trial.hold_readers()
            build = trial.start()
            build.wait()
            took[number] = build.seconds
            build.end()
            if build.process.returncode:
                counts["next builds that failed"] += 1
                disturbed.sentences["Next build: " + build.sentence()] += 1
    finally:
        reads = readers.end()
    look_at(shop.database, [clean], disturbed, "at the end")
    try:
        with duckdb.connect(str(shop.database), read_only=True) as connection:
            tables = tables_of(connection)
    except duckdb.Error:
        tables = {}
    differing = sorted(
        name for name in clean.tables | tables if tables.get(name) != clean.tables.get(name)
    )
    counts["ends that differ"] += bool(differing)
    if differing:
        disturbed.problems["differ: " + ", ".join(differing[:12])] += 1
    elif not is_published:
        left = things_of(shop.database) - clean.things
        counts["leftovers"] += len(left)
        disturbed.problems.update(f"left over: {plain(name)}" for name in left)
    judge(reads, before, clean.edition, disturbed)
    return disturbed


# ---- Telling ----------------------------------------------------------------------------------

FAULTS = (
    "lost", "mixed editions left", "mixed editions at the end", "missing tables left",
    "missing tables at the end", "shells of versions left", "shells of versions at the end",
    "databases that can't be read left", "databases that can't be read at the end", "failed reads",
    "mixed editions read", "next builds that failed", "ends that differ", "leftovers",
    "failed builds without a sentence", "builds that failed", "second builds not refused",
)  # fmt: skip
"""What should not be; the other counts say what was tried."""

ALWAYS_SHOWN = (
    "failed reads", "mixed editions read", "mixed editions left", "missing tables left",
    "shells of versions left", "next builds that failed", "ends that differ", "leftovers",
)  # fmt: skip

COLUMNS = {
    "kill": ("too late", "published already"),
    "stop": ("too late", "second builds tried", "second builds not refused",
             "builds that failed"),
    "disk-full": ("failed builds", "failed builds without a sentence", "published already"),
    "memory": ("failed builds", "failed builds without a sentence", "published already"),
}  # fmt: skip


def table(kind: str, all_of_them: list[Disturbed]) -> str:
    """Write the counts by kind of build as Markdown."""
    found = sum((one.counts for one in all_of_them), Counter[str]())
    names = ["disturbed", *COLUMNS[kind], "reads", *ALWAYS_SHOWN]
    names += [name for name in FAULTS if name not in names and found[name]]
    header = ["build", *names, "longest read, s", "at a switch, s"]
    lines = [" | ".join(header), "|".join(["---", *["--:"] * (len(header) - 1)])]
    for which in [*dict.fromkeys(step.kind for step in LIFE), "all"]:
        some = [one for one in all_of_them if which in (one.step.kind, "all")]
        counts = sum((one.counts for one in some), Counter[str]())
        figures = [f"{counts[name]:,}" for name in names]
        longest = max((one.longest for one in some), default=0.0)
        at_switch = max((one.longest_at_switch for one in some), default=0.0)
        cells = [which, *figures, f"{longest:.2f}", f"{at_switch:.2f}"]
        lines.append(" | ".join(cells))
    return "\n".join(f"| {line} |" if " | " in line else f"|{line}|" for line in lines)


def disturb_many(
    folder: Path,
    kills: range | list[int],
    kind: str,
    seed: int,
    jobs: int,
    in_a_row: int,
    in_place: bool,
) -> list[Disturbed]:
    """Disturb the builds of these numbers, in lives of shops with folders of their own."""
    shop_life = make_life(folder / "exports")
    deepest = max(number % len(LIFE) for number in kills)
    cleans, took = [], []
    reference = Shop(folder / "reference", shop_life, in_place)
    for clean, seconds in make_clean(reference, folder / "clean", range(deepest + 1)):
        print(f"undisturbed {LIFE[len(cleans)].kind}: {seconds:.1f} s,"
              f" {clean.num_steps} steps on files", flush=True)  # fmt: skip
        cleans.append(clean)
        took.append(seconds)
    free, found = list(range(jobs)), {}
    lock = threading.Lock()

    def live(life: int) -> None:
        with lock:
            worker = free.pop()
        shop = Shop(folder / f"shop-{worker}", shop_life, in_place)
        with small_disk(shop.database.parent) if kind == "disk-full" else nullcontext():
            goes_on = False
            for number in (n for n in kills if n // len(LIFE) == life):
                place = number % len(LIFE)
                if not (goes_on and place):
                    shop.restore(cleans[place - 1] if place else None)
                draws = random.Random(f"{seed} {number}")
                disturbed = disturb(shop, place, kind, draws, cleans, took, in_a_row)
                goes_on = not disturbed.counts["ends that differ"]
                faults = {name: n for name in FAULTS if (n := disturbed.counts[name])}
                with lock:
                    found[number] = disturbed
                    print(f"{len(found)} of {len(kills)}: number {number}, {disturbed.step.kind}"
                          f"{disturbed.told}: {faults or 'all is well'}", flush=True)  # fmt: skip
                    for problem in disturbed.problems if faults else ():
                        print(f"    {problem}", flush=True)
        with lock:
            free.append(worker)

    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(live, sorted({number // len(LIFE) for number in kills})))
    return [found[number] for number in sorted(found)]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=20, help="builds to disturb (default: 20)")
    parser.add_argument("--kind", choices=KINDS, default="kill")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2, help="shops side by side (default: 2)")
    parser.add_argument("--in-a-row", type=int, default=1, help="disturb so many, then let one end")
    parser.add_argument("--in-place", action="store_true", help="plain dbt build")
    parser.add_argument("--only", type=int, nargs="+", help="only the builds of these numbers")
    options = parser.parse_args()
    if options.kind == "disk-full":
        into_a_namespace()
    kills = sorted(options.only) if options.only else range(options.kills)
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        found = disturb_many(
            Path(folder),
            kills,
            options.kind,
            options.seed,
            options.jobs,
            options.in_a_row,
            options.in_place,
        )
        seconds = time.perf_counter() - started
    print(f"\n{table(options.kind, found)}\n")
    for title, counted in (
        ("What builds said", sum((one.sentences for one in found), Counter[str]())),
        ("What went wrong", sum((one.problems for one in found), Counter[str]())),
    ):
        if counted:
            print(f"{title}:\n")
            print("\n".join(f"- {n:,}: {text}" for text, n in counted.most_common()), "\n")
    print(f"{seconds / len(found):.1f} seconds for each of {len(found)}, {options.jobs} at a time.")
    faulty = any(one.counts[name] for one in found for name in FAULTS)
    raise SystemExit(1 if faulty else 0)


if __name__ == "__main__":
    main()
