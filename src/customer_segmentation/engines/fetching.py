"""What people read, from another engine into a DuckDB file: report, lists and notebooks take it."""

from __future__ import annotations

import re
from pathlib import Path

import click
import duckdb
import yaml
from dbt_common.exceptions import DbtRuntimeError

from customer_segmentation.database import LAYERS
from customer_segmentation.engines.local import Engine

SAY_WHAT_IS_BUILT = ("customer_metrics", "customer_clusters")
"""Beside what is read, tables by which readers tell whether the layers are of one build."""


class NotFetched(DbtRuntimeError):
    """A table is not there; the message says what to do."""


def tables_that_are_read(project: Path) -> list[str]:
    """Name the models and seeds that the exposures of the project read."""
    exposures = yaml.safe_load((project / "models" / "exposures.yml").read_text(encoding="utf-8"))
    named = re.findall(r"'(\w+)'\)", " ".join(
        text for exposure in exposures["exposures"] for text in exposure["depends_on"]
    ))  # fmt: skip
    return list(dict.fromkeys([*named, *SAY_WHAT_IS_BUILT]))


def fetch(
    copy: Engine,
    prefix: str,
    tables: list[str],
    database: Path,
) -> None:
    """Copy tables into a DuckDB file, which is replaced when all are there.

    ``prefix`` is the ``schema_prefix`` of the layers there. Raises ``NotFetched`` for a table that
    is in none of them.
    """
    half = database.with_name(f".{database.name}.half")
    half.unlink(missing_ok=True)
    try:
        with duckdb.connect(str(half)) as connection:
            connection.execute("set timezone = 'UTC'")
            for name in tables:
                layer = next((one for one in LAYERS if copy.columns(prefix + one, name)), None)
                if layer is None:
                    raise NotFetched(
                        f"There is no table '{name}'. Build first: customer-segmentation build"
                        " --target, with the same target."
                    )
                copy.fetch(f"{prefix}{layer}.{name}", connection, None, layer)
                click.echo(f"{layer}.{name}")
        half.replace(database)
    finally:
        half.unlink(missing_ok=True)
