"""A model gains, widens, drops and moves columns: its table follows, and what is older stays as it was (WU-5).

PyIceberg writes, PyIceberg and a DuckDB that attaches the catalog anew read.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa  # type: ignore[import-untyped] # the wheel carries no types
import pytest
from floe_core.errors import WrongStateError
from floe_iceberg import compaction, versions
from floe_iceberg.writing import WriteMode, write
from floe_ops.products.reading import attached, open_catalog

if TYPE_CHECKING:
    from collections.abc import Iterator

    from floe_ops.targets import Platform
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table

pytestmark = pytest.mark.catalog

# ruff: noqa: S608 - the names in the SQL are made here

FIRST = pa.schema(
    [("id", pa.int32()), ("amount", pa.decimal128(10, 2)), ("ratio", pa.float32()), ("legacy", pa.string())]
)
SECOND = pa.schema(
    [("id", pa.int64()), ("region", pa.string()), ("amount", pa.decimal128(18, 2)), ("ratio", pa.float64())]
)


@pytest.fixture
def catalog(platform: Platform) -> Iterator[Catalog]:
    with open_catalog(platform) as opened:
        yield opened


@pytest.fixture
def identifier(catalog: Catalog) -> Iterator[tuple[str, ...]]:
    """A name in a namespace of its own, gone afterwards with the table."""
    namespace = f"evolve_{secrets.token_hex(4)}"
    yield (namespace, "marts", "orders")
    with suppress(Exception):
        catalog.drop_table((namespace, "marts", "orders"))
    catalog.drop_namespace((namespace, "marts"))
    catalog.drop_namespace(namespace)


@pytest.fixture
def evolved(catalog: Catalog, identifier: tuple[str, ...]) -> Table:
    """Two loads with the old columns under the tag v1.0.0, one with the new ones under v2.0.0."""
    for start in (0, 2):
        rows = [{"id": i, "amount": Decimal(i) / 4, "ratio": i / 8, "legacy": f"old {i}"} for i in (start, start + 1)]
        write(catalog, identifier, pa.Table.from_pylist(rows, FIRST), mode=WriteMode.APPEND)
    table = catalog.load_table(identifier)
    versions.tag(table, "v1.0.0")
    fresh = [{"id": 2**40, "region": "eu", "amount": Decimal("9999999999999.25"), "ratio": 0.1}]
    write(catalog, identifier, pa.Table.from_pylist(fresh, SECOND).to_reader(), mode=WriteMode.APPEND)
    versions.tag(table, "v2.0.0")
    return table.refresh()


OLD = [{"id": i, "amount": Decimal(i) / 4, "ratio": i / 8, "legacy": f"old {i}"} for i in range(4)]
NOW = [{**row, "region": None} for row in OLD]
NEW = [{"id": 2**40, "region": "eu", "amount": Decimal("9999999999999.25"), "ratio": 0.1, "legacy": None}]


def rows_of(table: Table, **where: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = table.scan(**where).to_arrow().to_pylist()
    return sorted(found, key=lambda row: int(row["id"]))


def lake_rows(platform: Platform, identifier: tuple[str, ...], at: str = "") -> list[dict[str, Any]]:
    with attached(platform) as lake:
        name = f'lake."{".".join(identifier[:-1])}".{identifier[-1]}'
        result = lake.execute(f"select * from {name} {at} order by id")  # nosec B608 - names of our own
        names = [column[0] for column in result.description or ()]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


@pytest.mark.requirement("WU5-AC5")
def test_a_table_follows_its_model_and_every_engine_reads_all_rows(
    platform: Platform, identifier: tuple[str, ...], evolved: Table
) -> None:
    told = {field.name: str(field.field_type) for field in evolved.schema().fields}
    assert list(told.items()) == [
        ("id", "long"),
        ("amount", "decimal(18, 2)"),
        ("ratio", "double"),
        ("legacy", "string"),
        ("region", "string"),
    ]
    assert rows_of(evolved) == NOW + NEW
    assert lake_rows(platform, identifier) == NOW + NEW


@pytest.mark.requirement("WU5-AC5")
def test_a_column_goes_with_the_last_rows_that_have_it(
    platform: Platform, catalog: Catalog, identifier: tuple[str, ...], evolved: Table
) -> None:
    fresh = [{name: value for name, value in row.items() if name != "legacy"} for row in NEW]
    write(catalog, identifier, pa.Table.from_pylist(fresh, SECOND), mode=WriteMode.OVERWRITE)
    assert [field.name for field in evolved.refresh().schema().fields] == SECOND.names
    assert lake_rows(platform, identifier) == fresh
    assert rows_of(evolved, snapshot_id=versions.tags(evolved)["v1.0.0"]) == OLD


@pytest.mark.requirement("WU5-AC5")
def test_old_snapshots_and_tags_keep_their_columns(
    platform: Platform, identifier: tuple[str, ...], evolved: Table
) -> None:
    tags = versions.tags(evolved)
    assert rows_of(evolved, snapshot_id=tags["v1.0.0"]) == OLD
    assert rows_of(evolved, snapshot_id=tags["v2.0.0"]) == NOW + NEW
    first = min(evolved.snapshots(), key=lambda snapshot: snapshot.timestamp_ms)
    assert rows_of(evolved, snapshot_id=first.snapshot_id) == OLD[:2]
    then = lake_rows(platform, identifier, f"at (version => {tags['v1.0.0']})")
    assert [(row["id"], row["amount"]) for row in then] == [(row["id"], row["amount"]) for row in OLD]


@pytest.mark.requirement("WU5-AC5")
def test_files_of_all_schemas_are_merged_into_one(
    platform: Platform, identifier: tuple[str, ...], evolved: Table
) -> None:
    assert compaction.compact(evolved, target_bytes=2**25).files_after == 1
    assert rows_of(evolved.refresh()) == NOW + NEW
    assert lake_rows(platform, identifier) == NOW + NEW
    assert rows_of(evolved, snapshot_id=versions.tags(evolved)["v1.0.0"]) == OLD


@pytest.mark.requirement("WU5-AC5")
def test_a_change_that_iceberg_forbids_changes_nothing(
    platform: Platform, catalog: Catalog, identifier: tuple[str, ...], evolved: Table
) -> None:
    wrong = pa.table({"id": ["a"], "region": ["eu"], "amount": [Decimal("1.00")], "ratio": [0.5]})
    before = evolved.metadata_location
    with pytest.raises(WrongStateError) as told:
        write(catalog, identifier, wrong, mode=WriteMode.OVERWRITE)
    assert told.value.where == f"{identifier[0]}.marts.orders.id"
    assert "it is long and the rows have string" in told.value.why
    assert evolved.refresh().metadata_location == before
    assert lake_rows(platform, identifier) == NOW + NEW
