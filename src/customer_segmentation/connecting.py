"""What dbt does where it opens the database: it says in a sentence why it can't.

profiles.yml names this module as a plugin of dbt-duckdb, so that plain ``dbt build`` says it, too.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import duckdb
from dbt.adapters.duckdb.credentials import DuckDBCredentials
from dbt.adapters.duckdb.plugins import BasePlugin

from customer_segmentation.trouble import Trouble, check_database_path, trouble_of


class Plugin(BasePlugin):
    """Tries to open the database as dbt is about to."""

    def update_connection_config(self, creds: DuckDBCredentials, config: dict[str, Any]) -> None:
        """Raise ``RuntimeError``, which dbt shows without a stack trace, if that fails."""
        if creds.path == ":memory:" or creds.is_motherduck:
            return
        path = Path(creds.path).expanduser()
        try:
            if config.get("access_mode") != "read_only":
                check_database_path(path)
            with duckdb.connect(creds.path, config=config) as connection:
                for name, value in (creds.settings or {}).items():
                    text = str(value).replace("'", "''")
                    connection.execute(f"set {name} = '{text}'")
        except Trouble as problem:
            raise RuntimeError(problem.message) from problem
        except duckdb.Error as problem:
            raise RuntimeError(trouble_of(problem, path, os.environ) or str(problem)) from problem

    def configure_cursor(self, cursor: Any) -> None:
        """Hand over the key that e-mail addresses are hashed with, where no SQL shows it."""
        key = os.environ.get("CUSTOMER_EMAIL_KEY", "").replace("'", "''")
        cursor.execute(f"set variable email_key = nullif('{key}', '')")
