"""What a loader left in the file is read as it lies there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pytest
from floe_compute_duckdb.landing import BATCH_ROWS
from floe_compute_duckdb.plugin import DuckDBComputePlugin, DuckDBConfig
from floe_core.plugins import ComputeError

if TYPE_CHECKING:
    from pathlib import Path

ROWS = 2 * BATCH_ROWS + 1
PLUGIN = DuckDBComputePlugin(DuckDBConfig())


@pytest.fixture
def database(tmp_path: Path) -> Path:
    file = tmp_path / "a file.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute('create schema raw; create table raw."odd ""name" as select 1 as one')
        connection.execute(f"create table raw.visits as select range as id from range({ROWS})")  # noqa: S608 - a number # nosec B608 - names of our own
    return file


def test_the_rows_come_as_a_stream_that_holds_no_file_open(database: Path) -> None:
    rows = PLUGIN.landed(database, "raw", "visits")
    assert rows is not None
    with duckdb.connect(str(database)) as writer:
        writer.execute("insert into raw.visits values (-1)")
    read = rows.read_all()
    assert read.num_rows == ROWS + 1
    assert len(read["id"].chunks) > 1


def test_any_name_is_one_name(database: Path) -> None:
    rows = PLUGIN.landed(database, "raw", 'odd "name')
    assert rows is not None
    assert rows.read_all().to_pylist() == [{"one": 1}]


@pytest.mark.parametrize(("schema", "table"), [("raw", "nothing"), ("nowhere", "visits")])
def test_a_table_that_is_not_there_is_none(database: Path, schema: str, table: str) -> None:
    assert PLUGIN.landed(database, schema, table) is None


def test_neither_is_one_of_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert PLUGIN.landed(tmp_path / "none.duckdb", "raw", "visits") is None


def test_a_file_that_is_none_is_named(tmp_path: Path) -> None:
    file = tmp_path / "text.duckdb"
    file.write_text("no database" * 1000, encoding="utf-8")
    with pytest.raises(ComputeError) as caught:
        PLUGIN.landed(file, "raw", "visits")
    assert caught.value.where == str(file)
