"""The adapter: what dbt asks of Spark, asked of an Iceberg catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dbt.adapters.base.impl import ConstraintSupport
from dbt.adapters.base.meta import available
from dbt.adapters.base.relation import AdapterTrackingRelationInfo
from dbt.adapters.contracts.relation import RelationType
from dbt.adapters.spark.impl import SparkAdapter
from dbt.adapters.spark_iceberg import relation
from dbt.adapters.spark_iceberg.__version__ import version
from dbt.adapters.spark_iceberg.connections import SparkIcebergConnectionManager
from dbt_common.contracts.constraints import ConstraintType
from dbt_common.exceptions import DbtRuntimeError
from floe_compute_spark import seeds, types
from floe_compute_spark.settings import ViewKind

if TYPE_CHECKING:
    from collections.abc import Mapping

_MISSING = ("SCHEMA_NOT_FOUND", "NoSuchNamespaceException", "Namespace does not exist", "NAMESPACE_NOT_FOUND")


class SparkIcebergAdapter(SparkAdapter):  # type: ignore[misc] # dbt publishes no types
    """Spark over an Iceberg catalog, one product's namespace of it."""

    ConnectionManager = SparkIcebergConnectionManager
    Relation = relation.SparkIcebergRelation
    # Iceberg keeps no constraint; dbt's tests hold them.
    CONSTRAINT_SUPPORT = dict.fromkeys(ConstraintType, ConstraintSupport.NOT_SUPPORTED)

    def __init__(self, config: Any, mp_context: Any) -> None:
        super().__init__(config, mp_context)
        credentials = config.credentials
        self.Relation = relation.within(credentials.namespace, credentials.schema)

    @classmethod
    def get_adapter_run_info(cls, config: Any) -> AdapterTrackingRelationInfo:
        """What dbt notes of a run; its own way looks for a module named like the class."""
        del config
        return AdapterTrackingRelationInfo(  # type: ignore[abstract] # dbt's own class, as dbt makes it
            adapter_name="spark_iceberg", base_adapter_version="", adapter_version=version, model_adapter_details={}
        )

    def list_relations_without_caching(self, schema_relation: Any) -> list[Any]:
        """Tables of a namespace, and views where the catalog keeps them: one request each."""
        found = self._named(schema_relation, "tables", RelationType.Table)
        if self.config.credentials.views == ViewKind.CATALOG:
            found += self._named(schema_relation, "views", RelationType.View)
        return found

    def list_schemas(self, database: str | None) -> list[str]:
        """The product's schemas that are there."""
        del database
        root = self.config.credentials.schema
        inside = self.Relation.create(schema=root).without_identifier()
        rows = self._rows(f"show namespaces in {inside.render()}")
        if rows is None:
            return []
        prefix = f"{self.config.credentials.namespace}."
        return [root, *(str(row[0]).replace("`", "").removeprefix(prefix) for row in rows)]

    def check_schema_exists(self, database: str | None, schema: str) -> bool:
        """Whether a schema of the product is there."""
        return schema in self.list_schemas(database)

    @available
    def spark_type(self, written: str) -> str:
        """Spark's name of a type as a project writes it."""
        return types.spark_type(written)

    @available
    def seed_view(self, view: str, path: str, delimiter: str, declared: Mapping[str, str]) -> int:
        """A temporary view of a CSV file's rows with the declared types; returns how many they are.

        Raises:
            DbtRuntimeError: The file cannot be read, or a value does not fit its column; names the line.
        """
        spark = self.connections.get_thread_connection().handle.session
        try:
            with self.connections.exception_handler(f"seed {path}"):
                seed = seeds.read(path, delimiter, declared)
                seed.frame(spark).createOrReplaceTempView(view)
        except seeds.SeedError as error:
            raise DbtRuntimeError(str(error)) from error
        return len(seed.rows)

    def _named(self, schema_relation: Any, what: str, kind: RelationType) -> list[Any]:
        rows = self._rows(f"show {what} in {schema_relation.without_identifier().render()}") or []
        schema = schema_relation.schema
        # Rows of Spark are namespace, name, isTemporary; temporary views of the session are listed everywhere.
        return [self.Relation.create(schema=schema, identifier=row[1], type=kind) for row in rows if not row[2]]

    def _rows(self, sql: str) -> list[Any] | None:
        """The rows of a listing; None where there is no such namespace."""
        try:
            _, table = self.execute(sql, fetch=True)
        except DbtRuntimeError as error:
            if any(word in str(error) for word in _MISSING):
                return None
            raise
        return list(table.rows)
