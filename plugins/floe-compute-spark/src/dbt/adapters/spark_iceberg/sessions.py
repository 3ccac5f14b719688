"""Sessions of Spark: one for each target and process, shared by dbt's threads."""

from __future__ import annotations

import logging
import os
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dbt.adapters.spark_iceberg.credentials import SparkIcebergCredentials

# Spark's Python logs every error of SQL with Java's whole stack; dbt tells them already.
logging.getLogger("SQLQueryContextLogger").disabled = True

_LOCK = threading.Lock()
_SESSIONS: dict[tuple[Any, ...], Any] = {}


def session(credentials: SparkIcebergCredentials) -> Any:
    """The `SparkSession` of a target, started if need be: seconds for a driver of our own, once a process.

    Two targets in one process share a driver and nothing else: each has settings, catalog and temporary views of its
    own.
    """
    told = credentials.session_settings()
    key = (credentials.connect, credentials.connect_token, *sorted(told.items()))
    with _LOCK:
        if key not in _SESSIONS:
            made = _remote(credentials) if credentials.connect else _driver(credentials).newSession()
            for name, value in told.items():
                made.conf.set(name, value)
            _SESSIONS[key] = made
        return _SESSIONS[key]


def _driver(credentials: SparkIcebergCredentials) -> Any:
    """The process's own driver. What it is started with stands on Java's command line, so no secret is among it."""
    from pyspark.sql import SparkSession  # type: ignore[import-not-found] # an extra

    builder = SparkSession.builder.appName(f"floe {credentials.namespace}")
    for name, value in credentials.driver_settings().items():
        builder = builder.config(name, value)
    # Spark makes this folder although no table is kept in it.
    scratch = Path(tempfile.gettempdir()) / f"floe-spark-{os.getuid()}"
    return builder.config("spark.sql.warehouse.dir", scratch.as_uri()).config("spark.log.level", "ERROR").getOrCreate()


def _remote(credentials: SparkIcebergCredentials) -> Any:
    from pyspark.sql import SparkSession

    made = SparkSession.builder.remote(credentials.remote()).create()
    for name, value in credentials.settings.items():
        made.conf.set(name, value)
    return made


class Handle:
    """What dbt takes for a connection."""

    def __init__(self, credentials: SparkIcebergCredentials) -> None:
        self.session = session(credentials)

    def cursor(self) -> Cursor:
        """A cursor of its own for each statement."""
        return Cursor(self.session)

    def cancel(self) -> None:
        """Stop what runs: everything, since dbt cancels all connections at once."""
        self.session.interruptAll()

    def close(self) -> None:
        """Nothing: the session outlives a connection, and ends with the process."""

    def rollback(self) -> None:
        """Nothing: each statement is a commit of its own."""


class Cursor:
    """One statement and its rows, as Python's database interface has it."""

    def __init__(self, spark: Any) -> None:
        self._spark = spark
        self._fields: list[Any] = []
        self._rows: list[Any] = []

    def execute(self, sql: str, bindings: Sequence[Any] | None = None) -> None:
        """Run a statement to its end, so that what fails does so here."""
        if bindings:
            raise NotImplementedError("statements of this adapter carry no bindings")
        frame = self._spark.sql(sql.strip().removesuffix(";"))
        self._fields = list(frame.schema.fields)
        self._rows = [tuple(row) for row in frame.collect()] if self._fields else []

    @property
    def description(self) -> list[tuple[Any, ...]]:
        """Name and type of each column, as Spark spells them."""
        return [(one.name, one.dataType.simpleString(), *[None] * 4, one.nullable) for one in self._fields]

    def fetchall(self) -> list[Any]:
        """All rows that were not fetched yet."""
        rows, self._rows = self._rows, []
        return rows

    def fetchmany(self, size: int) -> list[Any]:
        """The next rows."""
        rows, self._rows = self._rows[:size], self._rows[size:]
        return rows

    def fetchone(self) -> Any:
        """The next row, or None."""
        return next(iter(self.fetchmany(1)), None)

    def close(self) -> None:
        """Forget the rows."""
        self._fields, self._rows = [], []
