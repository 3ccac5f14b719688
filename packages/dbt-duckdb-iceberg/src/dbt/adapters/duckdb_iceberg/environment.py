"""The DuckDB of a run: the local file, with the catalog attached to it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

import duckdb
from dbt.adapters.duckdb.environments.local import LocalEnvironment
from dbt.adapters.duckdb_iceberg import extensions
from dbt.adapters.duckdb_iceberg.rest import AWAY_SECONDS, OPENING_SECONDS, explained, open_catalog, redacted
from floe_core.errors import WrongStateError

if TYPE_CHECKING:
    from dbt.adapters.duckdb_iceberg.credentials import DuckDBIcebergCredentials
    from pyiceberg.catalog.rest import RestCatalog

PATIENT: Final = {"http_retries": 18, "http_retry_wait_ms": 100, "http_retry_backoff": 1.3}
"""Some 28 seconds in all: a catalog or a store that is away comes back meanwhile, or the statement fails."""

_ANSWERED: Final[set[str]] = set()
"""Catalogs that have answered this process before: one that is silent now is away, and not written wrongly."""


class Locals:
    """What lies in the local file.

    DuckDB's own lists (`duckdb_views()`, `information_schema`) go through every attached database: each would ask the
    catalog for all tables of all namespaces. So the file is read once, before the catalog is attached to it, and dbt
    tells what it makes and drops after that; the file is this process's alone as long as it is open.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._lock = threading.Lock()
        there = "where database_name = current_database() and not internal"
        self._schemas = {
            name
            for (name,) in connection.execute(
                "select schema_name from duckdb_schemas() where database_name = current_database()"
            ).fetchall()
        }
        kinds = (("view", "duckdb_views"), ("table", "duckdb_tables"))
        self._kinds = {
            (schema.lower(), name.lower()): (name, kind)
            for kind, function in kinds
            for schema, name in connection.execute(
                f"select schema_name, {kind}_name from {function}() {there}"  # noqa: S608 # nosec B608 - names above
            ).fetchall()
        }

    def schemas(self) -> list[str]:
        """The schemas' names."""
        with self._lock:
            return sorted(self._schemas)

    def relations(self, schema: str) -> list[tuple[str, str]]:
        """Name and kind (`view` or `table`) of each relation of the schema."""
        with self._lock:
            return [entry for (place, _), entry in self._kinds.items() if place == schema.lower()]

    def add_schema(self, schema: str) -> None:
        """A schema was made."""
        with self._lock:
            self._schemas.add(schema)

    def drop_schema(self, schema: str) -> None:
        """A schema was dropped with all that was in it."""
        with self._lock:
            self._schemas.discard(schema)
            self._kinds = {key: entry for key, entry in self._kinds.items() if key[0] != schema.lower()}

    def add(self, schema: str, name: str, kind: str) -> None:
        """A relation was made."""
        with self._lock:
            self._schemas.add(schema)
            self._kinds[schema.lower(), name.lower()] = (name, kind)

    def drop(self, schema: str, name: str) -> None:
        """A relation was dropped."""
        with self._lock:
            self._kinds.pop((schema.lower(), name.lower()), None)


class IcebergEnvironment(LocalEnvironment):
    """The local environment of dbt-duckdb whose database has the catalog attached."""

    def __init__(self, credentials: DuckDBIcebergCredentials) -> None:
        super().__init__(credentials)
        self.locals: Locals | None = None
        self._catalog: RestCatalog | None = None

    @property
    def catalog(self) -> RestCatalog:
        """The catalog for PyIceberg; opened once."""
        with self.lock:
            if self._catalog is None:
                credentials: Any = self.creds
                uri = credentials.rest.rest_uri
                self._catalog = open_catalog(credentials, AWAY_SECONDS if uri in _ANSWERED else OPENING_SECONDS)
                _ANSWERED.add(uri)
            return self._catalog

    def initialize_db(  # type: ignore[override]  # called on an instance
        self, creds: Any, plugins: Any = None
    ) -> duckdb.DuckDBPyConnection:
        """Open the file and attach the catalog.

        Raises:
            FloeError: An extension cannot be had, or the catalog is away, refuses, or is none.
        """
        _ = self.catalog  # its errors say more than those of ATTACH, and come before the file is locked
        connection: duckdb.DuckDBPyConnection = super().initialize_db(creds, plugins)
        try:
            self.locals = Locals(connection)
            _attach(connection, creds)
        except BaseException:
            connection.close()
            raise
        return connection

    def close(self) -> None:
        """Give the file back."""
        super().close()  # type: ignore[no-untyped-call]
        self._catalog = None


def _attach(connection: duckdb.DuckDBPyConnection, credentials: DuckDBIcebergCredentials) -> None:
    extensions.load(connection)
    for name, value in PATIENT.items():
        if name not in (credentials.settings or {}):
            connection.execute(f"SET GLOBAL {name} = {value}")
    try:
        for statement in _secrets(credentials):
            connection.execute(statement)
        connection.execute(_attachment(credentials))
    except duckdb.Error as error:
        plain = WrongStateError(redacted(str(error), credentials))
        raise explained(plain, credentials) from None


def _secrets(credentials: DuckDBIcebergCredentials) -> tuple[str, ...]:
    """In memory only, and never by dbt's cursor, which logs what it runs."""
    rest, store = credentials.rest, credentials.store
    keys = f"KEY_ID {_text(store.access_key)}, SECRET {_text(store.secret_key)}, REGION {_text(store.region)}"
    style = "path" if store.path_style else "vhost"
    place = f"URL_STYLE '{style}'{_place(store.endpoint)}"
    client = f"CLIENT_ID {_text(rest.client_id)}, CLIENT_SECRET {_text(rest.client_secret)}"
    tokens = f"OAUTH2_SERVER_URI {_text(rest.token_uri)}, OAUTH2_SCOPE {_text(rest.scope)}"
    made = (
        f"CREATE OR REPLACE TEMPORARY SECRET duckdb_iceberg_store (TYPE s3, {keys}, {place})",
        f"CREATE OR REPLACE TEMPORARY SECRET duckdb_iceberg_catalog (TYPE iceberg, {client}, {tokens})",
    )
    if not rest.realm:
        return made
    headers = f"EXTRA_HTTP_HEADERS MAP {{'Polaris-Realm': {_text(rest.realm)}}}, SCOPE {_text(rest.rest_uri)}"
    return (*made, f"CREATE OR REPLACE TEMPORARY SECRET duckdb_iceberg_realm (TYPE http, {headers})")


def _place(endpoint: str) -> str:
    """Where the store is; nothing where it is AWS's own, which DuckDB knows."""
    scheme, _, address = endpoint.rstrip("/").rpartition("://")
    return f", ENDPOINT {_text(address)}, USE_SSL {str(scheme == 'https').lower()}" if address else ""


def _attachment(credentials: DuckDBIcebergCredentials) -> str:
    rest = credentials.rest
    options = f"TYPE iceberg, ENDPOINT {_text(rest.rest_uri)}, SECRET duckdb_iceberg_catalog"
    name = '"' + credentials.database.replace('"', '""') + '"'
    return f"ATTACH {_text(rest.warehouse)} AS {name} ({options}, ACCESS_DELEGATION_MODE 'none')"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
