"""Everyday trouble: one sentence that says what is wrong, where, and what to do."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest
from click.testing import CliRunner, Result
from conftest import NO_UNIT_TESTS, PROJECT, copy_of_the_project, run_dbt

from customer_segmentation.building import Run, Told, run, vars_of
from customer_segmentation.cli import database_of, main
from customer_segmentation.database import Database, NotReadable
from customer_segmentation.trouble import (
    EDITED,
    KNOWN,
    Trouble,
    check_database_path,
    check_seeds,
    trouble_of,
)

SHOP = Path("/srv/shop.duckdb")
SETTINGS = {
    "DUCKDB_MEMORY_LIMIT": "5MB", "DBT_TARGET_PATH": "/srv/target", "DBT_LOG_PATH": "/srv/logs",
}  # fmt: skip

MORE_MEMORY = "DuckDB needs more memory than it may take: DUCKDB_MEMORY_LIMIT is 5MB. Raise it, or"
FULL = "The disk is full: '/srv/{}' can't be written. Free some of it, or name another"
MAY_NOT = "'/srv/{}' can't be opened: this user may not. Ask for the permission, or name another"
NO_MEMORY = "This machine has too little free memory. End other programs, or let DuckDB take less:"
DAMAGED = "The database '/srv/shop.duckdb', or one that is attached to it, is damaged. Move it"
HINTS = """
Possible solutions:
* Reducing the number of threads (SET threads=X)
* Increasing the memory limit (SET memory_limit='...GB')
"""

# What DuckDB 2.0, dbt 1.12 and Linux said when they were in trouble.
SAID = [
    (
        'IO Error: Could not set lock on file "/srv/shop.duckdb": Conflicting lock is held in'
        " /usr/bin/python3.11 (PID 11512). See also https://duckdb.org/docs/current/connect",
        "'/srv/shop.duckdb' is open by process 11512 (python3.11). Try again when it is closed.",
    ),
    (
        'IO Error: Could not set lock on file "/srv/shop.duckdb": Resource temporarily unavailable',
        "'/srv/shop.duckdb' is open. Try again when it is closed.",
    ),
    *(
        (said, "DUCKDB_MEMORY_LIMIT: '5MB' is no amount of memory. Give one like 4GB, or a share")
        for said in (
            "Parser Error: Memory must have a number (e.g. 1GB)",
            "Parser Error: Unknown unit for memory: '' (expected: KB, MB, GB, TB for 1000^i units",
            "Unable to parse valid percentage (input: 200%)",
        )
    ),
    (
        "Runtime Error in model raw_order_lines (models/staging/raw_order_lines.sql)\n  Out of"
        " Memory Error: could not allocate block of size 256.0 KiB (4.6 MiB/4.7 MiB used)" + HINTS,
        MORE_MEMORY,
    ),
    (
        "Python model failed:\nTraceback (most recent call last):\n_duckdb.OutOfMemoryException:"
        " Out of Memory Error: failed to allocate data of size 2.0 MiB" + HINTS,
        MORE_MEMORY,
    ),
    (
        "Out of Memory Error: failed to offload data block of size 256.0 KiB (26.8 MiB/26.9 MiB"
        " used).\nThis limit was set by the 'max_temp_directory_size' setting." + HINTS,
        "DuckDB is at its memory limit (5MB), and the disk of '/srv/shop.duckdb' has no room for",
    ),
    ("Out of Memory Error: Failed to allocate block of 262144 bytes (bad allocation)", NO_MEMORY),
    ("numpy.exceptions._ArrayMemoryError: Unable to allocate 1.2 GiB for an array", NO_MEMORY),
    ("ImportError: algos.so: failed to map segment from shared object", NO_MEMORY),
    ("RuntimeError: can't start new thread", NO_MEMORY),
    (
        "TransactionContext Error: Failed to commit: Could not write file"
        ' "/srv/shop.duckdb.wal": No space left on device',
        FULL.format("shop.duckdb.wal") + " one in DUCKDB_PATH.",
    ),
    (
        "[Errno 28] No space left on device: '/srv/target/manifest.json'",
        FULL.format("target/manifest.json") + " folder in DBT_TARGET_PATH.",
    ),
    *(
        (said, "The disk is full. Free some of it where '/srv/shop.duckdb' is and where dbt writes")
        for said in (
            "[Errno 28] No space left on device",
            "[Errno 122] Disk quota exceeded",
            "[Errno 27] File too large",
        )
    ),
    (
        'IO Error: Cannot open file "/srv/shop.duckdb": Permission denied',
        MAY_NOT.format("shop.duckdb") + " one in DUCKDB_PATH.",
    ),
    (
        'IO Error: Failed to create directory "/srv/shop.duckdb.tmp": Permission denied',
        MAY_NOT.format("shop.duckdb.tmp") + " one in DUCKDB_PATH.",
    ),
    (
        "[Errno 13] Permission denied: '/srv/logs/dbt.log'",
        MAY_NOT.format("logs/dbt.log") + " folder in DBT_LOG_PATH.",
    ),
    (
        "[Errno 30] Read-only file system: '/srv/target/partial_parse.msgpack'",
        MAY_NOT.format("target/partial_parse.msgpack") + " folder in DBT_TARGET_PATH.",
    ),
    (
        'IO Error: Cannot open file "/else/registry.csv": No such file or directory',
        "'/else/registry.csv' can't be opened: its folder is missing. Make it, or name another",
    ),
    (
        'IO Error: Cannot open file "/else/registry": File exists',
        "'/else/registry' can't be written: it is a folder. Name a file in it.",
    ),
    *(
        (said, "can't be written: a file is where a folder should be. Move it, or name another")
        for said in (
            "[Errno 17] File exists: '/srv/logs'",
            "[Errno 20] Not a directory: '/srv/target/partial_parse.msgpack'",
        )
    ),
    (
        "Symlink loop from '/srv/shop.duckdb'",
        "'/srv/shop.duckdb' is a link that leads to itself. Take it away, or name another one in",
    ),
    (
        "IO Error: Trying to read a database file with storage version number 63, but we can only"
        " read storage versions between 64 and 69.\nThe database file was created with an older"
        " development version of DuckDB.",
        "was written by a DuckDB that is too old for this one (",
    ),
    (
        "IO Error: Trying to read a database file with storage version number 70, but we can only"
        " read storage versions between 64 and 69.\nThe database file was created with a newer"
        " version of DuckDB.",
        "was written by a newer DuckDB than this one (",
    ),
    (
        'IO Error: The file "/srv/shop.duckdb" exists, but it is not a valid DuckDB database file!',
        "'/srv/shop.duckdb' is no DuckDB database. Move it away, or name another one in DUCKDB_P",
    ),
    (
        'IO Error: Could not read from file "/srv/shop.duckdb": Is a directory',
        "'/srv/shop.duckdb' is no DuckDB database, but a folder. Move it away, or name another",
    ),
    (
        'IO Error: Failed to download extension "sqlite_scanner" at URL "http://extensions"',
        "'/srv/shop.duckdb' is no DuckDB database, but an SQLite file. Move it away, or name",
    ),
    (
        'IO Error: Extension "/home/me/.duckdb/postgres_scanner.duckdb_extension" not found.\n'
        'Extension "postgres_scanner" is an existing extension.\n\nInstall it first using "INSTALL',
        "This needs DuckDB's extension postgres_scanner, which is not installed. Install it once,",
    ),
    (
        'IO Error: Failure while replaying WAL file "/srv/shop.duckdb.wal": WAL does not match'
        " database file.",
        "'/srv/shop.duckdb.wal', what an earlier run left to be written, is damaged or of another",
    ),
    *(
        (said, DAMAGED)
        for said in (
            "Corrupt database file: computed checksum 10012 does not match stored checksum 13127",
            "FATAL Error: Failed: database has been invalidated because of a previous fatal error.",
            "Invalid Input Error: Unsupported Storage Version '63' in the database header!",
        )
    ),
]


@pytest.mark.parametrize(("said", "sentence"), SAID, ids=[said[:40] for said, _ in SAID])
def test_what_was_said_in_trouble_becomes_a_sentence(said: str, sentence: str) -> None:
    told = trouble_of(said, SHOP, SETTINGS)
    assert told is not None
    assert sentence in told
    assert "\n" not in told
    assert told.endswith(".")


def test_every_sentence_is_tested() -> None:
    assert {next(p for p in KNOWN if re.search(p, said)) for said, _ in SAID} == set(KNOWN)


def test_of_an_exception_the_cause_is_told_and_what_nobody_can_mend_keeps_its_words() -> None:
    try:
        try:
            raise OSError(28, "No space left on device", "/srv/shop.duckdb")
        except OSError:
            raise ValueError("Corrupt database file: computed checksum") from None
    except ValueError as problem:
        told = trouble_of(problem, SHOP, SETTINGS)
    assert told == FULL.format("shop.duckdb") + " one in DUCKDB_PATH."
    assert trouble_of(MemoryError(), SHOP, SETTINGS) is not None
    assert trouble_of(ValueError("Index contains duplicate entries"), SHOP, SETTINGS) is None
    assert trouble_of("orders_location: no file matches 'none.csv'.", SHOP, SETTINGS) is None


def test_what_follows_from_trouble_is_not_told(capsys: pytest.CaptureFixture[str]) -> None:
    told = Told(print, False, SHOP)
    told.errors[told.say("Table with name customer_metrics does not exist!")] = None
    told.errors[told.say("[Errno 28] No space left on device: '/srv/shop.duckdb'")] = None
    told.errors[told.say("Out of Memory Error: could not allocate block")] = None
    assert Run(False, told, 0).tell(SHOP) == 1
    assert capsys.readouterr().err == f"Error: {FULL.format('shop.duckdb')} one in DUCKDB_PATH.\n"


def test_why_a_hook_failed_is_told_though_dbt_forgets_it() -> None:
    told = Told(print, False, SHOP)
    info = SimpleNamespace(
        name="AdapterEventDebug", level="debug", msg="duckdb error: Parser Error: no SQL"
    )
    told.hear(SimpleNamespace(info=info))
    assert told.say("'Exposure' object has no attribute 'schema'") == "Parser Error: no SQL"


# ---- Files that are no databases, or damaged ones, as DuckDB finds them


def checksum(block: bytes) -> int:
    """DuckDB's, of a header."""
    found = 5381
    for at in range(0, len(block), 8):
        found ^= int.from_bytes(block[at : at + 8], "little") * 0xBF58476D1CE4E5B9 % 2**64
    return found


def of_a_newer_duckdb(database: bytes) -> bytes:
    """A database whose header has a storage version of the future."""
    header = database[8:12] + (1000).to_bytes(8, "little") + database[20:4096]
    return checksum(header).to_bytes(8, "little") + header + database[4096:]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A small database."""
    path = tmp_path_factory.mktemp("database") / "shop.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create table t as select range as a from range(100000)")
    return path.read_bytes()


FOUND = {
    "text": (
        lambda whole: b"hello",
        "' is no DuckDB database, but something else. Move it away, or name another",
    ),
    "empty": (
        lambda whole: b"",
        "' is no DuckDB database, but empty. Move it away, or name another",
    ),
    "newer": (of_a_newer_duckdb, "was written by a newer DuckDB than this one (2."),
    "cut short": (lambda whole: whole[:9000], "is damaged. Move it away; then serve the edition"),
    **{
        f"damaged at {at}": (
            lambda whole, at=at: whole[:at] + b"\xff" * 99 + whole[at + 99 :],
            "is damaged. Move it away; then serve the edition",
        )
        for at in (5000, 400000)
    },
}


@pytest.mark.parametrize(("spoil", "sentence"), FOUND.values(), ids=FOUND)
def test_a_file_that_cannot_be_read_says_what_it_is(
    tmp_path: Path, database: bytes, spoil: object, sentence: str
) -> None:
    assert callable(spoil)
    (tmp_path / "shop.duckdb").write_bytes(spoil(database))
    with pytest.raises(NotReadable) as said, Database(tmp_path / "shop.duckdb") as opened:
        opened.read("select sum(a) from t")
    assert sentence in str(said.value)
    assert str(tmp_path / "shop.duckdb") in str(said.value)


def test_a_log_of_another_database_and_a_folder_are_named(tmp_path: Path, database: bytes) -> None:
    code = (
        "import duckdb, os; c = duckdb.connect('other.duckdb'); c.execute('create table t (a int)')"
        "; c.execute('checkpoint'); c.execute('insert into t values (1)'); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    (tmp_path / "shop.duckdb").write_bytes(database)
    (tmp_path / "other.duckdb.wal").rename(tmp_path / "shop.duckdb.wal")
    with pytest.raises(NotReadable, match=r"shop.duckdb.wal', what an earlier run left to be wri"):
        Database(tmp_path / "shop.duckdb")
    with pytest.raises(NotReadable, match="is no DuckDB database, but a folder"):
        Database(tmp_path)


def test_a_disk_that_is_full_while_duckdb_writes_is_named(tmp_path: Path) -> None:
    """A limit on the size of files does what a full disk does."""
    code = (
        "import duckdb, resource, signal; c = duckdb.connect('shop.duckdb');"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100000, 100000));"
        "c.execute('create table t as select uuid() as a from range(100000)')"
    )
    failed = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    told = trouble_of(failed.stderr, tmp_path / "shop.duckdb", {})
    assert told is not None, failed.stderr
    assert told.startswith(f"The disk is full: '{tmp_path}/shop.duckdb")


# ---- What can be known before a build


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        *((f"{name}.duckdb", "can't be called") for name in ("main", "Temp", "system", "staging")),
        ("metrics.2024.duckdb", "can't be called 'metrics': a layer or a part of DuckDB is called"),
        *((f"a{sign}b.duckdb", "can't be called so: dbt does not know") for sign in "'\";#?\\\n"),
        (" shop.duckdb", "can't be called so: dbt does not know ' ' there."),
        ("sub#folder/shop.duckdb", "can't be called so: dbt does not know '#' there."),
        ("missing/shop.duckdb", "' is missing. Make it, or name another in DUCKDB_PATH."),
        (":memory:", "The database ':memory:' is no file, which a build needs."),
        ("md:shop", "is no file, which a build needs."),
        ("/dev/null", "'/dev/null' is no DuckDB database, but a device."),
        ("folder", "'folder' is no DuckDB database, but a folder."),
        ("empty", "is no DuckDB database, but empty. Move it away, or name another in"),
        ("text", "is no DuckDB database, but something else."),
        ("sqlite", "is no DuckDB database, but an SQLite file."),
    ],
)
def test_where_no_database_can_be_built_is_known_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    for name, content in (("empty", b""), ("text", b"text"), ("sqlite", b"SQLite format 3\x00 ")):
        Path(name).write_bytes(content)
    with pytest.raises(Trouble) as said:
        check_database_path(Path(path))
    assert sentence in said.value.message


@pytest.mark.parametrize(
    "name",
    [
        "shop.duckdb", "o'brien shop/shop.duckdb", "select.duckdb", "information_schema.duckdb",
        "my shop.duckdb", "2024.duckdb", "ünïcøde.duckdb", "{{ x }}.duckdb", "shop", ".duckdb",
    ],
)  # fmt: skip
def test_other_names_are_no_trouble(tmp_path: Path, database: bytes, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    check_database_path(tmp_path / name)
    (tmp_path / name).write_bytes(database)
    check_database_path(tmp_path / name)


def test_a_folder_that_cannot_be_written_is_known_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As root, who may write anywhere, the system has to be asked for somebody else."""
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK | os.X_OK)
    with pytest.raises(Trouble, match="can't be written by this user, and builds write beside it"):
        check_database_path(tmp_path / "shop.duckdb")


def test_the_database_is_named_so_that_dbt_knows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DUCKDB_PATH", raising=False)
    assert database_of(Path("o'brien's #1.yml")) == Path("o_brien_s _1_segments.duckdb")
    assert database_of(None) == Path("customer_segmentation.duckdb")
    monkeypatch.setenv("DUCKDB_PATH", "~/shop.duckdb")
    assert database_of(Path("mine.yml")) == Path.home() / "shop.duckdb"


SAVED = {
    "Latin-1": (lambda text: text.encode("utf-8").replace(b"a", b"\xe4"), "is not in UTF-8. Save"),
    "UTF-16": (lambda text: text.encode("utf-16"), "is not in UTF-8. Save it as a CSV with commas"),
    "semicolons": (lambda text: text.replace(",", ";").encode(), "has semicolons for commas. Save"),
    "empty": (lambda text: b"", "is empty. Save it as a CSV with commas, in UTF-8."),
    "a comma": (
        lambda text: text.encode() + b"a,b,c,d,e,f,g,h,i,j,k,l,m\n",
        "has 13 columns in line {} where its header has 6. Put text with commas in quotes.",
    ),
}


@pytest.mark.parametrize(("save", "sentence"), SAVED.values(), ids=SAVED)
def test_a_seed_that_a_spreadsheet_saved_otherwise_is_named(
    tmp_path: Path, save: object, sentence: str
) -> None:
    assert callable(save)
    for name in EDITED:
        content = (PROJECT / "seeds" / name).read_bytes()
        (tmp_path / name).write_bytes(b"\xef\xbb\xbf" + content)
    check_seeds(tmp_path)
    text = (PROJECT / "seeds" / "segment_archetypes.csv").read_text(encoding="utf-8")
    (tmp_path / "segment_archetypes.csv").write_bytes(save(text))
    with pytest.raises(Trouble) as said:
        check_seeds(tmp_path)
    sentence = sentence.format(len(text.splitlines()) + 1)
    assert f"segment_archetypes.csv' {sentence}" in said.value.message


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: path.write_bytes("name: Müller".encode("latin-1")), "is not in UTF-8. Save"),
        (lambda path: path.mkdir(), "can't be read: Is a directory."),
    ],
)
def test_a_vars_file_that_cannot_be_read_is_named(tmp_path: Path, make: object, said: str) -> None:
    assert callable(make)
    make(tmp_path / "shop.yml")
    with pytest.raises(Exception, match=f"The vars file '{tmp_path / 'shop.yml'}' {said}"):
        vars_of(tmp_path / "shop.yml", None, None, None)


# ---- What dbt and the command make of it


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the command works, so that dbt parses the project once."""
    folder = tmp_path_factory.mktemp("trouble")
    with pytest.MonkeyPatch.context() as monkeypatch:
        for name, value in (
            ("DUCKDB_PATH", "shop.duckdb"), ("DBT_TARGET_PATH", "target"), ("DBT_LOG_PATH", "logs"),
        ):  # fmt: skip
            monkeypatch.setenv(name, str(folder / value))
        yield folder


def build(*arguments: str, **settings: str) -> Result:
    """Run the build command, with settings in its environment."""
    command = ["build", "--project-dir", str(PROJECT), *arguments]
    return CliRunner().invoke(main, command, env=settings)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"DUCKDB_MEMORY_LIMIT": "100KB"}, "DUCKDB_MEMORY_LIMIT is 100KB. Raise it, or"),
        ({"DUCKDB_MEMORY_LIMIT": "much"}, "DUCKDB_MEMORY_LIMIT: 'much' is no amount of memory."),
        (
            {"DBT_TARGET_PATH": "{folder}/file"},
            "or name another folder in DBT_TARGET_PATH",
        ),
        ({"DBT_LOG_PATH": "{folder}/file"}, "Move it, or name another folder in DBT_LOG_PATH"),
        ({"DUCKDB_PATH": "{folder}/missing/shop.duckdb"}, "' is missing. Make it, or name another"),
    ],
)
def test_a_build_in_trouble_ends_in_one_sentence_and_publishes_nothing(
    folder: Path, settings: dict[str, str], sentence: str
) -> None:
    (folder / "file").touch()
    given = {name: value.format(folder=folder) for name, value in settings.items()}
    failed = build(**given)
    assert failed.exit_code in (1, 2)
    (said,) = failed.stderr.splitlines()
    assert said.startswith("Error: ")
    assert sentence in said
    assert not (folder / "shop.duckdb").exists()


def test_before_a_build_the_files_that_marketers_edit_are_looked_at(
    folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "seeds").mkdir()
    (tmp_path / "seeds" / "claims.csv").touch()
    failed = build("--project-dir", str(tmp_path))
    assert failed.exit_code == 2
    assert failed.stderr == (
        f"Error: '{tmp_path}/seeds/claims.csv' is empty. Save it as a CSV with commas, in UTF-8.\n"
    )


def test_a_disk_that_is_full_before_dbt_begins_changes_nothing(
    folder: Path, tmp_path: Path, database: bytes
) -> None:
    """The copy that a build would work in has no room."""
    (tmp_path / "shop.duckdb").write_bytes(database)
    failed = subprocess.run(
        ["sh", "-c", "ulimit -f 100 && exec customer-segmentation build"],
        cwd=PROJECT,
        env=os.environ | {"DUCKDB_PATH": str(tmp_path / "shop.duckdb")},
        capture_output=True,
        text=True,
    )
    assert failed.returncode == 1
    assert failed.stderr.startswith("Error: The disk is full.")
    assert len(failed.stderr.splitlines()) == 1
    assert (tmp_path / "shop.duckdb").read_bytes() == database


@pytest.mark.slow
def test_a_log_that_cannot_be_written_is_told_once_and_stops_nothing(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "dbt.log").symlink_to("/dev/full")
    monkeypatch.setenv("DBT_LOG_PATH", str(tmp_path))
    monkeypatch.setenv("DBT_LOG_LEVEL_FILE", "debug")
    made = run(["parse"], {}, PROJECT, folder / "shop.duckdb")
    assert made.success
    assert capfd.readouterr().err == ""
    (warning,) = made.told.warnings
    assert warning.startswith("dbt's log is not whole. The disk is full.")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("content", "memory", "sentence"),
    [
        ("no database", "1GB", "shop.duckdb' is no DuckDB database, but something else. Move it"),
        (None, "much", "DUCKDB_MEMORY_LIMIT: 'much' is no amount of memory. Give one like 4GB"),
    ],
    ids=["a text", "no amount of memory"],
)
def test_dbt_itself_says_it_without_a_stack_trace(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    content: str | None,
    memory: str,
    sentence: str,
) -> None:
    """Profiles that name the plugin check before dbt opens the database."""
    monkeypatch.setenv("DUCKDB_MEMORY_LIMIT", memory)
    if content:
        (tmp_path / "shop.duckdb").write_text(content)
    failed = run_dbt(tmp_path / "shop.duckdb", ["run", "--select", "as_of"], {})
    assert not failed.success
    assert sentence in failed.log
    assert "Traceback" not in failed.log


@pytest.mark.slow
def test_a_project_may_stand_in_a_folder_with_an_apostrophe(tmp_path: Path) -> None:
    project = copy_of_the_project(tmp_path / "o'brien's")
    # Changed, so that dbt does not remember where it stood before.
    seed = project / "seeds" / "exclusion_reasons.csv"
    seed.write_text(seed.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    seeds = ["build", *NO_UNIT_TESTS, "--select", "exclusion_reasons"]
    built = run_dbt(project / "shop.duckdb", seeds, {}, project=project)
    assert built.success, built.log
    assert built.value("select count(*) from staging.exclusion_reasons") > 3


@pytest.mark.slow
def test_where_nobody_listens_and_the_locale_is_c_nothing_else_goes_wrong(tmp_path: Path) -> None:
    """Started as cron may do: stdout closed, and Python kept from UTF-8."""
    c_locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    names = {"DUCKDB_PATH": "größe.duckdb", "DBT_TARGET_PATH": "target", "DBT_LOG_PATH": "logs"}
    failed = subprocess.run(
        ["sh", "-c", "exec customer-segmentation build >&-"],
        cwd=PROJECT,
        env=os.environ
        | c_locale
        | {"DUCKDB_MEMORY_LIMIT": "nothing"}
        | {name: str(tmp_path / value) for name, value in names.items()},
        capture_output=True,
        text=True,
    )
    assert failed.returncode == 1
    assert failed.stderr.startswith("Error: DUCKDB_MEMORY_LIMIT: 'nothing' is no amount of memory.")
    assert len(failed.stderr.splitlines()) == 1
    assert (tmp_path / "größe.duckdb.editions").exists()


# ---- The registry of fits as a CSV

REGISTRY = """record,model_version,dataset,fitted_on,settings,feature,scale,cluster_id,centroid
version,1,sample,2026-01-01,"{""a"": [1, 2]}",,,,
feature,1,,,,num_orders,1.5,,
feature,1,,,,avg_order_value,2,,
centroid,1,,,,num_orders,,1,0.5
centroid,1,,,,avg_order_value,,1,-0.5
"""
AS_BEFORE = (PROJECT / "tests" / "data" / "registry_of_0.1.0.csv").read_text(encoding="utf-8")
REGISTRIES = {
    "whole": (REGISTRY, None),
    "with a mark": ("\ufeff" + REGISTRY.replace("\n", "\r\n"), None),
    "of 0.1.0": (AS_BEFORE, None),
    "empty": ("", "has no column 'model_version'"),
    "only a header": (REGISTRY.split("\n")[0] + "\n", "holds no version"),
    "another file": ("customer,amount\na,1\n", "has no column 'model_version'"),
    "semicolons": (REGISTRY.replace(",", ";"), "has no column 'model_version'"),
    "Latin-1": (REGISTRY.replace("sample", "süß").encode("latin-1"), "is not in UTF-8"),
    "cut short": (REGISTRY[:-7], "has rows with more or fewer columns than others"),
    "cut between rows": (REGISTRY[: REGISTRY.index("centroid,1")], "has no clusters of version 1"),
    "a row twice": (REGISTRY + REGISTRY.split("\n")[5] + "\n", "has a row of version 1 twice"),
    "a word": (REGISTRY.replace("0.5", "much", 1), "has the value 'much' in its column centroid"),
    "a date": (REGISTRY.replace("2026-01-01", "1.1.2026"), "'1.1.2026' in its column fitted_on"),
    "no JSON": (REGISTRY.replace(": [1", "1"), "in its column settings"),
    "no centroid": (REGISTRY.replace("-0.5", ""), "has the value '' in its column centroid"),
    "no scale": (REGISTRY.replace("1.5", "0.0"), "has the value '0.0' in its column scale"),
    "version 0": (
        REGISTRY.replace(",1,,", ",0,,"),
        "has the value '0' in its column model_v",
    ),
    "no feature": (REGISTRY.replace("_value,2", ",2"), "by 'avg_order_value', which is no feature"),
}


@pytest.mark.slow
def test_a_registry_that_is_none_or_not_whole_is_refused_before_anything_is_fitted(
    tmp_path: Path,
) -> None:
    expected = []
    for name, (content, problem) in REGISTRIES.items():
        path = tmp_path / f"{name}.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        whole = f"registry_location: '{path}' is no whole registry, as it "
        expected.append((str(path), whole, problem))
    nowhere = [
        (str(tmp_path), "registry_location: there is no file", str(tmp_path)),
        (str(tmp_path / "*.csv"), f"registry_location: {len(REGISTRIES)} files match", "*.csv'"),
    ]
    given = {"locations": [path for path, _, _ in expected + nowhere]}
    arguments = ["run-operation", "tell_registry_problems", "--args", json.dumps(given)]
    said = run_dbt(tmp_path / "shop.duckdb", arguments, None).messages
    told = [line.removeprefix("problem: ") for line in said if line.startswith("problem: ")]
    assert len(told) == len(given["locations"])
    for line, (_, beginning, problem) in zip(told, expected + nowhere, strict=True):
        found = json.loads(line)
        if problem is None:
            assert found is None
        else:
            assert found.startswith(beginning)
            assert problem in found
