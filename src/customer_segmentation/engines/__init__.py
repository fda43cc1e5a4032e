"""Engines other than DuckDB: its SQL in their words, and Python models that run here."""
