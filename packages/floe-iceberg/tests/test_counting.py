"""Rows are counted as a reader sees them, whatever the summary of the snapshot says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa  # type: ignore[import-untyped] # the wheel carries no types
from floe_iceberg.counting import rows_in
from floe_iceberg.testing import delete_positions
from floe_iceberg.writing import WriteMode, write
from pyiceberg.table.snapshots import Summary

if TYPE_CHECKING:
    import pytest
    from pyiceberg.catalog.sql import SqlCatalog
    from pyiceberg.table import Table

NAME = ("shop", "orders")


def filled(catalog: SqlCatalog) -> Table:
    for first in (0, 10):
        write(catalog, NAME, pa.table({"id": list(range(first, first + 10))}), mode=WriteMode.APPEND)
    return catalog.load_table(NAME)


def total(table: Table) -> str | None:
    snapshot = table.current_snapshot()
    assert snapshot is not None
    assert snapshot.summary is not None
    return snapshot.summary["total-records"]


def test_deleted_positions_are_not_counted_once_or_twice(catalog: SqlCatalog) -> None:
    table = filled(catalog)
    assert rows_in(table) == 20
    delete_positions(table, {3, 4, 15})
    delete_positions(table, {5})
    assert total(table) == "20"
    assert rows_in(table) == table.scan().count() == 16


def test_an_empty_table_has_none_and_a_silent_summary_is_not_believed(
    catalog: SqlCatalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog.create_namespace("shop")
    assert rows_in(catalog.create_table(("shop", "empty"), pa.schema([("id", pa.int64())]))) == 0
    table = filled(catalog)
    monkeypatch.setattr(Summary, "__getitem__", lambda _self, _name: None)
    assert rows_in(table) == 20
