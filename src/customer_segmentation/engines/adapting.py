"""What every adapter of another engine does: translate, run Python models here, fetch."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import Any

from dbt.adapters.base import available
from dbt.adapters.base.meta import AdapterMeta

from customer_segmentation.engines.fetching import fetch
from customer_segmentation.engines.local import Engine, run_python_model
from customer_segmentation.engines.translating import Translator


class FromDuckDB(metaclass=AdapterMeta):
    """Part of an adapter for a project in DuckDB's SQL."""

    translator: Translator

    @abstractmethod
    def _copy(self) -> Engine:
        """Give what copies tables to and from the engine."""

    @available
    def in_words_of_the_engine(self, sql: str) -> str:
        """Translate a query."""
        return self.translator.translated(
            sql, lambda schema, name: list(self._copy().columns(schema, name)) or None
        )

    @available
    def fetch(self, prefix: str, tables: list[str], database: str) -> None:
        """Copy tables into a DuckDB file."""
        fetch(self._copy(), prefix, tables, Path(database))

    @available
    def run_python_model(self, model: dict[str, Any], code: str, result: str) -> None:
        """Run a Python model and leave its rows in the session, under a temporary name."""
        run_python_model(self._copy(), model, code, result, self.in_words_of_the_engine)
