"""A dbt adapter: models run in Apache Spark, their tables lie in an Iceberg REST catalog."""

from __future__ import annotations

from dbt.adapters.base.plugin import AdapterPlugin
from dbt.adapters.spark_iceberg.credentials import SparkIcebergCredentials
from dbt.adapters.spark_iceberg.impl import SparkIcebergAdapter
from dbt.include import spark_iceberg

Plugin = AdapterPlugin(
    adapter=SparkIcebergAdapter,
    credentials=SparkIcebergCredentials,
    include_path=spark_iceberg.PACKAGE_PATH,
    dependencies=["spark"],  # its macros serve where this one has none of its own
)
