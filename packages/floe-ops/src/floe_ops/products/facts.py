"""Figures of a table: rows, exact sums, columns, and a fingerprint over all rows; equal in both lanes.

Iceberg has fewer number types than DuckDB, so what is compared is what Iceberg would keep: a TINYINT is an INTEGER.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from floe_ops.products.result import TableFacts

if TYPE_CHECKING:
    import duckdb

_KEPT_AS: Final = {
    "TINYINT": "INTEGER",
    "SMALLINT": "INTEGER",
    "UTINYINT": "INTEGER",
    "USMALLINT": "INTEGER",
    "UINTEGER": "BIGINT",
    "UBIGINT": "DECIMAL(20,0)",
    "HUGEINT": "DECIMAL(38,0)",
}
_EXACT: Final = ("DECIMAL", "INTEGER", "BIGINT")


def quoted(name: str) -> str:
    """`name` as an SQL identifier; `schema.table` stays two parts."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in name.split("."))


def columns(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    """Type by column of `schema.table`, in its order."""
    return {row[0]: row[1] for row in connection.execute(f"describe {quoted(table)}").fetchall()}


def of_table(connection: duckdb.DuckDBPyConnection, table: str, name: str) -> TableFacts:
    """The facts of `schema.table`, under the name of its model; one pass over the rows."""
    kinds = {column: _KEPT_AS.get(kind, kind) for column, kind in sorted(columns(connection, table).items())}
    exact = [column for column, kind in kinds.items() if kind.startswith(_EXACT)]
    sums = "".join(f", coalesce(sum({quoted(column)}), 0)::varchar" for column in exact)
    row = ", ".join(f"{quoted(column)}::{kind}" for column, kind in kinds.items())
    query = f"select count(*), coalesce(sum(hash(row({row}))::hugeint), 0)::varchar{sums} from {quoted(table)}"  # noqa: S608 # nosec B608 - quoted
    rows, fingerprint, *totals = connection.execute(query).fetchall()[0]
    return TableFacts(
        name=name,
        rows=rows,
        columns=kinds,
        sums=dict(zip(exact, totals, strict=True)),
        fingerprint=fingerprint,
    )
