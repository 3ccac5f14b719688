"""Copy on write: data files that lose some of their rows are written anew without them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pyarrow as pa  # type: ignore[import-untyped] # the wheel carries no types
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.table import DataScan

from floe_iceberg.internals import batches_of, columns_of, rows_outside

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pyiceberg.expressions import BooleanExpression
    from pyiceberg.io import FileIO
    from pyiceberg.manifest import DataFile
    from pyiceberg.schema import Schema
    from pyiceberg.table import FileScanTask
    from pyiceberg.table.metadata import TableMetadata

    from floe_iceberg.datafiles import DataFiles
    from floe_iceberg.internals import Batch

Keep = Callable[[Any], Any]
"""Gives the rows of a `pyarrow.Table` that stay; the columns that it reads are among those that it is given."""


def tasks_of(metadata: TableMetadata, io: FileIO, where: BooleanExpression | None = None) -> list[FileScanTask]:
    """The data files of the current snapshot, each with the delete files that apply to it."""
    scan = DataScan(table_metadata=metadata, io=io)
    return list((scan if where is None else scan.filter(where)).plan_files())


def drop_rows(  # noqa: PLR0913 - what to read, where to write, and what stays
    metadata: TableMetadata,
    io: FileIO,
    files: DataFiles,
    *,
    where: BooleanExpression,
    columns: Schema,
    keep: Keep,
) -> frozenset[DataFile]:
    """Write what stays of each file that loses rows into `files`; gives the files that are replaced by them.

    Args:
        metadata: Of the table, with its current snapshot.
        io: Where its files are.
        files: Takes the rows that stay.
        where: Files in which no row can match it are not read.
        columns: What `keep` reads.
        keep: The rows that stay.
    """
    candidates = {task.file.file_path for task in tasks_of(metadata, io, where)}
    every = tasks_of(metadata, io)
    hit = [
        task
        for task in every
        if task.file.file_path in candidates and _loses(batches_of(metadata, io, task, columns), keep)
    ]
    for task in hit:
        files.write(part for batch in batches_of(metadata, io, task) for part in keep(_table(batch)).to_batches())
    return replaced(hit, every)


def replaced(gone: Sequence[FileScanTask], every: Sequence[FileScanTask]) -> frozenset[DataFile]:
    """The data files of `gone`, and the delete files that apply to none of the others."""
    paths = {task.file.file_path for task in gone}
    needed = {delete for task in every if task.file.file_path not in paths for delete in task.delete_files}
    deletes = {delete for task in gone for delete in task.delete_files}
    return frozenset({task.file for task in gone} | (deletes - needed))


def outside(where: BooleanExpression, schema: Schema) -> tuple[Schema, Keep]:
    """The columns that `where` reads, and what keeps the rows outside of it.

    Raises:
        ValueError: It names a column that is not there.
    """
    expression = rows_outside(where, schema)
    return columns_of(where, schema), lambda rows: rows.filter(expression)


def without_keys(keys: Any, schema: Schema) -> tuple[Schema, Keep]:
    """The key columns, and what keeps the rows whose key is not in the table `keys`."""
    names = list(keys.column_names)
    columns = schema.select(*names)
    shape = schema_to_pyarrow(columns, include_field_ids=False)
    wanted = keys.select(shape.names).cast(shape)

    def keep(rows: Any) -> Any:
        own = rows.select(shape.names).cast(shape).append_column("row", pa.array(range(rows.num_rows), pa.int64()))
        stay = own.join(wanted, keys=shape.names, join_type="left anti")["row"]
        return rows.take(stay.combine_chunks().sort()) if len(stay) < rows.num_rows else rows

    return columns, keep


def _loses(batches: Iterable[Batch], keep: Keep) -> bool:
    return any(keep(_table(batch)).num_rows < batch.num_rows for batch in batches)


def _table(batch: Batch) -> Any:
    return pa.Table.from_batches([batch])
