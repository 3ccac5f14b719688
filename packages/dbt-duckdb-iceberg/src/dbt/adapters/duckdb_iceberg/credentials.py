"""The profile `type: duckdb_iceberg`: a DuckDB file for views, an Iceberg REST catalog and a store for tables."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from dbt.adapters.duckdb.credentials import DuckDBCredentials
from dbt_common.dataclass_schema import ValidationError, dbtClassMixin
from dbt_common.exceptions import DbtRuntimeError

DATABASE: Final = "ice"
REST_PATH: Final = "/api/catalog"
DEFAULTS: Final = {
    "autoinstall_known_extensions": False,
    "allow_persistent_secrets": False,
    # Rows of an Iceberg table have no order, and writers that keep none need less memory; ORDER BY is always kept.
    "preserve_insertion_order": False,
}
"""DuckDB's configuration where the profile's `config_options` say nothing else."""


@dataclass
class Catalog(dbtClassMixin):
    """Where the Iceberg REST catalog is, and how to sign in."""

    uri: str
    warehouse: str
    client_id: str
    client_secret: str = field(repr=False)
    scope: str = "PRINCIPAL_ROLE:ALL"
    realm: str | None = None

    @property
    def rest_uri(self) -> str:
        """The REST API's root: a server's bare URL is taken for Polaris, whose API lies below `/api/catalog`."""
        uri = self.uri.rstrip("/")
        return uri if urlsplit(uri).path else f"{uri}{REST_PATH}"

    @property
    def token_uri(self) -> str:
        """Where tokens are had."""
        return f"{self.rest_uri}/v1/oauth/tokens"


@dataclass
class Storage(dbtClassMixin):
    """The S3 store that holds the tables' files; AWS's own where no endpoint is named."""

    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    endpoint: str = ""
    region: str = "us-east-1"
    path_style: bool = True


@dataclass
class DuckDBIcebergCredentials(DuckDBCredentials):
    """What a profile of this type says.

    `database` is the alias of the attached catalog (`ice` where none is set), `schema` the default schema of the local
    file, `namespace` the catalog's namespace that stands for it.
    """

    namespace: str = ""
    catalog: Catalog | None = None
    storage: Storage | None = None
    keep_open: bool = False  # the local file is locked while it is open; an invocation gives it back

    # Told to projects as `target.…` and shown by `dbt debug`; no profile sets them.
    local_database: str = ""
    catalog_uri: str = ""
    warehouse: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()  # type: ignore[no-untyped-call]
        self.local_database = self.path_derived_database_name(self.path)
        if self.catalog is not None:
            self.catalog_uri, self.warehouse = self.catalog.rest_uri, self.catalog.warehouse
        self.config_options = {**DEFAULTS, **(self.config_options or {})}

    @classmethod
    def __pre_deserialize__(cls, data: dict[str, Any]) -> dict[str, Any]:
        named = {name: value for name, value in data.items() if name != "database"}
        checked: dict[str, Any] = super().__pre_deserialize__(named)
        local = checked["database"]
        checked["database"] = data.get("database") or DATABASE
        if checked["database"] == local:
            raise DbtRuntimeError(
                f"the local file is called like the attached catalog: {local}; name the file in `path` otherwise"
            )
        missing = [name for name in ("namespace", "catalog", "storage") if not data.get(name)]
        if missing:
            raise DbtRuntimeError(f"a profile of type duckdb_iceberg needs {', '.join(missing)}")
        return checked

    @classmethod
    def validate(cls, data: Any) -> None:
        """Hold a profile against its schema.

        Raises:
            DbtRuntimeError: It does not fit; names the place and never the value, which dbt's own words quote.
        """
        try:
            super().validate(data)
        except ValidationError as error:
            place = ".".join(str(part) for part in error.path) or "the profile"
            needs = f"{error.validator}: {error.validator_value}"
            raise DbtRuntimeError(f"{place} is not what a profile of type duckdb_iceberg holds ({needs})") from None

    @property
    def type(self) -> str:
        """The adapter's name."""
        return "duckdb_iceberg"

    @property
    def unique_field(self) -> str:
        """What dbt hashes to count adapters."""
        return f"{self.rest.rest_uri}/{self.rest.warehouse}"

    @property
    def rest(self) -> Catalog:
        """The catalog, which every profile names."""
        if self.catalog is None:
            raise DbtRuntimeError("a profile of type duckdb_iceberg needs catalog")
        return self.catalog

    @property
    def store(self) -> Storage:
        """The object store, which every profile names."""
        if self.storage is None:
            raise DbtRuntimeError("a profile of type duckdb_iceberg needs storage")
        return self.storage

    @property
    def secret_values(self) -> tuple[str, ...]:
        """What no message may hold."""
        return (self.rest.client_secret, self.store.secret_key, self.store.access_key)

    def namespace_of(self, schema: str) -> str:
        """The catalog's namespace, levels joined by dots, for a schema that a project names.

        The default schema is the product's namespace itself; a name that begins with the namespace is taken as it is.
        """
        if schema in (self.schema, self.namespace):
            return self.namespace
        if schema.startswith(f"{self.namespace}."):
            return schema
        return f"{self.namespace}.{schema}"

    def schema_of(self, namespace: str) -> str:
        """The other way: the schema as a project names it."""
        return self.schema if namespace == self.namespace else namespace.removeprefix(f"{self.namespace}.")

    def _connection_keys(self) -> tuple[str, ...]:
        """What `dbt debug` shows and what `target` holds; no secret."""
        own = ("database", "schema", "path", "local_database", "namespace", "catalog_uri", "warehouse")
        return (*own, "settings", "external_root")
