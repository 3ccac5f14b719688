"""Catalog: where Iceberg tables are named."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from floe_core.errors import CredentialsRefusedError, ExitCode, FloeError
from floe_core.plugins.interface import C, PluginMetadata, PluginType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from floe_core.plugins.compute import ArrowRows

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


@dataclass(frozen=True)
class CatalogAddress:
    """Where a catalog is, as text of a dbt profile: what is a reference appears as dbt's `env_var`.

    Attributes:
        uri: The server's URL.
        warehouse: The catalog's name on it.
        client_id: Who signs in.
        client_secret: Its secret, always a reference.
        scope: The OAuth scope.
        realm: The realm; empty where the server wants none named.
    """

    uri: str
    warehouse: str
    client_id: str
    client_secret: str
    scope: str
    realm: str = ""


@dataclass(frozen=True)
class TableState:
    """What the catalog says of a table now.

    Attributes:
        name: The table's name.
        rows: How many rows a reader of its current snapshot gets.
        snapshot_id: That snapshot; None for a table that never had a row.
    """

    name: str
    rows: int
    snapshot_id: int | None


@dataclass(frozen=True)
class Keeping:
    """How long the history of tables is kept.

    Attributes:
        older_than: Snapshots before it go.
        snapshots: So many of the last ones stay whatever their age.
    """

    older_than: datetime
    snapshots: int


@dataclass(frozen=True)
class Maintained:
    """What the maintenance of a table did, or would do.

    Attributes:
        table: Namespace levels and name, with dots.
        files_before: Data files that it had.
        files_after: Data files that it has; in a dry run those that would not be rewritten.
        deletes: Delete files that no reader has to apply any more.
        snapshots: How many snapshots it no longer has.
        files: Files that were removed because no snapshot needs them.
        lost_files: Files that were removed because nothing ever named them.
        bytes: Of all files that were removed.
        seconds: How long it took.
    """

    table: str
    files_before: int
    files_after: int
    deletes: int
    snapshots: int
    files: int
    lost_files: int
    bytes: int
    seconds: float


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

    @abstractmethod
    def address(self) -> CatalogAddress:
        """Where the catalog is, for the profile of an engine that reaches it by itself; resolves no reference."""

    @abstractmethod
    def states(
        self, tables: Sequence[tuple[str, ...]], fileio: Mapping[str, str] | None = None, *, release: str = ""
    ) -> tuple[TableState, ...]:
        """What the catalog says of each of `tables`, in their order.

        Args:
            tables: Namespace levels and name of each.
            fileio: FileIO properties of the storage plugin, as for `connect`.
            release: A product's version: the snapshot of each answer gets the tag `v<version>` and is kept as long as
                the tag is. A tag that is there moves, since it is of the same version.

        Raises:
            CatalogError: There is no such table, or the catalog refused.
        """

    @abstractmethod
    def overwrite(
        self, table: tuple[str, ...], rows: Callable[[], ArrowRows], fileio: Mapping[str, str] | None = None
    ) -> TableState:
        """Make `rows` the rows of a table, in one commit; the namespaces and the table are made when they are missing.

        The table takes the columns of the rows; its history stays.

        Args:
            table: Namespace levels and name.
            rows: Gives them as a stream; asked again where somebody else changed the table in between.
            fileio: FileIO properties of the storage plugin, as for `connect`.

        Raises:
            CatalogError: The catalog or the object store refused, or the columns cannot become the table's.
        """

    @abstractmethod
    def maintain(
        self, namespace: str, keeping: Keeping, fileio: Mapping[str, str] | None = None, *, dry_run: bool = False
    ) -> Iterator[Maintained]:
        """Tend every table in `namespace` and the namespaces in it, one after the other; gives each as it is done.

        Small files are merged, deletes applied, old snapshots forgotten; then files that nothing needs are removed.
        The rows stay the same, and so does every snapshot that a tag or a branch names.

        Args:
            namespace: The product's.
            keeping: What stays of the history.
            fileio: FileIO properties of the storage plugin, as for `connect`.
            dry_run: Only look.

        Raises:
            CatalogError: There is no such namespace, or the catalog or the object store refused.
        """
