"""Connections: no transactions, a statement is a commit; errors in Spark's words without Java's stack."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from dbt.adapters.contracts.connection import AdapterResponse, Connection, ConnectionState
from dbt.adapters.exceptions.connection import FailedToConnectError
from dbt.adapters.spark.connections import SparkConnectionManager
from dbt.adapters.spark_iceberg.sessions import Handle
from dbt_common.exceptions import DbtDatabaseError, DbtRuntimeError
from floe_compute_spark.plugin import JARS_ENV
from floe_compute_spark.seeds import SeedError

if TYPE_CHECKING:
    from collections.abc import Iterator

_NO_ICEBERG = "Cannot find catalog plugin class for catalog"
_STACK = ("\n\tat ", "\nJVM stacktrace:", "\n\nDriver stacktrace:", "\n== SQL", ";\n")


class SparkIcebergConnectionManager(SparkConnectionManager):  # type: ignore[misc] # dbt publishes no types
    """Sessions as connections."""

    TYPE: ClassVar[str] = "spark_iceberg"

    @contextmanager
    def exception_handler(self, sql: str) -> Iterator[None]:
        """Spark's and Java's errors become dbt's, without the stack."""
        del sql  # dbt's log has it
        try:
            yield
        except (DbtRuntimeError, SeedError):
            raise
        except Exception as error:
            raise DbtDatabaseError(said(error)) from error

    @classmethod
    def open(cls, connection: Connection) -> Connection:
        """A session, started if need be.

        Raises:
            FailedToConnectError: There is no Java, Spark does not start, or the server does not answer.
        """
        if connection.state == ConnectionState.OPEN:
            return connection
        try:
            connection.handle = Handle(connection.credentials)
        except Exception as error:
            connection.state = ConnectionState.FAIL
            raise FailedToConnectError(f"Spark cannot be had: {said(error)}") from error
        connection.state = ConnectionState.OPEN
        return connection

    @classmethod
    def get_response(cls, cursor: Any) -> AdapterResponse:
        """Spark says nothing of rows."""
        del cursor
        return AdapterResponse(_message="OK")


def said(error: BaseException) -> str:
    """What an error says, up to where Java's stack, the statement's text or its plan begins."""
    text = str(error)
    if (java := getattr(error, "java_exception", None)) is not None:
        text = str(java.toString())
    for mark in _STACK:
        text = text.partition(mark)[0]
    if _NO_ICEBERG in text:
        text += f"\nSpark has no Iceberg: name its jars under `jars` or `packages`, or in the variable {JARS_ENV}"
    return text.strip() or type(error).__name__
