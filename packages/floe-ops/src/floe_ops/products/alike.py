"""Two databases, one content: every difference between the tables of one name, by table and column.

Both lie in DuckDB files, whoever built them, so one engine counts, sums and compares. A column is compared in the type
of the first database: that another engine keeps a whole number wider is no difference, that it keeps another one is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from floe_ops.products.facts import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import duckdb

ONE, OTHER = "one", "other"


@dataclass(frozen=True)
class Alike:
    """What a comparison of one table came to.

    Attributes:
        table: `schema.table`.
        rows: Rows in the first database.
        cells: How many values were compared.
        differences: What differs, in words; none where all rows are equal.
        wider: Columns that the second database keeps in another type, with both types.
    """

    table: str
    rows: int
    cells: int
    differences: tuple[str, ...]
    wider: tuple[str, ...]


def compare(one: Path, other: Path, tables: Iterable[str]) -> tuple[Alike, ...]:
    """Hold `schema.table` of the database `one` against that of `other`, row for row.

    Raises:
        duckdb.Error: A file cannot be read.
    """
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        for name, path in ((ONE, one), (OTHER, other)):
            connection.execute(f"attach '{str(path).replace(chr(39), chr(39) * 2)}' as {name} (read_only)")
        return tuple(_compared(connection, table) for table in tables)


def _compared(connection: duckdb.DuckDBPyConnection, table: str) -> Alike:
    mine, theirs = _columns(connection, ONE, table), _columns(connection, OTHER, table)
    if not mine or not theirs:
        missing = ONE if not mine else OTHER
        return Alike(table, 0, 0, (f"{table}: not in the {missing} database",), ())
    found = [f"{table}.{name}: only in the one database" for name in mine if name not in theirs]
    found += [f"{table}.{name}: only in the other database" for name in theirs if name not in mine]
    both = {name: kind for name, kind in mine.items() if name in theirs}
    rows, their_rows = (_count(connection, f"from {_of(where, table)}") for where in (ONE, OTHER))
    if rows != their_rows:
        found.append(f"{table}: {rows} rows against {their_rows}")
    if not found and (count := _unequal(connection, table, both)):
        differing = [text for name, kind in both.items() if (text := _column(connection, table, name, kind))]
        found += differing or [f"{table}: {count} rows differ, though no column does by itself"]
    wider = tuple(
        f"{table}.{name}: {kind} against {theirs[name]}" for name, kind in both.items() if kind != theirs[name]
    )
    return Alike(table, rows, rows * len(both), tuple(found), wider)


def _columns(connection: duckdb.DuckDBPyConnection, where: str, table: str) -> dict[str, str]:
    schema, name = table.split(".", 1)
    asked = (
        "select column_name, data_type from duckdb_columns() "
        "where database_name = ? and schema_name = ? and table_name = ? order by column_index"
    )
    return dict(connection.execute(asked, [where, schema, name]).fetchall())


def _of(where: str, table: str) -> str:
    return f"{where}.{quoted(table)}"


def _count(connection: duckdb.DuckDBPyConnection, rest: str) -> int:
    return int(connection.execute(f"select count(*) {rest}").fetchall()[0][0])  # nosec B608 - quoted names


def _unequal(connection: duckdb.DuckDBPyConnection, table: str, columns: dict[str, str]) -> int:
    """How many rows, each as often as it is there, are in one of the two and not in the other."""
    picked = ", ".join(f"{quoted(name)}::{kind}" for name, kind in columns.items())
    one, other = (f"select {picked} from {_of(where, table)}" for where in (ONE, OTHER))  # noqa: S608 # nosec B608 - quoted
    return _count(connection, f"from (({one} except all {other}) union all ({other} except all {one}))")


def _column(connection: duckdb.DuckDBPyConnection, table: str, name: str, kind: str) -> str:
    """What differs in one column, with an example of either; empty where its values are the same."""
    one, other = (f"select {quoted(name)}::{kind} as v from {_of(where, table)}" for where in (ONE, OTHER))  # noqa: S608 # nosec B608 - quoted
    count = _count(connection, f"from ({one} except all {other})")
    if not count:
        return ""
    examples = [
        connection.execute(f"from ({left} except all {right}) order by 1 nulls last limit 1").fetchall()[0][0]
        for left, right in ((one, other), (other, one))
    ]
    return f"{table}.{name}: {count} values differ, for example {examples[0]!r} against {examples[1]!r}"
