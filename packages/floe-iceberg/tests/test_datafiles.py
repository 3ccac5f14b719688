"""Rows become files near a size, with a bounded number of them in the making."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pyarrow as pa  # type: ignore[import-untyped] # the wheel carries no types
import pytest
from floe_iceberg import datafiles
from floe_iceberg.datafiles import MIB, DataFiles, target_of
from floe_iceberg.internals import batches_of, iceberg_schema
from floe_iceberg.partitions import parse
from pyiceberg.table import FileScanTask

if TYPE_CHECKING:
    from pathlib import Path

    from pyiceberg.catalog.sql import SqlCatalog
    from pyiceberg.manifest import DataFile
    from pyiceberg.table import Table

SHAPE = pa.schema([("id", pa.int64()), ("part", pa.int64()), ("noise", pa.int64())])
CHANCE = random.Random(1)  # noqa: S311 # nosec B311 - rows that do not compress
NOISE = [CHANCE.getrandbits(63) for _ in range(50_000)]


def table_of(catalog: SqlCatalog, *words: str, **properties: str) -> Table:
    schema = iceberg_schema(SHAPE)
    catalog.create_namespace("shop")
    return catalog.create_table(
        ("shop", "orders"), schema, partition_spec=parse(words, schema), properties=dict(properties)
    )


def batches(parts: int) -> list[Any]:
    rows = pa.table({"id": range(50_000), "part": [i % parts for i in range(50_000)], "noise": NOISE}, schema=SHAPE)
    return list(rows.to_batches(max_chunksize=5000))


def ids(table: Table, made: list[DataFile]) -> list[int]:
    tasks = [FileScanTask(file) for file in made]
    return sorted(
        i for task in tasks for b in batches_of(table.metadata, table.io, task) for i in b.column("id").to_pylist()
    )


def test_a_file_ends_when_it_has_the_size(catalog: SqlCatalog) -> None:
    table = table_of(catalog)
    files = DataFiles(table.metadata, table.io, target_bytes=200_000, buffer_bytes=100_000)
    files.write(batches(1))
    made = files.close()
    assert len(made) > 2
    assert all(200_000 <= file.file_size_in_bytes < 400_000 for file in made[:-1])
    assert files.rows == sum(file.record_count for file in made) == 50_000
    assert ids(table, made) == list(range(50_000))


def test_more_partitions_than_files_may_be_open(catalog: SqlCatalog) -> None:
    table = table_of(catalog, "part")
    files = DataFiles(table.metadata, table.io, buffer_bytes=200_000)
    most = 0
    for batch in batches(datafiles.OPEN_FILES * 3):
        files.write([batch])
        most = max(most, sum(part.writer is not None for part in files._parts.values()))
    made = files.close()
    assert 1 < most <= datafiles.OPEN_FILES
    assert len({file.partition[0] for file in made}) == datafiles.OPEN_FILES * 3
    assert ids(table, made) == list(range(50_000))


def test_what_is_discarded_leaves_the_disk(catalog: SqlCatalog, tmp_path: Path) -> None:
    table = table_of(catalog)
    files = DataFiles(table.metadata, table.io, target_bytes=200_000, buffer_bytes=100_000)
    files.write(batches(1)[:7])
    assert list(tmp_path.rglob("*.parquet"))
    files.discard()
    assert not list(tmp_path.rglob("*.parquet"))


@pytest.mark.parametrize(("properties", "size"), [({}, 128 * MIB), ({"write.target-file-size-bytes": "7"}, 7)])
def test_the_table_may_wish_a_size(catalog: SqlCatalog, properties: dict[str, str], size: int) -> None:
    assert target_of(table_of(catalog, **properties).metadata) == size
