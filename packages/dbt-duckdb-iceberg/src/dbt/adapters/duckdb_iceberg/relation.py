"""Where a node's relation lies: tables below the product's namespace, views in the local file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from dbt.adapters.duckdb.relation import DuckDBRelation
from dbt.adapters.duckdb_iceberg.credentials import DuckDBIcebergCredentials

if TYPE_CHECKING:
    from dbt.adapters.contracts.relation import HasQuoting, RelationConfig


@dataclass(frozen=True, eq=False, repr=False)
class DuckDBIcebergRelation(DuckDBRelation):
    """A table of the catalog, or a relation of the local file.

    The namespace is put before the schema here and not in `generate_schema_name`: a project that defines that macro,
    to have its schemas named exactly, gets the same names in both lanes. Sources are named as they are.
    """

    @classmethod
    def create_from(cls, quoting: HasQuoting, relation_config: RelationConfig, **kwargs: Any) -> Self:
        """The relation of a node, as its profile places it."""
        made: Any = super().create_from(quoting, relation_config, **kwargs)
        credentials = getattr(quoting, "credentials", None)
        if (
            relation_config.resource_type == "source"
            or not isinstance(credentials, DuckDBIcebergCredentials)
            or made.database != credentials.database
            or not made.schema
        ):
            unplaced: Self = made
            return unplaced
        placed: Self = made.incorporate(path={"schema": credentials.namespace_of(made.schema)})
        return placed
