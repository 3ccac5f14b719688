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
    """Hold `schema.table` of the database `one` against that of `other`, row for row; their files have different names.

    Raises:
        duckdb.Error: A file cannot be read.
    """
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        for path in (one, other):
            # Under its own name: a view in it says where its tables are.
            text = str(path).replace("'", "''")
            connection.execute(f"attach '{text}' as {quoted(path.stem)} (read_only)")
        return tuple(_Two(connection, one.stem, other.stem, table).compared() for table in tables)


@dataclass(frozen=True)
class _Two:
    """One table in two databases that a connection has attached."""

    connection: duckdb.DuckDBPyConnection
    one: str
    other: str
    table: str

    def compared(self) -> Alike:
        mine, theirs = self._columns(self.one), self._columns(self.other)
        if not mine or not theirs:
            missing = "one" if not mine else "other"
            return Alike(self.table, 0, 0, (f"{self.table}: not in the {missing} database",), ())
        found = [f"{self.table}.{name}: only in the one database" for name in mine if name not in theirs]
        found += [f"{self.table}.{name}: only in the other database" for name in theirs if name not in mine]
        both = {name: kind for name, kind in mine.items() if name in theirs}
        rows, their_rows = (self._count(f"from {self._in(where)}") for where in (self.one, self.other))
        if rows != their_rows:
            found.append(f"{self.table}: {rows} rows against {their_rows}")
        if not found and (count := self._unequal(both)):
            differing = [text for name, kind in both.items() if (text := self._column(name, kind))]
            found += differing or [f"{self.table}: {count} rows differ, though no column does by itself"]
        kinds = {name: (kind, theirs[name]) for name, kind in both.items() if kind != theirs[name]}
        wider = tuple(f"{self.table}.{name}: {one} against {other}" for name, (one, other) in kinds.items())
        return Alike(self.table, rows, rows * len(both), tuple(found), wider)

    def _columns(self, where: str) -> dict[str, str]:
        schema, name = self.table.split(".", 1)
        asked = (
            "select column_name, data_type from duckdb_columns() "
            "where database_name = ? and schema_name = ? and table_name = ? order by column_index"
        )
        return dict(self.connection.execute(asked, [where, schema, name]).fetchall())

    def _in(self, where: str) -> str:
        return quoted(f"{where}.{self.table}")

    def _count(self, rest: str) -> int:
        return int(self.connection.execute(f"select count(*) {rest}").fetchall()[0][0])  # nosec B608 - quoted names

    def _unequal(self, columns: dict[str, str]) -> int:
        """How many rows, each as often as it is there, are in one of the two and not in the other."""
        picked = ", ".join(f"{quoted(name)}::{kind}" for name, kind in columns.items())
        one, other = (f"select {picked} from {self._in(where)}" for where in (self.one, self.other))  # noqa: S608 # nosec B608 - quoted
        return self._count(f"from (({one} except all {other}) union all ({other} except all {one}))")

    def _column(self, name: str, kind: str) -> str:
        """What differs in one column, with an example of either; empty where its values are the same."""
        one, other = (f"select {quoted(name)}::{kind} as v from {self._in(where)}" for where in (self.one, self.other))  # noqa: S608 # nosec B608 - quoted
        count = self._count(f"from ({one} except all {other})")
        if not count:
            return ""
        examples = [
            self.connection.execute(f"from ({left} except all {right}) order by 1 nulls last limit 1").fetchall()[0][0]
            for left, right in ((one, other), (other, one))
        ]
        return f"{self.table}.{name}: {count} values differ, for example {examples[0]!r} against {examples[1]!r}"
