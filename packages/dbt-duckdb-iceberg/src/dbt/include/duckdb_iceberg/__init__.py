"""The adapter's dbt package: its materializations and the macros that differ from the `duckdb` adapter's."""

from pathlib import Path

PACKAGE_PATH = str(Path(__file__).parent)
