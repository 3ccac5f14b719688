"""Where a node's relation lies: tables below the product's namespace, views in the local file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

from dbt.adapters.duckdb.relation import DuckDBRelation
from dbt.adapters.duckdb_iceberg.credentials import (
    DuckDBIcebergCredentials,  # noqa: TC002 - dbt's classes read their annotations at run time
)

if TYPE_CHECKING:
    from dbt.adapters.contracts.relation import HasQuoting, RelationConfig


@dataclass(frozen=True, eq=False, repr=False)
class DuckDBIcebergRelation(DuckDBRelation):
    """A table of the catalog, or a relation of the local file.

    The namespace is put before the schema here and not in `generate_schema_name`: a project that defines that macro,
    to have its schemas named exactly, gets the same names in both lanes. A source's schema is the product's own too, in
    which loaders put their tables; one with a dot is a namespace as it is, and `.name` is one at the root.
    """

    credentials: ClassVar[DuckDBIcebergCredentials | None] = None
    """The profile that places relations; dbt hands it over for nodes and not for sources."""

    @classmethod
    def create_from(cls, quoting: HasQuoting, relation_config: RelationConfig, **kwargs: Any) -> Self:
        """The relation of a node, as its profile places it."""
        made: Any = super().create_from(quoting, relation_config, **kwargs)
        credentials = cls.credentials
        if credentials is None or made.database != credentials.database or not made.schema:
            unplaced: Self = made
            return unplaced
        foreign = relation_config.resource_type == "source" and "." in made.schema
        namespace = made.schema.removeprefix(".") if foreign else credentials.namespace_of(made.schema)
        placed: Self = made.incorporate(path={"schema": namespace})
        return placed


def placed_by(credentials: DuckDBIcebergCredentials) -> type[DuckDBIcebergRelation]:
    """The relations of one profile; a process may have several, one after the other."""
    return type("DuckDBIcebergRelation", (DuckDBIcebergRelation,), {"credentials": credentials})
