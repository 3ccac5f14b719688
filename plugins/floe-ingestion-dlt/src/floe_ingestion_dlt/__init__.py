"""Ingestion plugin: dlt pipelines into DuckDB or Parquet in an object store."""
