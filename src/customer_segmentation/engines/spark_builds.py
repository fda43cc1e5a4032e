"""Whole builds on Spark: each in schemas of its own, behind views that people read.

Spark's catalog renames no schema and has no transaction over tables. So a build is made in schemas
of a suffix that no other has; readers ask views in the schemas of the layers. Which build is
served is one view, replaced in one step; then the views of the layers are made anew. A process
that is killed between the two leaves some views on the build of before, and the next build puts
them right before it begins.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from textwrap import shorten
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

MOST_SIGNS = 255
"""Of what is said of a column; with more Hive's catalog tries ten times, for 20 seconds."""

THREADS = 4
"""That ask the catalog side by side."""

TO_SERVE, SERVED = "build_to_serve", "build_served"


class Described(NamedTuple):
    """What is said of a table and of its columns."""

    description: str
    columns: Mapping[str, str]


class Builds:
    """The builds of a shop in a catalog."""

    def __init__(self, session: SparkSession, home: str) -> None:
        """Take a session, and the schema that has the views which name the build."""
        self.session, self.home = session, home

    def _named_by(self, view: str) -> str | None:
        if not self.session.catalog.tableExists(f"`{self.home}`.`{view}`"):
            return None
        suffix: str = self.session.table(f"`{self.home}`.`{view}`").collect()[0][0]
        return suffix

    def _name(self, view: str, suffix: str) -> None:
        self.session.sql(f"create schema if not exists `{self.home}`")
        self.session.sql(
            f"create or replace view `{self.home}`.`{view}` as select '{suffix}' as suffix"
        )

    def served(self) -> str | None:
        """Give the suffix of the build that is served, if there is one."""
        return self._named_by(TO_SERVE)

    def relations(self, schema: str) -> dict[str, str]:
        """Give what a schema has, each a VIEW or a TABLE; nothing if there is none."""
        if not self.session.catalog.databaseExists(f"`{schema}`"):
            return {}
        found = {}
        for kind, command in (("TABLE", "tables"), ("VIEW", "views")):
            for row in self.session.sql(f"show {command} in `{schema}`").collect():
                if not row["isTemporary"]:
                    found[row[1]] = kind
        return found

    def begin(self, schemas: Mapping[str, str], described: Mapping[str, Described]) -> None:
        """Finish what was killed, drop builds that nobody reads, and make the new schemas.

        ``schemas`` gives the layer of each new schema.
        """
        served = self.served()
        if served and self._named_by(SERVED) != served:
            self._show({layer + served: layer for layer in schemas.values()}, described)
            self._name(SERVED, served)
        layers = tuple(f"{layer}__b" for layer in schemas.values())
        for database in self.session.catalog.listDatabases():
            is_ours = database.name.startswith(layers) and database.name.split("__b")[-1].isdigit()
            if is_ours and not (served and database.name.endswith(served)):
                self.session.sql(f"drop schema `{database.name}` cascade")
        for schema in schemas:
            self.session.sql(f"create schema if not exists `{schema}`")

    def publish(
        self, suffix: str, schemas: Mapping[str, str], described: Mapping[str, Described]
    ) -> None:
        """Serve a build. What is read until the next one begins stays."""
        self._name(TO_SERVE, suffix)
        self._show(schemas, described)
        self._name(SERVED, suffix)

    def _show(self, schemas: Mapping[str, str], described: Mapping[str, Described]) -> None:
        # One at a time each waits for the catalog.
        with ThreadPoolExecutor(THREADS) as threads:
            for schema, layer in schemas.items():
                made, before = self.relations(schema), self.relations(layer)
                self.session.sql(f"create schema if not exists `{layer}`")
                for name, kind in before.items():
                    if kind == "TABLE" or name not in made:
                        self.session.sql(f"drop {kind} `{layer}`.`{name}`")
                show = partial(self._show_one, schema, layer, described)
                # Taken, so that what goes wrong is told.
                list(threads.map(show, made))

    def _show_one(
        self, schema: str, layer: str, described: Mapping[str, Described], name: str
    ) -> None:
        said = described.get(name, Described("", {}))
        columns = ", ".join(
            f"`{column}` comment {text(shorten(said.columns.get(column, ''), MOST_SIGNS))}"
            for column in self.session.table(f"`{schema}`.`{name}`").columns
        )
        self.session.sql(
            f"create or replace view `{layer}`.`{name}` ({columns})"
            f" comment {text(said.description)} as select * from `{schema}`.`{name}`"
        )


def text(words: str) -> str:
    r"""Write words as a text of Spark's SQL.

    >>> print(text("the shop's \\"))
    'the shop\'s \\'
    """
    return "'" + words.replace("\\", "\\\\").replace("'", "\\'") + "'"
