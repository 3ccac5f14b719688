"""The adapter's version, where dbt looks for it."""

from importlib.metadata import version as _of

version = _of("dbt-duckdb-iceberg")
