"""Relations: `marts.t` of a product is `customer_360.marts.t` in the catalog.

dbt knows the schema only, as in the other lanes, so that artifacts are equal; the product's namespace is put before it
where SQL is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from dbt.adapters.contracts.relation import ComponentName
from dbt.adapters.spark.relation import SparkRelation

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, eq=False, repr=False)
class SparkIcebergRelation(SparkRelation):  # type: ignore[misc] # dbt publishes no types
    """A table or view; `within` binds it to a product.

    Attributes:
        namespace: The product's namespace.
        root: The schema that is the namespace itself.
        is_iceberg: Everything here is.
    """

    namespace: ClassVar[str] = ""
    root: ClassVar[str] = "main"
    is_iceberg: bool | None = True

    def namespaces(self) -> list[str]:
        """The namespaces that the relation lies in, outermost first, as SQL writes them."""
        levels = self._levels()
        return [".".join(levels[:depth]) for depth in range(1, len(levels) + 1)]

    def _levels(self) -> list[str]:
        schema = str(self.path.schema)
        own = [] if schema == self.root and self.namespace else schema.split(".")
        return [self.quoted(level) for level in (*self.namespace.split("."), *own) if level]

    def _render_iterator(self) -> Iterator[tuple[Any, str | None]]:
        for key, part in super()._render_iterator():
            if part is None:
                yield key, None
            elif key == ComponentName.Schema:
                yield key, ".".join(self._levels())
            elif key == ComponentName.Identifier and not part.startswith(self.quote_character):
                yield key, self.quoted(part)
            else:
                yield key, part


def within(namespace: str, root: str) -> type[SparkIcebergRelation]:
    """The relations of one product."""
    return type("SparkIcebergRelation", (SparkIcebergRelation,), {"namespace": namespace, "root": root})
