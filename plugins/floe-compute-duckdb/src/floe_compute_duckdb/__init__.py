"""Compute plugin: DuckDB."""
