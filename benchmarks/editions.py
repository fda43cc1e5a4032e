"""Time what editions cost: the copy, the switch, a rollback, and the longest wait of a reader.

    python benchmarks/editions.py DATABASE [--times 10]

A built database is copied into a folder beside it, which is deleted in the end. An edition of it is
made ``times`` times as the build makes one, but for the build itself: copied, given the next row of
``main.editions``, published; then rolled back and forward again. All the while another process
opens the file, reads every layer and closes it, without a pause.
"""

import argparse
import shutil
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from customer_segmentation.editions import Editions
from reading import Readers

NEXT_EDITION = """
    insert into main.editions by name
    select * replace (
        edition_id + 1 as edition_id,
        served_since + interval 1 second as served_since
    )
    from main.editions order by served_since desc limit 1
"""


@contextmanager
def timed(spans: dict[str, list[tuple[float, float]]], step: str) -> Iterator[None]:
    """Note when a step began and ended."""
    started = time.perf_counter()
    yield
    spans[step].append((started, time.perf_counter()))


def main() -> None:
    """Make the editions, and print the seconds of each step and of the reads beside it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("database", type=Path)
    parser.add_argument("--times", type=int, default=10)
    arguments = parser.parse_args()
    spans: dict[str, list[tuple[float, float]]] = defaultdict(list)
    with tempfile.TemporaryDirectory(dir=arguments.database.parent) as folder:
        # The views name their catalog, which is named after the file.
        published = Path(folder) / arguments.database.name
        shutil.copy(arguments.database, published)
        editions = Editions.of(published)
        readers = Readers(published, is_first=False, in_place=False, pause=0)
        try:
            time.sleep(3)
            for _ in range(arguments.times):
                with editions.locked(True, print):
                    with timed(spans, "copy"):
                        before = editions.begin()
                    with duckdb.connect(str(editions.file("building"))) as connection:
                        connection.execute(NEXT_EDITION)
                    with timed(spans, "publish"):
                        edition = editions.publish(before).edition_id
                for step, target in (("roll back", None), ("and forward again", edition)):
                    with editions.locked(True, print), timed(spans, step):
                        editions.switch(target)
            time.sleep(1)
        finally:
            reads, _ = readers.end()
        print(f"{published.stat().st_size / 2**20:,.0f} MiB")
    print("step                median   most  longest read beside it")
    for step, times in spans.items():
        seconds = [ended - started for started, ended in times]
        beside = [
            read.seconds
            for read in reads
            for started, ended in times
            if read.started < ended and started < read.started + read.seconds
        ]
        print(
            f"{step:<18} {statistics.median(seconds):7.3f} {max(seconds):6.3f}  {max(beside):.3f}"
        )
    switches = [span for step in list(spans)[1:] for span in spans[step]]
    alone = [
        read.seconds
        for read in reads
        if not any(
            read.started < end and start < read.started + read.seconds for start, end in switches
        )
    ]
    print(
        f"{len(reads):,} reads, {sum(bool(read.problem) for read in reads)} failed; away from the"
        f" switches median {statistics.median(alone):.3f}, longest {max(alone):.3f}"
    )


if __name__ == "__main__":
    main()
