"""A dbt adapter: models run in DuckDB, their tables lie in an Iceberg REST catalog."""
