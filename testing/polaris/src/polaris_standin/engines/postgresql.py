"""State in PostgreSQL, where it outlives the process and its disk.

Every statement sees what other processes have committed. Writers take one advisory lock for the length of their
transaction: two stand-ins over one database are as correct as two threads of one, and since nobody else can hold a
lock that the next one wants, there is neither a deadlock nor a serialization failure to repeat.

The connection is made when it is first needed. One that breaks is dropped with what it had not committed, and the
next statement makes another; a statement that found the kept connection dead is run again on a fresh one, unless a
transaction had begun on it.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from polaris_standin.engines import DatabaseError, Engine, Row, schema

if TYPE_CHECKING:
    import psycopg2.extensions

_LOCK = 0x506F6C61
"""Key of the advisory lock; any number that others in the same database do not use."""
_BEGIN = f"BEGIN; SELECT pg_advisory_xact_lock({_LOCK})"
_SCHEMA = "polaris_standin"  # beside the real server's polaris_schema
_IDENTITY = "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"
_BROKE = "the connection broke in the middle of a transaction"
_CONNECT_S = 3
_SILENT_MS = 10_000
_SETTINGS = {
    "search_path": _SCHEMA,
    "client_min_messages": "warning",
    "statement_timeout": f"{_SILENT_MS}",
    # A process that stands still in a transaction holds up all other writers.
    "idle_in_transaction_session_timeout": f"{3 * _SILENT_MS}",
}


@dataclass(frozen=True)
class Database:
    """Where a PostgreSQL database is, and who signs in."""

    host: str
    port: int
    name: str
    user: str
    password: str = field(repr=False)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}/{self.name}"


class Postgresql(Engine):
    """One database that several processes may share.

    Args:
        database: Where it is.
        is_held: Refuse everything until `release`: the realm is not bootstrapped yet.
    """

    def __init__(self, database: Database, *, is_held: bool = False) -> None:
        super().__init__()
        self._database = database
        self._is_held = is_held
        self._connection: psycopg2.extensions.connection | None = None
        self._is_away = False

    def release(self) -> None:
        """Serve from now on."""
        self._is_held = False

    def close(self) -> None:
        """Drop the connection, with what is not committed."""
        with self._lock:
            self._drop()

    def _execute(self, sql: str, parameters: tuple[object, ...]) -> list[Row]:
        if self._is_held:
            raise DatabaseError(f"the database {self._database} has not been reached since the start")
        is_kept = self._connection is not None
        if self._in_transaction and not is_kept:
            raise DatabaseError(_BROKE)
        try:
            return self._once(sql, parameters)
        except DatabaseError:
            if self._in_transaction or not is_kept:
                raise
            return self._once(sql, parameters)

    def _once(self, sql: str, parameters: tuple[object, ...]) -> list[Row]:
        import psycopg2

        try:
            connection = self._connection or self._connect()
            with connection.cursor() as cursor:
                cursor.execute(sql.replace("?", "%s"), parameters or None)
                return list(cursor.fetchall()) if cursor.description else []
        except ValueError as error:  # text that PostgreSQL cannot hold; nothing was sent
            raise DatabaseError(str(error)) from error
        except psycopg2.Error as error:
            self._drop()
            text = " ".join(str(error).split()) or type(error).__name__
            self._note(is_away=True, text=f"the database {self._database} does not answer: {text}")
            raise DatabaseError(text) from error

    def _connect(self) -> psycopg2.extensions.connection:
        import psycopg2

        made = psycopg2.connect(
            host=self._database.host,
            port=self._database.port,
            dbname=self._database.name,
            user=self._database.user,
            password=self._database.password,
            application_name="polaris-standin",
            connect_timeout=_CONNECT_S,
            keepalives_idle=5,
            keepalives_interval=2,
            keepalives_count=3,
            tcp_user_timeout=_SILENT_MS,
            options=" ".join(f"-c {name}={value}" for name, value in _SETTINGS.items()),
        )
        self._connection = made
        made.autocommit = True
        with made.cursor() as cursor:
            # Looked for first, since a reader is not to wait for another process that writes.
            cursor.execute("SELECT to_regclass(%s)", (f"{_SCHEMA}.entity",))
            if cursor.fetchone() == (None,):
                cursor.execute(f"{_BEGIN}; CREATE SCHEMA IF NOT EXISTS {_SCHEMA}; {schema(_IDENTITY)} COMMIT")
        self._note(is_away=False, text=f"the database {self._database} answers again")
        return made

    def _drop(self) -> None:
        """Close the connection; the server undoes what was not committed on it."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _note(self, *, is_away: bool, text: str) -> None:
        """Tell on standard error when the database goes and when it comes back."""
        if self._is_away != is_away:
            self._is_away = is_away
            sys.stderr.write(f"polaris-standin: {text}\n")
            sys.stderr.flush()

    def _begin(self) -> None:
        self._execute(_BEGIN, ())

    def _commit(self) -> None:
        if self._connection is None:  # never on another one than that on which it began
            raise DatabaseError(_BROKE)
        self._once("COMMIT", ())

    def _rollback(self) -> None:
        if self._connection is not None:
            with suppress(DatabaseError):  # the connection is gone then, and the transaction with it
                self._once("ROLLBACK", ())
