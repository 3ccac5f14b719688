"""Figures of a table: rows, exact sums, and a fingerprint over all rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from floe_ops.products.result import TableFacts

if TYPE_CHECKING:
    import duckdb

_EXACT = (
    "DECIMAL",
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "HUGEINT",
    "UTINYINT",
    "USMALLINT",
    "UINTEGER",
    "UBIGINT",
)


def quoted(name: str) -> str:
    """`name` as an SQL identifier; `schema.table` stays two parts."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in name.split("."))


def columns(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    """Type by column of `schema.table`, in its order."""
    return {row[0]: row[1] for row in connection.execute(f"describe {quoted(table)}").fetchall()}


def of_table(connection: duckdb.DuckDBPyConnection, table: str, name: str) -> TableFacts:
    """The facts of `schema.table`, under the name of its output port; one pass over the rows."""
    exact = [column for column, kind in columns(connection, table).items() if kind.startswith(_EXACT)]
    sums = "".join(f", coalesce(sum({quoted(column)}), 0)" for column in exact)
    query = f"select count(*), coalesce(sum(hash(t)::hugeint), 0){sums} from {quoted(table)} as t"  # noqa: S608 # nosec B608 - quoted
    row = connection.execute(query).fetchall()[0]
    return TableFacts(
        name=name,
        rows=row[0],
        sums={column: str(value) for column, value in zip(exact, row[2:], strict=True)},
        fingerprint=str(row[1]),
    )
