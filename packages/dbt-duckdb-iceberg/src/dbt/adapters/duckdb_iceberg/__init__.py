"""A dbt adapter: models run in DuckDB, their tables lie in an Iceberg REST catalog."""

from dbt.adapters.base.plugin import AdapterPlugin
from dbt.adapters.duckdb_iceberg.credentials import DuckDBIcebergCredentials
from dbt.adapters.duckdb_iceberg.impl import DuckDBIcebergAdapter
from dbt.include import duckdb_iceberg

Plugin = AdapterPlugin(
    adapter=DuckDBIcebergAdapter,  # type: ignore[arg-type]
    credentials=DuckDBIcebergCredentials,
    include_path=duckdb_iceberg.PACKAGE_PATH,
    dependencies=["duckdb"],
)
