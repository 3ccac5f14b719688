"""What was loaded, brought into the catalog: in the Iceberg lane the models read their sources there.

The loader writes to the build's database, which keeps what it needs to go on from. After a load each of its tables is
written to the catalog as it stands there, as `<product>.<dataset>.<table>`, so that every engine can read what came in.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from floe_core.errors import FloeError
from floe_core.plugins import CatalogError

if TYPE_CHECKING:
    from pathlib import Path

    from floe_core.plugins import CatalogPlugin, ComputePlugin, StoragePlugin


@dataclass(frozen=True)
class Publisher:
    """Brings what was loaded into the platform's catalog.

    Attributes:
        compute: Reads the build's database.
        catalog: Takes the rows.
        storage: Holds them.
        namespace: The product's.
        database: The build's database file.
    """

    compute: ComputePlugin[Any]
    catalog: CatalogPlugin[Any]
    storage: StoragePlugin[Any] | None
    namespace: str
    database: Path

    def publish(self, dataset: str, table: str) -> None:
        """Make the catalog's table as the database's; nothing where the loader has put it elsewhere, or nowhere yet.

        Raises:
            CatalogError: The catalog or the object store refused.
            ComputeError: The database cannot be read.
        """
        rows = partial(self.compute.landed, self.database, dataset, table)
        if rows() is None:
            return
        identifier = (self.namespace, dataset, table)
        fileio = self.storage.fileio_properties() if self.storage is not None else None
        try:
            self.catalog.overwrite(identifier, rows, fileio)
        except FloeError:
            raise
        except Exception as error:  # a plugin is foreign code and can raise anything; its words may quote a secret
            raise CatalogError(
                "what was loaded did not reach the catalog",
                where=".".join(identifier),
                why=f"the plugin {self.catalog.name} raised {type(error).__name__}",
                remedy="see that the catalog and the object store answer, and run again: no row is lost or comes twice",
            ) from error
