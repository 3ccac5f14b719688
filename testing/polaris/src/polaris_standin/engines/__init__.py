"""Databases that hold the state: SQLite in a file or in memory, and PostgreSQL.

Both run the same statements, of which PostgreSQL 15 and SQLite 3.35 have the same idea: `?` for a parameter,
`RETURNING` for what was done, `ON CONFLICT DO NOTHING` for what is there already.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

Row = tuple[Any, ...]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS entity (
    id {identity},
    kind TEXT NOT NULL,
    parent BIGINT NOT NULL,
    name TEXT NOT NULL,
    version BIGINT NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (kind, parent, name)
);
CREATE TABLE IF NOT EXISTS grant_record (
    number {identity},
    grantee BIGINT NOT NULL,
    securable BIGINT NOT NULL,
    privilege TEXT NOT NULL,
    UNIQUE (grantee, securable, privilege)
);
CREATE INDEX IF NOT EXISTS entity_parent ON entity (parent);
CREATE INDEX IF NOT EXISTS grant_securable ON grant_record (securable);
"""


class DatabaseError(Exception):
    """The database gave no answer, or not this one; an open transaction is void."""


class Engine(ABC):
    """One connection behind a lock, which serves all threads, and one writer at a time among all processes."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._in_transaction = False

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; nests (the outermost one commits), and excludes every other writer.

        Raises:
            DatabaseError: It cannot begin, or it is not known whether it was committed.
        """
        with self._lock:
            if self._in_transaction:
                yield
                return
            self._begin()
            self._in_transaction = True
            try:
                yield
            except BaseException:
                self._in_transaction = False
                self._rollback()
                raise
            self._in_transaction = False
            self._commit()

    def run(self, sql: str, *parameters: object) -> list[Row]:
        """Run one statement; its rows, if it has any.

        Raises:
            DatabaseError: As the class says.
        """
        with self._lock:
            return self._execute(sql, parameters)

    @abstractmethod
    def close(self) -> None:
        """Let go of the database."""

    @abstractmethod
    def _execute(self, sql: str, parameters: tuple[object, ...]) -> list[Row]: ...

    @abstractmethod
    def _begin(self) -> None: ...

    @abstractmethod
    def _commit(self) -> None: ...

    @abstractmethod
    def _rollback(self) -> None: ...


def schema(identity: str) -> str:
    """The statements that make the tables where they are not there.

    Args:
        identity: Type of a column that numbers its rows and never gives a number twice.
    """
    return _SCHEMA.format(identity=identity)
