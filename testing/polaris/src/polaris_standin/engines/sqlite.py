"""State in one SQLite database, in a file or in memory."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from polaris_standin.engines import DatabaseError, Engine, Row, schema

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Sqlite(Engine):
    """One database of one process.

    Args:
        path: Its file, made when it is not there; None keeps everything in memory.

    Raises:
        DatabaseError: The file cannot be opened or is no database.
    """

    def __init__(self, path: Path | None = None) -> None:
        super().__init__()
        with _told():
            self._connection = sqlite3.connect(
                path if path is not None else ":memory:", isolation_level=None, check_same_thread=False
            )
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.executescript(schema("INTEGER PRIMARY KEY AUTOINCREMENT"))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def _execute(self, sql: str, parameters: tuple[object, ...]) -> list[Row]:
        with _told():
            return list(self._connection.execute(sql, parameters))

    def _begin(self) -> None:
        self._execute("BEGIN IMMEDIATE", ())

    def _commit(self) -> None:
        self._execute("COMMIT", ())

    def _rollback(self) -> None:
        self._execute("ROLLBACK", ())


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise DatabaseError(str(error)) from error
