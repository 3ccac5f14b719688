"""Rows that a loader left in the lane's file, for whoever carries them on."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import duckdb
from floe_core.plugins import ArrowRows, ComputeError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BATCH_ROWS: Final = 50_000


def landed(database: Path, schema: str, table: str) -> ArrowRows | None:
    """The rows of a table as a stream that opens the file when it is read; None where there is no such table.

    Raises:
        ComputeError: The file cannot be read; the stream raises it too.
    """
    import pyarrow as pa  # type: ignore[import-untyped] # the wheel carries no types

    name = ".".join('"' + part.replace('"', '""') + '"' for part in (schema, table))
    query = f"from {name}"
    if not database.is_file():
        return None
    try:
        with _opened(database) as connection:
            columns = connection.execute(f"{query} limit 0").to_arrow_reader(1).schema
    except duckdb.CatalogException:
        return None

    def batches() -> Iterator[Any]:
        with _opened(database) as connection:
            yield from connection.execute(query).to_arrow_reader(BATCH_ROWS)

    return pa.RecordBatchReader.from_batches(columns, batches())


@contextmanager
def _opened(database: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    try:
        with duckdb.connect(str(database), read_only=True) as connection:
            connection.execute("set timezone = 'UTC'")
            yield connection
    except duckdb.CatalogException:
        raise
    except duckdb.Error as error:
        raise ComputeError(
            "what was loaded cannot be read",
            where=str(database),
            why=str(error),
            remedy="end the process that holds the file, if one does, and run again",
        ) from error
