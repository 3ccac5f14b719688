"""Tables in a catalog on this disk: replaced whole, with the columns of the model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pytest
from floe_core.errors import WrongStateError
from floe_ops.products import publish
from floe_ops.targets.interface import Platform
from pyiceberg.catalog.sql import SqlCatalog

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from floe_ops.products.result import TableFacts

PLATFORM = Platform(target="local", catalog_kind="stand-in", urls={})
TABLES = {"mart": "marts.mart"}


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[SqlCatalog]:
    made = SqlCatalog("here", uri=f"sqlite:///{tmp_path}/catalog.db", warehouse=f"file://{tmp_path}/warehouse")
    yield made
    made.close()


@pytest.fixture
def publisher(catalog: SqlCatalog, monkeypatch: pytest.MonkeyPatch) -> publish.Publisher:
    monkeypatch.setattr(publish, "open_catalog", lambda _platform: catalog)
    return publish.Publisher(PLATFORM, "tiny", {"floe.product": "tiny"})


@pytest.fixture
def source() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("create schema marts")
        yield connection


def put(publisher: publish.Publisher, source: duckdb.DuckDBPyConnection, rows: str) -> TableFacts:
    source.execute(f"create or replace table marts.mart as {rows}")
    (fact,) = publisher.publish(source, TABLES, lambda _fact: None)
    return fact


def test_rows_are_replaced_and_read_back(
    publisher: publish.Publisher, catalog: SqlCatalog, source: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    put(publisher, source, "select i as id, (i / 4)::decimal(9, 2) as amount from range(5) as t(i)")
    second = put(publisher, source, "select 7 as id, 1.25::decimal(9, 2) as amount")
    publisher.read_back((second,), TABLES, tmp_path / "copy.duckdb")
    assert (second.rows, second.sums) == (1, {"id": "7", "amount": "1.25"})
    snapshot = catalog.load_table(("tiny", "mart")).current_snapshot()
    assert snapshot
    assert snapshot.snapshot_id == second.snapshot_id
    assert snapshot.summary
    assert snapshot.summary["floe.product"] == "tiny"


def test_what_somebody_else_wrote_is_found(
    publisher: publish.Publisher, catalog: SqlCatalog, source: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    fact = put(publisher, source, "select 1 as id")
    table = catalog.load_table(("tiny", "mart"))
    table.append(source.execute("select 2 as id").to_arrow_table())
    newer = table.current_snapshot()
    assert newer
    with pytest.raises(WrongStateError) as caught:
        publisher.read_back(
            (fact.model_copy(update={"snapshot_id": newer.snapshot_id}),), TABLES, tmp_path / "copy.duckdb"
        )
    assert "mart: 1 rows against 2" in caught.value.why


def test_the_table_takes_the_columns_of_the_model(
    publisher: publish.Publisher, catalog: SqlCatalog, source: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    put(publisher, source, "select 1 as id, 'x' as old")
    fact = put(publisher, source, "select 1 as id, 'y' as new")
    assert catalog.load_table(("tiny", "mart")).schema().column_names == ["id", "new"]
    publisher.read_back((fact,), TABLES, tmp_path / "copy.duckdb")


def test_a_column_of_another_kind_is_refused_and_nothing_changes(
    publisher: publish.Publisher, catalog: SqlCatalog, source: duckdb.DuckDBPyConnection
) -> None:
    put(publisher, source, "select 1 as id")
    with pytest.raises(WrongStateError) as caught:
        put(publisher, source, "select 'one' as id")
    assert caught.value.where == "tiny.mart"
    assert catalog.load_table(("tiny", "mart")).scan().to_arrow().to_pylist() == [{"id": 1}]


@pytest.mark.parametrize("rows", [["", "1", ""], ["", ""], ["1", "", "1"]])
def test_empty_tables_come_and_go(
    publisher: publish.Publisher, catalog: SqlCatalog, source: duckdb.DuckDBPyConnection, rows: list[str]
) -> None:
    for value in rows:
        put(publisher, source, f"select {value or 0} as id where {bool(value)}")
        expected = [{"id": int(value)}] if value else []
        assert catalog.load_table(("tiny", "mart")).scan().to_arrow().to_pylist() == expected
