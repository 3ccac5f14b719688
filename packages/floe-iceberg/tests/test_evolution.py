"""A table takes the columns of new rows, and what was written before stays readable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa  # type: ignore[import-untyped] # the wheel carries no types
import pytest
from floe_core.errors import WrongStateError
from floe_iceberg import versions
from floe_iceberg.evolution import evolve
from floe_iceberg.writing import WriteMode, write

if TYPE_CHECKING:
    from pyiceberg.catalog.sql import SqlCatalog
    from pyiceberg.table import Table

BEFORE = pa.schema(
    [
        pa.field("id", pa.int32(), nullable=False),
        pa.field("ratio", pa.float32()),
        pa.field("price", pa.decimal128(10, 2)),
        pa.field("gone", pa.string()),
        pa.field("where", pa.struct([("lat", pa.float32()), ("note", pa.string())])),
        pa.field("tags", pa.list_(pa.int32())),
        pa.field("by", pa.map_(pa.string(), pa.int32())),
    ]
)
AFTER = pa.schema(
    [
        pa.field("fresh", pa.string(), nullable=False),
        pa.field("price", pa.decimal128(20, 2)),
        pa.field("id", pa.int64()),
        pa.field("ratio", pa.float64()),
        pa.field("where", pa.struct([("alt", pa.int64()), ("lat", pa.float64())])),
        pa.field("tags", pa.list_(pa.int64())),
        pa.field("by", pa.map_(pa.string(), pa.int64())),
    ]
)


@pytest.fixture
def table(catalog: SqlCatalog) -> Table:
    row = {"id": 1, "ratio": 0.5, "price": None, "gone": "g", "where": {"lat": 1.5, "note": "n"}, "tags": [1]}
    rows = pa.Table.from_pylist([{**row, "by": [("k", 1)]}], schema=BEFORE)
    write(catalog, ("shop", "orders"), rows, mode=WriteMode.APPEND)
    return catalog.load_table(("shop", "orders"))


def changed(table: Table, wanted: Any) -> Table:
    with table.transaction() as transaction:
        evolve(transaction, wanted)
    return table.refresh()


def test_columns_come_widen_go_and_change_places(table: Table) -> None:
    versions.tag(table, "v1")
    changed(table, AFTER)
    told = {field.name: (str(field.field_type), field.required) for field in table.schema().fields}
    assert list(told) == AFTER.names
    assert told["fresh"] == ("string", False), "the rows before it do not have it"
    assert told["id"] == ("long", False)
    assert told["ratio"] == ("double", False)
    assert told["price"] == ("decimal(20, 2)", False)
    assert told["tags"] == ("list<long>", False)
    assert "alt: optional long" in told["where"][0]
    assert "note" not in told["where"][0]
    row = {"fresh": None, "price": None, "id": 1, "ratio": 0.5, "where": {"alt": None, "lat": 1.5}, "tags": [1]}
    assert table.scan().to_arrow().to_pylist() == [{**row, "by": [("k", 1)]}]
    old = table.scan(snapshot_id=versions.tags(table)["v1"]).to_arrow()
    assert old.column_names == BEFORE.names
    assert old["gone"].to_pylist() == ["g"]


def test_the_same_columns_change_nothing(table: Table) -> None:
    before = table.metadata_location
    assert changed(table, BEFORE).metadata_location == before


def test_narrower_rows_fit_into_a_wider_table(catalog: SqlCatalog, table: Table) -> None:
    changed(table, AFTER)
    narrow = pa.schema([BEFORE.field(name) if name in BEFORE.names else AFTER.field(name) for name in AFTER.names])
    row = {"fresh": "f", "price": None, "id": 2, "ratio": 0.25, "where": {"lat": 2.5, "note": None}, "tags": [2]}
    rows = pa.Table.from_pylist([{**row, "by": [("k", 2)]}], schema=narrow)
    write(catalog, ("shop", "orders"), rows, mode=WriteMode.APPEND)
    found = catalog.load_table(("shop", "orders"))
    assert str(found.schema().find_type("id")) == "long"
    assert sorted(found.scan().to_arrow()["id"].to_pylist()) == [1, 2]


@pytest.mark.parametrize(
    ("name", "kind", "both"),
    [
        ("id", pa.string(), ("int", "string")),
        ("ratio", pa.int64(), ("float", "long")),
        ("price", pa.decimal128(20, 4), ("decimal(10, 2)", "decimal(20, 4)")),
        ("gone", pa.binary(), ("string", "binary")),
        ("tags", pa.string(), ("list<int>", "string")),
    ],
)
def test_what_iceberg_forbids_is_named(table: Table, name: str, kind: Any, both: tuple[str, str]) -> None:
    wanted = pa.schema([field.with_type(kind) if field.name == name else field for field in BEFORE])
    with pytest.raises(WrongStateError) as told:
        changed(table, wanted)
    assert told.value.where == f"shop.orders.{name}"
    assert f"it is {both[0]} and the rows have {both[1]}" in told.value.why
    assert f"cast it to {both[0]}" in told.value.remedy


def test_a_column_that_partitions_cannot_go(catalog: SqlCatalog) -> None:
    rows = pa.table({"id": [1], "region": ["eu"]})
    write(catalog, ("shop", "regions"), rows, mode=WriteMode.APPEND, partition_by=["region"])
    with pytest.raises(WrongStateError) as told:
        changed(catalog.load_table(("shop", "regions")), pa.schema([("id", pa.int64())]))
    assert told.value.where == "shop.regions.region"
    assert "partitioned" in told.value.why
