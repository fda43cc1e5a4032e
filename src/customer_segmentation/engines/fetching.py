"""What people read, from another engine into a DuckDB file: report, lists and notebooks take it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import duckdb
import yaml

from customer_segmentation.database import LAYERS
from customer_segmentation.engines.postgres_copy import PostgresCopy

SAY_WHAT_IS_BUILT = ("customer_metrics", "customer_clusters")
"""Beside what is read, tables by which readers tell whether the layers are of one build."""


def tables_that_are_read(project: Path) -> list[str]:
    """Name the models and seeds that the exposures of the project read."""
    exposures = yaml.safe_load((project / "models" / "exposures.yml").read_text(encoding="utf-8"))
    named = re.findall(r"'(\w+)'\)", " ".join(
        text for exposure in exposures["exposures"] for text in exposure["depends_on"]
    ))  # fmt: skip
    return list(dict.fromkeys([*named, *SAY_WHAT_IS_BUILT]))


def fetch(
    copy: PostgresCopy,
    prefix: str,
    tables: list[str],
    database: Path,
    progress: Callable[[str], None],
) -> None:
    """Copy tables into a DuckDB file, which is replaced when all are there.

    ``prefix`` is the ``schema_prefix`` of the layers there. Raises ``LookupError`` for a table that
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
                    raise LookupError(name)
                copy.fetch(f"{prefix}{layer}.{name}", connection, None, layer)
                progress(f"{layer}.{name}")
        half.replace(database)
    finally:
        half.unlink(missing_ok=True)
