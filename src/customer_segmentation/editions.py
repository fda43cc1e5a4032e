"""Editions of a database: built beside it, switched in one step, kept, and switched back.

Beside ``shop.duckdb`` stands the folder ``shop.duckdb.editions``: ``building/shop.duckdb`` is the
copy that a build works in, ``failed/shop.duckdb`` what it left when it failed, ``7/shop.duckdb``
the edition 7 of before. All have the file's own name, which the views in it contain. Whoever has
the file open keeps the edition that they opened; whoever opens it gets the new one.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self, TextIO

import duckdb
import pandas as pd

from customer_segmentation.database import Database, Edition, NotReadable, look_into_the_layers
from customer_segmentation.sources import delete_unused

FICLONE = 0x40049409
"""Linux's request to clone a file: both share their blocks until one is written."""


class NotPossible(Exception):
    """An edition can't be made, published or switched to; the message says what to do."""


State = list[tuple[int, int, int] | None]
"""What a database file and its log were when they were looked at: a change shows in it."""


def state_of(database: Path) -> State:
    """Look at a database file and its write-ahead log."""
    state: State = []
    for path in (database, wal_of(database)):
        try:
            found = path.stat()
            state.append((found.st_ino, found.st_size, found.st_mtime_ns))
        except FileNotFoundError:
            state.append(None)
    return state


def wal_of(database: Path) -> Path:
    """Name the write-ahead log of a database: what a writer that was killed has left to do."""
    return database.with_name(f"{database.name}.wal")


def copy(source: Path, target: Path) -> None:
    """Copy a file; where the file system can, both share their blocks, which takes no time."""
    with source.open("rb") as old, target.open("wb") as new:
        try:
            fcntl.ioctl(new.fileno(), FICLONE, old.fileno())
        except OSError:
            shutil.copyfileobj(old, new, 1 << 22)


def let_read(who: str, *paths: Path) -> None:
    """Let the owner, the group or everybody read files, and folders with what is in them."""
    mode = {"owner": 0o700, "group": 0o750, "everybody": 0o755}[who]
    for path in paths:
        for one in (path, *path.glob("*")):
            if one.is_dir():
                one.chmod(mode)
            elif one.is_file():
                one.chmod(mode & 0o666)


def to_disk(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def settle(database: Path) -> None:
    """Bring what stands in the write-ahead log into the file, if there is a log.

    DuckDB does so when it closes a file, but where that fails, as on a full disk, it says nothing.
    Raises ``duckdb.Error`` or ``NotPossible`` if it can't be done.
    """
    if wal_of(database).exists():
        with duckdb.connect(str(database)) as connection:
            connection.execute("checkpoint")
    if wal_of(database).exists():
        raise NotPossible(
            f"'{database}' can't be written to its end: '{wal_of(database).name}' stays beside it."
            " Is the disk full?"
        )


@dataclass(frozen=True)
class Editions:
    """The editions of the database ``published``, which need not exist yet."""

    published: Path

    @classmethod
    def of(cls, database: Path) -> Self:
        """Find the editions of a database, which stand beside the file that a link leads to."""
        return cls(database.resolve() if database.is_symlink() else database)

    @cached_property
    def folder(self) -> Path:
        """Where everything stands that is not published."""
        return self.published.with_name(f"{self.published.name}.editions")

    @property
    def copies(self) -> Path:
        """The folder of exports that were copied in UTF-8, which editions read there."""
        return self.published.with_name(f"{self.published.name}.transcoded")

    def file(self, name: str | int) -> Path:
        """Name the file of an edition, of ``building`` or of ``failed``."""
        return self.folder / str(name) / self.published.name

    @contextmanager
    def locked(self, wait: bool, tell: Callable[[str], None]) -> Iterator[None]:
        """Keep other builds of this database away; the system lets go of a lock whose holder died.

        Raises ``NotPossible`` if another process builds and ``wait`` is false.
        """
        self.folder.mkdir(exist_ok=True)
        with (self.folder / "lock").open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                who = f"'{self.published}' is being built by {self._holder(lock)}"
                if not wait:
                    raise NotPossible(
                        f"{who}. Try again when it has ended, or wait for it with --wait."
                    ) from None
                tell(f"{who}; waiting for it ...")
                fcntl.flock(lock, fcntl.LOCK_EX)
            lock.seek(0)
            if ended := lock.read():
                tell(f"The last build ended early ({ended.strip()}); what it left is taken away.")
            lock.truncate(0)
            lock.write(f"process {os.getpid()} on {socket.gethostname()}, since {now()}")
            lock.flush()
            self._tidy()
            try:
                yield
            finally:
                self.clear("building")
                lock.truncate(0)

    def _tidy(self) -> None:
        """Take away what a killed build left, and its second name of the file that is published."""
        self.clear("building")
        for kept in self.kept():
            if self.published.exists() and self.file(kept).samefile(self.published):
                if wal_of(self.file(kept)).exists():
                    os.replace(wal_of(self.file(kept)), wal_of(self.published))
                self.clear(kept)

    @staticmethod
    def _holder(lock: TextIO) -> str:
        """Read who holds the lock, which they write a moment after they took it."""
        for _ in range(20):
            lock.seek(0)
            if text := lock.read().strip():
                return text
            time.sleep(0.05)
        return "another process"

    def begin(self) -> State:
        """Copy the published file, if there is one, to where the next edition is built.

        Returns what the published file was. Raises ``NotPossible`` if it is being written.
        """
        self.clear("failed")
        self._expect_no_log_alone()
        self.file("building").parent.mkdir()
        if not self.published.exists():
            return state_of(self.published)
        self._settle_published()
        before = state_of(self.published)
        self._copy_to_build_in(self.published)
        self._expect(before)
        return before

    def _copy_to_build_in(self, database: Path) -> None:
        """Copy a file, and its log if it has one, to where the next edition is built."""
        building = self.file("building")
        for source, target in ((database, building), (wal_of(database), wal_of(building))):
            if source.exists():
                copy(source, target)

    def _expect_no_log_alone(self) -> None:
        if wal_of(self.published).exists() and not self.published.exists():
            raise NotPossible(
                f"'{wal_of(self.published)}' belongs to a database that is gone, and would be read"
                " as if of the next one. Move it away."
            )

    def _settle_published(self) -> None:
        """Settle the published file, and see that nobody writes it."""
        with Database(self.published):
            pass
        # If somebody reads it, the copy will be settled, and takes the place of file and log.
        with suppress(duckdb.Error, NotPossible):
            settle(self.published)

    def _expect(self, before: State) -> None:
        if state_of(self.published) != before:
            raise NotPossible(
                f"'{self.published}' was changed by somebody else meanwhile. Build again."
            )

    def set_aside(self) -> Path:
        """Keep what a failed build left, until the next one begins; name its file."""
        self.file("building").parent.rename(self.folder / "failed")
        return self.file("failed")

    def publish(self, before: State) -> Edition:
        """Put the edition that was built into the published one's place, in one step.

        ``before`` is what ``begin`` returned. Raises ``NotPossible`` if the published file has
        changed since.
        """
        if not self.file("building").exists():
            raise NotPossible(
                "dbt built elsewhere than where DUCKDB_PATH says. Give your profile the path"
                " {{ env_var('DUCKDB_PATH') }}, or call dbt build, which builds in place."
            )
        with Database(self.file("building")) as built:
            try:
                built.expect_one_edition()
            except NotReadable as problem:
                if self.published.exists():
                    raise
                raise NotPossible(
                    "A first build makes all layers: without --select and --exclude."
                ) from problem
            edition = built.served_edition
        let_read(edition.settings["readable_by"], self.folder, self.copies, self.file("building"))
        self._put_in_place(self.file("building"), before)
        self._prune(edition.settings["keep_editions"])
        self._delete_unused_copies()
        return edition

    def _put_in_place(self, file: Path, before: State) -> None:
        """Publish ``file``, and keep what was published under the number of its edition."""
        settle(file)
        to_disk(file)
        if not self.published.exists():
            self._expect(before)
            os.replace(file, self.published)
        else:
            # As long as it is open here, nobody else can begin to write it.
            with Database(self.published) as database:
                self._expect(before)
                self._keep(database.served_edition.edition_id)
                os.replace(file, self.published)
        to_disk(self.published.parent)

    def _keep(self, edition: int) -> None:
        """Give the published file a second name, under which it stays."""
        kept = self.file(edition)
        self.clear(edition)
        kept.parent.mkdir(mode=self.folder.stat().st_mode)
        try:
            os.link(self.published, kept)
        except OSError as problem:
            if problem.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK):
                raise
            # A file system without second names.
            copy(self.published, kept)
        if wal_of(self.published).exists():
            os.replace(wal_of(self.published), wal_of(kept))
        to_disk(kept.parent)
        to_disk(self.folder)

    def kept(self) -> list[int]:
        """List the editions that stay as files beside the published one."""
        if not self.folder.exists():
            return []
        names = [path.name for path in self.folder.iterdir() if path.name.isdigit()]
        return sorted(int(name) for name in names if self.file(name).exists())

    def _prune(self, keep: int) -> None:
        """Delete all but the ``keep`` editions served last, of which the published is one."""
        rows = self.listed()
        kept = rows[rows["file"] == "kept"].sort_values("served_since", ascending=False)
        for edition in kept["edition_id"][keep - 1 :]:
            self.clear(int(edition))

    def _delete_unused_copies(self) -> None:
        """Delete copies of exports in UTF-8 that no edition reads any more."""
        read_with: list[str] = []
        for file in (self.published, *map(self.file, self.kept())):
            try:
                with Database(file) as database:
                    calls = database.read("select read_with from source_files")
            except NotReadable:
                # An edition of long ago, of which that is not known.
                return
            read_with.extend(calls["read_with"])
        delete_unused(self.copies, read_with)

    def clear(self, name: str | int) -> None:
        """Delete the folder of an edition, of ``building`` or of ``failed``."""
        shutil.rmtree(self.folder / str(name), ignore_errors=True)

    def listed(self) -> pd.DataFrame:
        """List all editions, newest first; ``file`` says which are served, or kept.

        Raises ``NotReadable`` if there is no database.
        """
        with Database(self.published) as database:
            rows, served = database.editions, database.served_edition.edition_id
        kept = self.kept()
        rows["file"] = [
            "served" if edition == served else "kept" if edition in kept else ""
            for edition in rows["edition_id"]
        ]
        return rows.sort_values("edition_id", ascending=False).reset_index(drop=True)

    def switch(self, edition: int | None) -> tuple[int, int | None]:
        """Serve another edition that is kept: the one that is named, or the last one before.

        Its model version is pinned if there is a newer one, and the append-only tables stay those
        that are published now. If nothing is published, as where a damaged file was moved away,
        the newest one is served as it is. Returns the edition and the version that it pins, if it
        does.
        Raises ``NotPossible`` if that edition is no file.
        """
        self._expect_no_log_alone()
        if not self.published.exists() and self.kept():
            return self._serve_again(edition), None
        rows = self.listed()
        kept = rows[rows["file"] == "kept"].sort_values("served_since")["edition_id"]
        if edition is None:
            (served,) = rows.loc[rows["file"] == "served", "edition_id"]
            earlier = kept[kept < served]
            edition = int(earlier.iloc[-1]) if len(earlier) else None
        edition = self._expect_kept(edition, list(kept))
        self._settle_published()
        before = state_of(self.published)
        file = self.file(edition)
        try:
            pinned = bring_forward(file, self.published, edition)
        except duckdb.IOException:
            # Somebody has it open since it was served: they keep it, and a copy takes its place.
            file = self.file("building")
            file.parent.mkdir()
            self._copy_to_build_in(self.file(edition))
            pinned = bring_forward(file, self.published, edition)
        self._put_in_place(file, before)
        self.clear(edition)
        return edition, pinned

    def _serve_again(self, edition: int | None) -> int:
        """Publish an edition that is kept where the published file is gone; return its number."""
        kept = self.kept()
        edition = self._expect_kept(kept[-1] if edition is None else edition, kept)
        self._put_in_place(self.file(edition), state_of(self.published))
        self.clear(edition)
        return edition

    def _expect_kept(self, edition: int | None, kept: list[int]) -> int:
        if edition is None or edition not in kept:
            wanted = "an earlier edition" if edition is None else f"edition {edition}"
            raise NotPossible(
                f"There is no file of {wanted} of '{self.published}' to switch to; kept are:"
                f" {', '.join(map(str, sorted(kept))) or 'none'}. The var keep_editions says how"
                " many stay."
            )
        return edition

    def release(self) -> int | None:
        """Take away what a rollback pinned: the next build scores with the newest version again.

        Returns the version that was pinned, None if none was.
        """
        with Database(self.published) as database:
            served = database.served_edition
        if served.pinned_model_version is None:
            return None
        before = self.begin()
        with duckdb.connect(str(self.file("building"))) as connection:
            look_into_the_layers(connection)
            connection.execute(
                f"""
                update editions set pinned_model_version = null
                where edition_id = ({SERVED})
                """
            )
        self._put_in_place(self.file("building"), before)
        # It was kept under the number that it has still.
        self.clear(served.edition_id)
        return served.pinned_model_version


SERVED = "select arg_max(edition_id, served_since) from editions"


def bring_forward(file: Path, published: Path, edition: int) -> int | None:
    """Give an earlier edition the append-only tables of the published one, in one transaction.

    It is served from now on. Returns the model version that it pins: its own, if there is a newer
    one.
    """
    with duckdb.connect(str(file)) as connection:
        prefix = look_into_the_layers(connection)
        connection.execute(f"attach '{quoted(published)}' as published (read_only)")
        tables = connection.execute(
            f"""
            select unnest(arg_max(append_only_tables, edition_id))
            from published."{prefix}main".editions
            """
        ).fetchall()
        connection.execute("begin")
        for table in [f"{prefix}main.editions", *(name for (name,) in tables)]:
            schema, name = table.split(".")
            connection.execute(f'create schema if not exists "{schema}"')
            table = f'"{schema}"."{name}"'
            connection.execute(f"create or replace table {table} as from published.{table}")
        ((pinned, newest),) = connection.execute(
            """
            select
                (select max(model_version) from customer_segments),
                (select max(model_version) from model_versions where purpose = 'serves')
            """
        ).fetchall()
        pins = pinned if pinned != newest else None
        connection.execute(
            """
            update editions
            set
                pinned_model_version = $pins,
                served_since = greatest(
                    cast($now as timestamp),
                    (select max(served_since) from editions) + interval 1 microsecond
                )
            where edition_id = $edition
            """,
            {"pins": pins, "now": now().removesuffix(" UTC"), "edition": edition},
        )
        connection.execute("commit")
        connection.execute("detach published")
    return pins


def quoted(path: Path) -> str:
    """Write a path between the quotes of SQL."""
    return str(path).replace("'", "''")


def now() -> str:
    """Write the time, in UTC, to the second."""
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
