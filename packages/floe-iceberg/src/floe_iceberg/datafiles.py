"""Rows as Parquet files of a table, near a target size, with bounded memory however many rows come.

PyIceberg 0.12 hands a whole stream to its threads before it writes the first file, and refuses a stream for a table
with partitions.
"""

from __future__ import annotations

import uuid
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa  # type: ignore[import-untyped] # the wheel carries no types
import pyarrow.compute as pc  # type: ignore[import-untyped] # the same
from pyiceberg.io.fileformat import FileFormatWriter  # noqa: TC002 - a dataclass field
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
from pyiceberg.table import TableProperties
from pyiceberg.table.locations import load_location_provider
from pyiceberg.table.sorting import NullOrder, SortDirection
from pyiceberg.transforms import IdentityTransform
from pyiceberg.typedef import Record

from floe_iceberg.internals import as_written, parquet_writer, written_bytes
from floe_iceberg.splitting import split

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyiceberg.io import FileIO
    from pyiceberg.partitioning import PartitionKey
    from pyiceberg.table.metadata import TableMetadata

    from floe_iceberg.internals import Batch

MIB: Final = 1024 * 1024
TARGET_BYTES: Final = 128 * MIB
"""Size of a data file, on disk, where the table has no `write.target-file-size-bytes`."""
BUFFER_BYTES: Final = 32 * MIB
"""Rows in memory, as Arrow, before a row group is written."""
OPEN_FILES: Final = 8
"""Each open file holds a part of an upload in memory."""


class DataFiles:
    """Data files in the making.

    Args:
        metadata: Of the table whose columns, partitions and sort order the files have.
        io: Where they go.
        target_bytes: Size of a file on disk; the table's own wish when None.
        buffer_bytes: Rows in memory, as Arrow; a file of a sorted table is never larger.
    """

    def __init__(
        self, metadata: TableMetadata, io: FileIO, *, target_bytes: int | None = None, buffer_bytes: int = BUFFER_BYTES
    ) -> None:
        self._metadata = metadata
        self._schema = metadata.schema()
        self._io = io
        self._target = target_bytes or target_of(metadata)
        self._limit = buffer_bytes
        self._sorting = _Sorting.of(metadata)
        self._places = load_location_provider(metadata.location, metadata.properties)
        self._write_id = uuid.uuid4()
        self._count = 0
        self._parts: dict[Record, _Part] = {}
        self._done: list[DataFile] = []
        self._paths: list[str] = []
        self.rows = 0

    def write(self, batches: Iterable[Batch]) -> None:
        """Take rows in any order of partitions."""
        for batch in batches:
            if batch.num_rows:
                self.rows += batch.num_rows
                self._take(as_written(batch, self._schema))

    def close(self) -> list[DataFile]:
        """Write what is buffered; gives all files, which no snapshot names yet."""
        for part in self._parts.values():
            self._flush(part)
            self._finish(part)
        return list(self._done)

    def discard(self) -> None:
        """Remove what was written; for a commit that did not happen."""
        for part in self._parts.values():
            if part.writer is not None:
                with suppress(OSError, ValueError):
                    part.writer.close()
        for path in self._paths:
            with suppress(OSError):  # what stays is found by `retention.orphans`
                self._io.delete(path)
        self._parts, self._done, self._paths = {}, [], []

    def _take(self, batch: Batch) -> None:
        for key, rows in split(batch, self._metadata.spec(), self._schema):
            part = self._parts.setdefault(key.partition if key else Record(), _Part(key))
            part.batches.append(rows)
            part.bytes += rows.nbytes
        while sum(part.bytes for part in self._parts.values()) >= self._limit:
            self._flush(max(self._parts.values(), key=lambda part: part.bytes))

    def _flush(self, part: _Part) -> None:
        if not part.batches:
            return
        table = pa.Table.from_batches(part.batches)
        part.batches, part.bytes = [], 0
        if part.writer is None:
            self._open(part)
        if part.writer is not None:
            part.writer.write(self._sorting.sorted(table) if self._sorting else table)
            if self._sorting or written_bytes(part.writer) >= self._target:
                self._finish(part)

    def _open(self, part: _Part) -> None:
        open_parts = [other for other in self._parts.values() if other.writer is not None]
        if len(open_parts) >= OPEN_FILES:
            self._finish(min(open_parts, key=lambda other: other.opened))
        name = f"{self._count:05d}-{self._write_id}.parquet"
        self._count += 1
        part.opened = self._count
        part.path = self._places.new_data_location(name, part.key)
        self._paths.append(part.path)
        part.writer = parquet_writer(self._io.new_output(part.path), self._schema, self._metadata.properties)

    def _finish(self, part: _Part) -> None:
        if part.writer is None:
            return
        statistics = part.writer.close()
        part.writer = None
        made = DataFile.from_args(
            content=DataFileContent.DATA,
            file_path=part.path,
            file_format=FileFormat.PARQUET,
            partition=part.key.partition if part.key else Record(),
            file_size_in_bytes=len(self._io.new_input(part.path)),
            sort_order_id=self._sorting.order_id if self._sorting else None,
            equality_ids=None,
            key_metadata=None,
            **statistics.to_serialized_dict(),
        )
        made.spec_id = self._metadata.default_spec_id
        self._done.append(made)


def target_of(metadata: TableMetadata) -> int:
    """The size in bytes that the table's files are to have."""
    return int(metadata.properties.get(TableProperties.WRITE_TARGET_FILE_SIZE_BYTES, TARGET_BYTES))


class _Part:
    """What is in the making for one partition."""

    def __init__(self, key: PartitionKey | None) -> None:
        self.key = key
        self.batches: list[Batch] = []
        self.bytes = 0
        self.writer: FileFormatWriter | None = None
        self.path = ""
        self.opened = 0


class _Sorting:
    """The table's sort order, where it is one of plain columns; each file is sorted in itself."""

    def __init__(self, order_id: int, keys: list[tuple[str, bool, bool]]) -> None:
        self.order_id = order_id
        self._keys = keys

    @classmethod
    def of(cls, metadata: TableMetadata) -> _Sorting | None:
        order = metadata.sort_order_by_id(metadata.default_sort_order_id)
        names = {field.field_id: field.name for field in metadata.schema().fields}
        if order is None or order.is_unsorted:
            return None
        if any(not isinstance(f.transform, IdentityTransform) or f.source_id not in names for f in order.fields):
            return None
        keys = [
            (names[f.source_id], f.direction is SortDirection.ASC, f.null_order is NullOrder.NULLS_FIRST)
            for f in order.fields
        ]
        return cls(order.order_id, keys)

    def sorted(self, table: Any) -> Any:
        """The rows in the table's order; Arrow has one place for nulls, Iceberg one for each column."""
        columns: list[Any] = []
        order: list[tuple[str, str]] = []
        for name, ascending, nulls_first in self._keys:
            columns += [pc.is_null(table[name]).cast(pa.int8()), table[name]]
            order.append((f"c{len(columns) - 2}", "descending" if nulls_first else "ascending"))
            order.append((f"c{len(columns) - 1}", "ascending" if ascending else "descending"))
        keys = pa.table(columns, names=[f"c{position}" for position, _ in enumerate(columns)])
        return table.take(pc.sort_indices(keys, sort_keys=order))
