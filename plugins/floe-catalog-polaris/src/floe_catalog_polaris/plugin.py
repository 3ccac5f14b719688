"""The catalog plugin `polaris`: Iceberg tables named by an Apache Polaris server."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Annotated, ClassVar

from floe_core.errors import CredentialsRefusedError, FloeError, NotReadyError
from floe_core.plugins import (
    ArrowRows,
    CatalogAddress,
    CatalogAuthenticationError,
    CatalogError,
    CatalogPlugin,
    CatalogUnavailableError,
    HealthState,
    HealthStatus,
    IcebergCatalog,
    Keeping,
    Maintained,
    PluginConfig,
    TableState,
)
from floe_core.spec.env_var import written
from floe_core.spec.secrets import SecretRef, Setting, resolved
from floe_core.telemetry import span
from pydantic import Field

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from floe_catalog_polaris.client import PolarisClient
    from floe_catalog_polaris.transport import Timeouts

URL_ENV = "FLOE_POLARIS_URL"
CLIENT_ID_ENV = "POLARIS_CLIENT_ID"
CLIENT_SECRET_ENV = "POLARIS_CLIENT_SECRET"  # noqa: S105 - the name of a variable, no secret


class PolarisConfig(PluginConfig):
    """How the catalog is reached.

    Attributes:
        uri: The server's URL, with or without `/api/catalog`, or a reference to it.
        warehouse: The Polaris catalog's name, or a reference to it.
        client_id: The principal's client id, or a reference to it.
        client_secret: Where its secret lies.
        scope: The OAuth scope; Polaris takes `PRINCIPAL_ROLE:` followed by a role or by ALL.
        realm: The realm, where the server wants one named.
        connect_timeout_s: Bound for making a connection, in seconds.
        read_timeout_s: Bound for one silence of the server, in seconds.
    """

    uri: Setting = SecretRef(env=URL_ENV)
    warehouse: Setting = "floe-e2e"
    client_id: Setting = SecretRef(env=CLIENT_ID_ENV)
    client_secret: SecretRef = SecretRef(env=CLIENT_SECRET_ENV)
    scope: Annotated[str, Field(pattern=r"^PRINCIPAL_ROLE:\S+( PRINCIPAL_ROLE:\S+)*$")] = "PRINCIPAL_ROLE:ALL"
    realm: str | None = None
    connect_timeout_s: Annotated[float, Field(gt=0, le=300)] = 3.0
    read_timeout_s: Annotated[float, Field(gt=0, le=300)] = 30.0


class PolarisCatalogPlugin(CatalogPlugin[PolarisConfig]):
    """An Apache Polaris catalog; credentials stay references until a client needs them."""

    name: ClassVar[str] = "polaris"
    version: ClassVar[str] = "0.1.0"
    floe_api_version: ClassVar[str] = "1.0"
    tracer_name: ClassVar[str | None] = "floe.catalog.polaris"
    description: ClassVar[str] = "Iceberg tables named by an Apache Polaris server"
    config_model: ClassVar[type[PluginConfig]] = PolarisConfig

    def connect(self, fileio: Mapping[str, str] | None = None) -> IcebergCatalog:
        """A PyIceberg catalog that is signed in; its tokens renew themselves.

        Raises:
            CatalogUnavailableError: Nothing answers.
            CatalogAuthenticationError: The credentials were refused.
            CatalogError: The server has no such warehouse, or refused.
            SecretUnavailableError: A reference points to nothing.
        """
        from floe_catalog_polaris.iceberg import open_catalog

        config = self.config
        url, warehouse, client_id = resolved(config.uri), resolved(config.warehouse), resolved(config.client_id)
        secret = config.client_secret.resolve()
        with self._told("connect"):
            return open_catalog(
                url,
                warehouse,
                client_id,
                secret,
                fileio=fileio,
                realm=config.realm,
                scope=config.scope,
                timeouts=self._timeouts(),
            )

    def create_namespace(self, namespace: str, properties: Mapping[str, str] | None = None) -> bool:
        """Make sure that `namespace` and those above it exist; True when this call made it.

        Raises:
            CatalogError: The catalog refused.
        """
        from pyiceberg.exceptions import NamespaceAlreadyExistsError

        catalog = self.connect()
        levels = tuple(namespace.split("."))
        made = False
        with self._told("create_namespace"):
            for depth in range(1, len(levels) + 1):
                own = dict(properties or {}) if depth == len(levels) else {}
                try:
                    catalog.create_namespace(levels[:depth], own)
                    made = True
                except NamespaceAlreadyExistsError:
                    made = False
        return made

    def list_tables(self, namespace: str) -> tuple[str, ...]:
        """Names of the tables right in `namespace`, sorted.

        Raises:
            CatalogError: There is no such namespace.
        """
        catalog = self.connect()
        with self._told("list_tables"):
            return tuple(sorted(identifier[-1] for identifier in catalog.list_tables(tuple(namespace.split(".")))))

    def address(self) -> CatalogAddress:
        """Where the catalog is; see `CatalogPlugin.address`."""
        config = self.config
        return CatalogAddress(
            uri=written(config.uri),
            warehouse=written(config.warehouse),
            client_id=written(config.client_id),
            client_secret=written(config.client_secret),
            scope=config.scope,
            realm=config.realm or "",
        )

    def states(
        self, tables: Sequence[tuple[str, ...]], fileio: Mapping[str, str] | None = None, *, release: str = ""
    ) -> tuple[TableState, ...]:
        """What the catalog says of each table, whose snapshot is released on the way; see `CatalogPlugin.states`.

        Raises:
            CatalogError: There is no such table, or the catalog refused.
        """
        catalog = self.connect(fileio)
        with self._told("release" if release else "states"), closing(catalog):
            return tuple(_state(catalog, identifier, release) for identifier in tables)

    def overwrite(
        self, table: tuple[str, ...], rows: Callable[[], ArrowRows], fileio: Mapping[str, str] | None = None
    ) -> TableState:
        """Make `rows` the rows of a table; see `CatalogPlugin.overwrite`.

        Raises:
            CatalogError: The catalog refused, or the columns cannot become the table's.
        """
        from floe_iceberg.writing import WriteMode, write

        catalog = self.connect(fileio)
        with self._told("overwrite"), closing(catalog):
            written = write(catalog, table, rows, mode=WriteMode.OVERWRITE)
            return TableState(table[-1], written.rows, written.snapshot_id)

    def maintain(
        self, namespace: str, keeping: Keeping, fileio: Mapping[str, str] | None = None, *, dry_run: bool = False
    ) -> Iterator[Maintained]:
        """Tend the tables of a product; see `CatalogPlugin.maintain`.

        Raises:
            CatalogError: There is no such namespace, or the catalog refused.
            WrongStateError: A table cannot be tended; names it.
        """
        from floe_iceberg.maintenance import maintain

        catalog = self.connect(fileio)
        with self._told("maintain"), closing(catalog):
            yield from maintain(catalog, tuple(namespace.split(".")), keeping, dry_run=dry_run)

    def health_check(self, timeout_s: float) -> HealthStatus:
        """Whether the server lets us in and knows the warehouse, within about `timeout_s` seconds."""
        warehouse = resolved(self.config.warehouse)
        try:
            with self._client(timeout_s) as client:
                known = client.warehouse(warehouse)
        except FloeError as error:
            return HealthStatus(HealthState.UNHEALTHY, f"{error.what}: {error.why}")
        if known is None:
            return HealthStatus(HealthState.UNHEALTHY, f"the server has no warehouse {warehouse!r}")
        base = known.defaults.get("default-base-location", "")
        return HealthStatus(HealthState.HEALTHY, f"warehouse {warehouse} on {base}")

    def _timeouts(self) -> Timeouts:
        from floe_catalog_polaris.transport import Timeouts

        return Timeouts(connect=self.config.connect_timeout_s, read=self.config.read_timeout_s)

    def _client(self, timeout_s: float) -> PolarisClient:
        from floe_catalog_polaris.client import PolarisClient
        from floe_catalog_polaris.transport import Timeouts

        config = self.config
        return PolarisClient(
            resolved(config.uri),
            resolved(config.client_id),
            config.client_secret.resolve(),
            realm=config.realm,
            scope=config.scope,
            timeouts=Timeouts(connect=timeout_s, read=timeout_s, total=timeout_s),
            attempts=1,
        )

    @contextmanager
    def _told(self, act: str) -> Iterator[None]:
        """One span, and the errors of the catalog interface for those of the libraries."""
        import requests
        from pyiceberg.exceptions import CommitFailedException, NoSuchNamespaceError, NoSuchTableError, RESTError

        missing = (NoSuchNamespaceError, NoSuchTableError)
        with span(f"polaris {act}", **{"floe.catalog.act": act}):
            try:
                yield
            except (FloeError, requests.RequestException, OSError, RESTError, *missing, CommitFailedException) as error:
                raise self._translated(act, error) from error

    def _translated(self, act: str, error: Exception) -> FloeError:
        import requests
        from pyiceberg.exceptions import UnauthorizedError

        where = f"{resolved(self.config.uri)}, warehouse {resolved(self.config.warehouse)}"
        if isinstance(error, FloeError):
            kind: type[FloeError] = CatalogError
            if isinstance(error, CredentialsRefusedError):
                kind = CatalogAuthenticationError
            elif isinstance(error, NotReadyError):
                kind = CatalogUnavailableError
            return kind(error.what, where=error.where or where, why=error.why, remedy=error.remedy)
        if isinstance(error, requests.RequestException):
            remedy = "run `invoke polaris-wait`, which says what is missing"
            return CatalogUnavailableError(
                f"Polaris gave no answer to {act}", where=where, why=type(error).__name__, remedy=remedy
            )
        if isinstance(error, OSError):
            remedy = "see that the object store answers, and that the storage's keys may read and write there"
            return CatalogError(
                f"the object store failed in {act}", where=where, why=type(error).__name__, remedy=remedy
            )
        refused = CatalogAuthenticationError if isinstance(error, UnauthorizedError) else CatalogError
        remedy = "run `invoke polaris.bootstrap` where the catalog or its grants are missing"
        return refused(f"Polaris refused {act}", where=where, why=str(error), remedy=remedy)


def _state(catalog: IcebergCatalog, identifier: tuple[str, ...], release: str) -> TableState:
    from floe_iceberg import versions
    from floe_iceberg.counting import rows_in

    table = catalog.load_table(identifier)
    snapshot = table.current_snapshot()
    if snapshot is None:
        return TableState(identifier[-1], 0, None)
    if release:
        versions.tag(table, f"v{release}", snapshot_id=snapshot.snapshot_id, move=True)
    return TableState(identifier[-1], rows_in(table), snapshot.snapshot_id)
