"""Two databases, one content: planted differences are found, by table and column."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import duckdb
import pytest
from floe_ops.products.alike import compare

if TYPE_CHECKING:
    from pathlib import Path

ROWS = "select * from (values (1, 'a', 1.50::decimal(9, 2)), (2, 'b', null), (2, 'b', null)) as t(id, name, amount)"


def select(what: str) -> str:
    return f"select {what} from ({ROWS})"  # noqa: S608 - our own # nosec B608 - names of our own


def database(path: Path, rows: str = ROWS) -> Path:
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema marts")
        connection.execute(f"create table marts.t as {rows}")
        connection.execute(f"create view marts.v as from {path.stem}.marts.t")
    return path


def differences(folder: Path, rows: str, table: str = "marts.t") -> tuple[str, ...]:
    (found,) = compare(database(folder / "one.duckdb"), database(folder / "other.duckdb", rows), [table])
    return found.differences


def test_equal_rows_in_another_order_are_equal(tmp_path: Path) -> None:
    other = database(tmp_path / "other.duckdb", select("*") + " order by id desc")
    table, view = compare(database(tmp_path / "one.duckdb"), other, ["marts.t", "marts.v"])
    assert table.differences == view.differences == ()
    assert (table.rows, table.cells) == (3, 9)


def test_a_wider_whole_number_is_told_and_is_no_difference(tmp_path: Path) -> None:
    other = database(tmp_path / "other.duckdb", select("* replace (id::bigint as id)"))
    (found,) = compare(database(tmp_path / "one.duckdb"), other, ["marts.t"])
    assert found.differences == ()
    assert found.wider == ("marts.t.id: INTEGER against BIGINT",)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("* replace (amount + 0.01 as amount)", r"marts\.t\.amount: 1 values differ, .*1\.50.*1\.51"),
        ("* replace (coalesce(amount, 0) as amount)", r"marts\.t\.amount: 2 values differ"),
        ("* replace (upper(name) as name)", r"marts\.t\.name: 3 values differ, for example 'a' against 'A'"),
        ("* exclude (amount)", r"marts\.t\.amount: only in the one database"),
        ("*, 1 as extra", r"marts\.t\.extra: only in the other database"),
        ("distinct *", r"marts\.t: 3 rows against 2"),
    ],
)
def test_a_planted_difference_is_named(tmp_path: Path, change: str, told: str) -> None:
    (found,) = differences(tmp_path, select(change))
    assert re.search(told, found)


def test_values_that_changed_places_are_found(tmp_path: Path) -> None:
    swapped = ROWS.replace("(1, 'a'", "(1, 'b'").replace("(2, 'b', null), (2, 'b'", "(2, 'a', null), (2, 'b'")
    assert differences(tmp_path, swapped) == ("marts.t: 4 rows differ, though no column does by itself",)


def test_rows_that_are_there_more_often_are_found(tmp_path: Path) -> None:
    more = ROWS.replace("(2, 'b', null), (2, 'b', null)", "(1, 'a', 1.50), (2, 'b', null)")
    assert len(differences(tmp_path, more)) == 3


def test_a_table_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert differences(tmp_path, ROWS, "marts.gone") == ("marts.gone: not in the one database",)
