"""Catalog: where Iceberg tables are named."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from floe_core.errors import CredentialsRefusedError, ExitCode, FloeError
from floe_core.plugins.interface import C, PluginMetadata, PluginType

if TYPE_CHECKING:
    from collections.abc import Mapping

IcebergCatalog: TypeAlias = Any
"""A `pyiceberg.catalog.Catalog`; untyped here because floe_core does not depend on PyIceberg."""


class CatalogError(FloeError):
    """The catalog is there but does not do what was asked."""

    exit_code = ExitCode.WRONG


class CatalogUnavailableError(CatalogError):
    """Nothing answers at the catalog's address."""

    exit_code = ExitCode.MISSING


class CatalogAuthenticationError(CredentialsRefusedError):
    """The catalog answered and refused the credentials."""


class CatalogPlugin(PluginMetadata[C]):
    """An Iceberg catalog."""

    plugin_type: ClassVar[PluginType] = PluginType.CATALOG

    @abstractmethod
    def connect(self, fileio: Mapping[str, str] | None = None) -> IcebergCatalog:
        """A PyIceberg catalog that is signed in.

        Args:
            fileio: FileIO properties of the storage plugin, for a catalog that vends no credentials.

        Raises:
            CatalogUnavailableError: Nothing answers.
            CatalogAuthenticationError: The credentials were refused.
        """

    @abstractmethod
    def create_namespace(self, namespace: str, properties: Mapping[str, str] | None = None) -> bool:
        """Make sure that `namespace` (dots separate levels) exists; True when this call made it.

        Raises:
            CatalogError: The catalog refused.
        """

    @abstractmethod
    def list_tables(self, namespace: str) -> tuple[str, ...]:
        """Names of the tables right in `namespace`, sorted.

        Raises:
            CatalogError: There is no such namespace.
        """
