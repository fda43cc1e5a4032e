"""Editions: published whole or not at all, kept, switched back, and never in anybody's way."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from customer_segmentation.cli import main
from customer_segmentation.database import SCHEMA_VERSION, Database, NotReadable
from customer_segmentation.editions import Editions, NotPossible, state_of, wal_of

COLUMNS = """
    edition_id integer, dataset varchar, as_of_date date, model_version integer,
    pinned_model_version integer, started_at timestamp, served_since timestamp,
    outcome varchar, settings json, num_rows map(varchar, bigint),
    append_only_tables varchar[], schema_version integer
"""


def fill(file: Path, day: int, version: int = 1, keep: int = 2) -> None:
    """Do to the copy in ``file`` what a build does: all layers anew, and its row of editions."""
    with duckdb.connect(str(file)) as connection:
        for layer in ("staging", "metrics", "clustering", "segments", "marketing"):
            connection.execute(f"create schema if not exists {layer}")
        connection.execute(f"""
            create or replace table staging.as_of as
                select 'mine' as dataset, date '2025-01-01' + {day} as as_of_date;
            create or replace table staging.source_files as select '' as read_with where false;
            create or replace table metrics.customer_metrics as
                select date '2025-01-01' + {day} as as_of_date;
            create or replace view metrics.days as select as_of_date from metrics.customer_metrics;
            create table if not exists clustering.model_versions
                (model_version integer, dataset varchar, purpose varchar);
            insert into clustering.model_versions
                select {version}, 'mine', 'serves'
                where {version} not in (select model_version from clustering.model_versions);
            create or replace table clustering.customer_clusters as
                select {version} as model_version;
            create or replace table segments.customer_segments as
                select date '2025-01-01' + {day} as as_of_date, {version} as model_version;
            create or replace table segments.segment_profiles as select 1 as num_customers;
            create or replace table marketing.marketing_targets as
                select date '2025-01-01' + {day} as as_of_date;
            create table if not exists main.editions ({COLUMNS});
            insert into main.editions
                select
                    coalesce(max(edition_id), 0) + 1, 'mine', date '2025-01-01' + {day}, {version},
                    arg_max_null(pinned_model_version, served_since), now()::timestamp,
                    greatest(now()::timestamp, max(served_since) + interval 1 microsecond), 'whole',
                    '{{"keep_editions": {keep}, "readable_by": "owner"}}', null,
                    ['clustering.model_versions'], 1
                from main.editions;
        """)


def publish(editions: Editions, day: int, **how: int) -> None:
    """Build and publish an edition."""
    with editions.locked(False, print):
        before = editions.begin()
        fill(editions.file("building"), day, **how)
        editions.publish(before)


def day_of(file: Path) -> int:
    """Which day's edition a reader sees, through a view."""
    with duckdb.connect(str(file), read_only=True) as connection:
        return day_in(connection)


def day_in(connection: duckdb.DuckDBPyConnection) -> int:
    """Which day's edition a connection sees."""
    ((day,),) = connection.sql("select as_of_date - date '2025-01-01' from metrics.days").fetchall()
    return int(day)


@contextmanager
def opened(file: Path, read_only: bool = False) -> Iterator[subprocess.Popen[str]]:
    """Another process that has the file open."""
    code = f"""
import duckdb
connection = duckdb.connect({str(file)!r}, read_only={read_only})
print("open", flush=True)
input()
"""
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    process.stdout.readline()
    yield process
    process.communicate("\n")


@pytest.fixture
def editions(tmp_path: Path) -> Editions:
    """A place without a database, whose path has an apostrophe."""
    folder = tmp_path / "o'brien"
    folder.mkdir()
    return Editions(folder / "shop.duckdb")


def test_who_has_the_file_open_keeps_it_and_who_opens_it_gets_the_new_one(
    editions: Editions,
) -> None:
    publish(editions, 1)
    with duckdb.connect(str(editions.published), read_only=True) as reader:
        publish(editions, 2)
        assert day_in(reader) == 1
        # Another process, as one process has one view of a path that it has open.
        code = f"import test_editions as t; print(t.day_of(t.Path({str(editions.published)!r})))"
        new = subprocess.run(
            [sys.executable, "-c", code], cwd=Path(__file__).parent, text=True, capture_output=True
        )
        assert new.stdout.strip() == "2", new.stderr
    assert not editions.file("building").parent.exists()


def test_so_many_editions_stay_as_files_as_are_asked_for(editions: Editions) -> None:
    for day in (1, 2, 3):
        publish(editions, day, keep=2)
    assert editions.kept() == [2]
    publish(editions, 4, keep=3)
    assert editions.kept() == [2, 3]
    publish(editions, 5, keep=1)
    assert editions.kept() == []
    assert list(editions.listed()["edition_id"]) == [5, 4, 3, 2, 1]
    assert list(editions.listed()["file"]) == ["served", "", "", "", ""]


def test_an_edition_is_switched_back_and_forward_and_forgets_nothing(editions: Editions) -> None:
    publish(editions, 1, version=1)
    publish(editions, 2, version=2)
    with editions.locked(False, print):
        assert editions.switch(None) == (1, 1)
    assert day_of(editions.published) == 1
    assert editions.kept() == [2]
    with Database(editions.published) as database:
        assert database.served_edition.edition_id == 1
        assert database.served_edition.pinned_model_version == 1
        versions = database.read("from clustering.model_versions order by model_version")
    assert list(versions["model_version"]) == [1, 2]
    with editions.locked(False, print):
        assert editions.switch(2) == (2, None)
    assert day_of(editions.published) == 2
    assert editions.kept() == [1]
    with Database(editions.published) as database:
        assert database.served_edition.pinned_model_version is None


def test_what_was_pinned_stays_pinned_until_it_is_released(editions: Editions) -> None:
    publish(editions, 1, version=1)
    publish(editions, 2, version=2)
    with editions.locked(False, print):
        editions.switch(1)
    publish(editions, 3, version=1)
    with Database(editions.published) as database:
        assert database.served_edition.pinned_model_version == 1
    arguments = ["rollback", "--release", "--database", str(editions.published)]
    released = CliRunner().invoke(main, arguments)
    assert "version 1 is released; the next build scores with the newest." in released.output
    with Database(editions.published) as database:
        assert database.served_edition.pinned_model_version is None
    assert day_of(editions.published) == 3


def test_the_edition_that_was_rolled_back_to_outlives_the_one_it_replaced(
    editions: Editions,
) -> None:
    publish(editions, 1)
    publish(editions, 2)
    with editions.locked(False, print):
        editions.switch(1)
    publish(editions, 3)
    assert editions.kept() == [1]


def test_there_is_no_edition_to_switch_to(editions: Editions) -> None:
    publish(editions, 1)
    arguments = ["rollback", "--database", str(editions.published)]
    refused = CliRunner().invoke(main, arguments)
    assert refused.exit_code == 1
    assert "There is no file of an earlier edition of" in refused.output
    assert "kept are: none. The var keep_editions says how many stay." in refused.output
    assert "no file of edition 7" in CliRunner().invoke(main, [*arguments, "7"]).output


def test_an_edition_that_is_still_read_is_switched_back_to(editions: Editions) -> None:
    """By a process of its own, as DuckDB knows its own files."""
    publish(editions, 1)
    command = (
        "import duckdb, sys; connection = duckdb.connect(sys.argv[1], read_only=True);"
        "print('open', flush=True); sys.stdin.read(1);"
        "print(connection.sql('select min(as_of_date) from staging.as_of').fetchall())"
    )
    with subprocess.Popen(
        [sys.executable, "-c", command, str(editions.published)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as reader:  # fmt: skip
        assert reader.stdout is not None
        assert reader.stdout.readline() == "open\n"
        publish(editions, 2)
        with editions.locked(False, print):
            assert editions.switch(None)[0] == 1
        assert day_of(editions.published) == 1
        assert editions.kept() == [2]
        said, _ = reader.communicate("x")
    assert "datetime.date" in said
    assert not editions.file("building").exists()


def test_a_kept_edition_takes_the_place_of_a_file_that_is_gone(editions: Editions) -> None:
    for day in (1, 2, 3):
        publish(editions, day, keep=3)
    editions.published.unlink()
    log = wal_of(editions.published)
    log.write_bytes(b"of the file that is gone")
    with editions.locked(False, print):
        for step in (editions.begin, lambda: editions.switch(None)):
            with pytest.raises(NotPossible, match="belongs to a database that is gone"):
                step()
        log.unlink()
        with pytest.raises(NotPossible, match=r"no file of edition 3 .* kept are: 1, 2"):
            editions.switch(3)
    arguments = ["rollback", "--database", str(editions.published)]
    assert "edition 2 is served again." in CliRunner().invoke(main, arguments).output
    assert day_of(editions.published) == 2
    assert editions.kept() == [1]


def test_one_builds_at_a_time_and_the_other_is_told_who(editions: Editions) -> None:
    with (
        editions.locked(False, print),
        pytest.raises(NotPossible, match=f"is being built by process {os.getpid()} on .*, since 2"),
        editions.locked(False, print),
    ):
        pass


def test_a_lock_whose_holder_was_killed_holds_nobody_back(editions: Editions) -> None:
    publish(editions, 1)
    code = f"""
import os, signal
from test_editions import *
editions = Editions(Path({str(editions.published)!r}))
with editions.locked(False, print):
    editions.begin()
    fill(editions.file("building"), 2)
    editions._keep(1)
    os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parent, check=False)
    assert editions.file("building").exists()
    assert day_of(editions.published) == 1
    told: list[str] = []
    with editions.locked(False, told.append):
        # Its second name of the published file would change with a build in place.
        assert editions.kept() == []
        assert not editions.file("building").exists()
    assert "The last build ended early (process " in told[0]
    publish(editions, 3)
    assert day_of(editions.published) == 3
    with editions.locked(False, told.append):
        pass
    assert len(told) == 1


def test_a_database_that_somebody_writes_is_not_built(editions: Editions) -> None:
    publish(editions, 1)
    with opened(editions.published) as writer:
        said = f"is being written by process {writer.pid} .*Try again when it is closed"
        with editions.locked(False, print), pytest.raises(NotReadable, match=said):
            editions.begin()
    publish(editions, 2)
    assert day_of(editions.published) == 2


def test_a_file_that_changed_meanwhile_is_not_replaced(editions: Editions) -> None:
    publish(editions, 1)
    with editions.locked(False, print):
        before = editions.begin()
        fill(editions.file("building"), 2)
        fill(editions.published, 3)
        with pytest.raises(NotPossible, match="was changed by somebody else meanwhile"):
            editions.publish(before)
    assert day_of(editions.published) == 3


@pytest.mark.parametrize("is_read", [False, True])
def test_a_log_that_a_killed_writer_left_is_not_lost(editions: Editions, is_read: bool) -> None:
    publish(editions, 1)
    code = f"""
import duckdb, os
connection = duckdb.connect({str(editions.published)!r})
connection.execute("create table main.mine as select 42 as answer")
os._exit(1)
"""
    subprocess.run([sys.executable, "-c", code], check=False)
    assert wal_of(editions.published).exists()
    with opened(editions.published, read_only=True) if is_read else nullcontext():
        publish(editions, 2)
    assert not wal_of(editions.published).exists()
    with Database(editions.published) as database:
        assert database.read("from main.mine")["answer"].iloc[0] == 42
    assert day_of(editions.published) == 2


def test_a_file_system_without_second_names_keeps_a_copy(
    editions: Editions, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(source: Path, target: Path) -> None:
        raise PermissionError(1, "Operation not permitted")

    publish(editions, 1)
    monkeypatch.setattr(os, "link", refuse)
    publish(editions, 2)
    assert day_of(editions.file(1)) == 1
    assert day_of(editions.published) == 2


def test_layers_of_different_builds_are_neither_published_nor_read(editions: Editions) -> None:
    publish(editions, 1)
    with editions.locked(False, print):
        before = editions.begin()
        fill(editions.file("building"), 2)
        with duckdb.connect(str(editions.file("building"))) as connection:
            connection.execute("update segments.customer_segments set as_of_date = '2024-12-31'")
        with pytest.raises(NotReadable, match="come from different builds"):
            editions.publish(before)
    assert day_of(editions.published) == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            "update staging.as_of set dataset = 'other'",
            "dataset is other in staging, mine in clustering",
        ),
        (
            "update metrics.customer_metrics set as_of_date = '2025-01-03'",
            "as_of_date is 2025-01-02 in staging, 2025-01-03 in metrics",
        ),
        (
            "update clustering.customer_clusters set model_version = 7",
            "model_version is 7 in clustering, 1 in segments",
        ),
        (
            "delete from marketing.marketing_targets",
            "num_customers is 1 in metrics, 1 in segments, 0 in marketing",
        ),
        ("update main.editions set outcome = null", "did not end: its tables may"),
        ("update main.editions set outcome = 'failed'", "failed: its tables may be of different"),
        ("drop table segments.segment_profiles", "was not built to its end"),
        (
            "update main.editions set schema_version = 99",
            "was built by a newer version of this project",
        ),
    ],
)
def test_what_is_mixed_is_refused_by_whoever_reads_it(
    editions: Editions, change: str, said: str
) -> None:
    publish(editions, 1)
    with duckdb.connect(str(editions.published)) as connection:
        connection.execute(change)
    refused = CliRunner().invoke(main, ["report", "--database", str(editions.published)])
    assert refused.exit_code == 1
    assert said in refused.output
    assert refused.output.count("\nError: ") == 1


def test_the_state_of_a_file_shows_what_changed(editions: Editions) -> None:
    publish(editions, 1)
    before = state_of(editions.published)
    assert state_of(editions.published) == before
    fill(editions.published, 2)
    assert state_of(editions.published) != before


def test_what_a_full_disk_keeps_out_of_the_file_is_not_published(editions: Editions) -> None:
    publish(editions, 1)
    code = f"""
import resource, signal
from test_editions import *
editions = Editions(Path({str(editions.published)!r}))
with editions.locked(False, print):
    before = editions.begin()
    fill(editions.file("building"), 2)
    connection = duckdb.connect(str(editions.file("building")))
    connection.execute("set checkpoint_threshold = '1GB'")
    connection.execute("create table main.large as select uuid() as x from range(100000)")
    size = editions.file("building").stat().st_size
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    # DuckDB says nothing.
    connection.close()
    try:
        editions.publish(before)
    except Exception as problem:
        print("refused:", problem)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parent, text=True, capture_output=True
    )
    assert "refused:" in done.stdout, done.stdout + done.stderr
    assert day_of(editions.published) == 1
    assert not wal_of(editions.published).exists()


def test_a_link_leads_to_the_editions_beside_its_file(editions: Editions, tmp_path: Path) -> None:
    publish(editions, 1)
    publish(editions, 2)
    link = tmp_path / "link.duckdb"
    link.symlink_to(editions.published)
    listed = CliRunner().invoke(main, ["editions", "--database", str(link)]).output.splitlines()
    assert [line.split()[:2] for line in listed] == [["2", "served"], ["1", "kept"]]


def test_both_sides_have_the_same_schema_version() -> None:
    macros = (Path(__file__).parents[2] / "macros" / "editions.sql").read_text(encoding="utf-8")
    found = re.search(r"macro schema_version\(\) -%}\s*{{ return\((\d+)\) }}", macros)
    assert found
    assert int(found[1]) == SCHEMA_VERSION
