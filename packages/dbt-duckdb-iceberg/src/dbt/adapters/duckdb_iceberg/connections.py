"""dbt-duckdb's connections, over an environment that has the catalog attached."""

from __future__ import annotations

import contextlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import duckdb
from dbt.adapters.contracts.connection import ConnectionState
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.adapters.duckdb_iceberg.environment import IcebergEnvironment
from dbt.adapters.duckdb_iceberg.rest import is_silence, redacted, silent
from dbt.adapters.exceptions.connection import FailedToConnectError
from dbt_common.exceptions import DbtRuntimeError
from floe_core.errors import FloeError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dbt.adapters.contracts.connection import Connection


class DuckDBIcebergConnectionManager(DuckDBConnectionManager):
    """Opens connections; the environment is the one that the base class's parts ask for too."""

    TYPE = "duckdb_iceberg"

    @classmethod
    def open(cls, connection: Connection) -> Connection:
        """Open it; the first one opens the file and attaches the catalog.

        Raises:
            FailedToConnectError: The file, an extension or the catalog cannot be had; says which, and what to do.
        """
        if connection.state == ConnectionState.OPEN:
            return connection
        with cls._LOCK:
            try:
                opened: Any = cls._environment(connection.credentials)
                connection.handle = opened.handle()
            except (FloeError, RuntimeError, DbtRuntimeError, duckdb.Error) as error:
                connection.handle = None
                connection.state = ConnectionState.FAIL
                raise FailedToConnectError(redacted(str(error), connection.credentials)) from None
            connection.state = ConnectionState.OPEN
            return connection

    @contextmanager
    def exception_handler(self, sql: str, connection_name: str = "master") -> Iterator[None]:
        """What goes wrong in a statement; where nobody answered, the catalog or the store is named with the next step.

        Raises:
            DbtRuntimeError: In any case.
        """
        try:
            with super().exception_handler(sql, connection_name):
                yield
        except DbtRuntimeError as error:
            cause: Any = error.__cause__
            credentials: Any = self.profile.credentials
            if not isinstance(cause, (duckdb.IOException, duckdb.TransactionException)) or not is_silence(str(cause)):
                raise
            raise DbtRuntimeError(str(silent(redacted(str(cause), credentials), credentials))) from None

    @classmethod
    def environment(cls) -> IcebergEnvironment:
        """The open environment.

        Raises:
            DbtRuntimeError: There is none.
        """
        opened: Any = DuckDBConnectionManager._ENV  # noqa: SLF001 - one environment serves both classes
        if not isinstance(opened, IcebergEnvironment):
            raise DbtRuntimeError("no connection of type duckdb_iceberg is open")
        return opened

    @classmethod
    def _environment(cls, credentials: Any) -> IcebergEnvironment:
        opened: Any = DuckDBConnectionManager._ENV  # noqa: SLF001
        if isinstance(opened, IcebergEnvironment) and opened.creds == credentials:
            return opened
        if opened is not None:
            with contextlib.suppress(Exception):  # the next one is opened whether or not this one ends well
                opened.close()
        made = IcebergEnvironment(credentials)
        holder: Any = DuckDBConnectionManager  # its attribute is typed as none
        holder._ENV = made  # noqa: SLF001
        return made
