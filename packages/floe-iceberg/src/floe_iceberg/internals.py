"""What PyIceberg 0.12 keeps private and this package needs: its next version breaks one module only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

import pyarrow as pa  # type: ignore[import-untyped] # the wheel carries no types
from pyiceberg.expressions import AlwaysTrue
from pyiceberg.expressions.visitors import bind, extract_field_ids
from pyiceberg.io.fileformat import FileFormatFactory
from pyiceberg.io.pyarrow import (
    ArrowScan,
    _expression_to_complementary_pyarrow,
    _pyarrow_to_schema_without_ids,
    _read_all_delete_files,
    _to_requested_schema,
    pyarrow_to_schema,
    schema_to_pyarrow,
)
from pyiceberg.manifest import FileFormat
from pyiceberg.schema import Schema, assign_fresh_schema_ids, sanitize_column_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyiceberg.expressions import BooleanExpression
    from pyiceberg.io import FileIO, OutputFile
    from pyiceberg.io.fileformat import FileFormatWriter
    from pyiceberg.table import FileScanTask, Table, Transaction
    from pyiceberg.table.metadata import TableMetadata
    from pyiceberg.typedef import Properties, TableVersion

ArrowSchema: TypeAlias = Any
"""A `pyarrow.Schema`; pyarrow publishes no types."""
Batch: TypeAlias = Any
"""A `pyarrow.RecordBatch`."""
ArrowExpression: TypeAlias = Any
"""A `pyarrow.compute.Expression`."""

NANOSECONDS_SINCE: Final = 3
"""Tables of an older format hold microseconds, as Iceberg's specification has it."""


def table_of(transaction: Transaction) -> Table:
    """The table that a transaction changes, as it was when the transaction began."""
    return transaction._table  # noqa: SLF001 - a transaction tells neither name nor FileIO of its table


def iceberg_schema(arrow: ArrowSchema, format_version: TableVersion = 2) -> Schema:
    """The Iceberg schema of Arrow columns, with ids as a new table would number them.

    Raises:
        TypeError: Iceberg has no such type.
    """
    bare = _pyarrow_to_schema_without_ids(
        arrow, downcast_ns_timestamp_to_us=format_version < NANOSECONDS_SINCE, format_version=format_version
    )
    return assign_fresh_schema_ids(bare)


def as_written(batch: Batch, schema: Schema) -> Batch:
    """The batch in the columns of the table, with the field ids that go into a Parquet file."""
    rows = _to_requested_schema(
        requested_schema=file_schema(schema),
        file_schema=pyarrow_to_schema(batch.schema, name_mapping=schema.name_mapping),
        batch=batch,
        include_field_ids=True,
        format_model=FileFormatFactory.get(FileFormat.PARQUET),
    )
    shape = schema_to_pyarrow(file_schema(schema), include_field_ids=True)
    # Batches that were read from a file have its short strings, others Arrow's long ones: a file takes one kind.
    return rows if rows.schema == shape else rows.cast(shape)


def file_schema(schema: Schema) -> Schema:
    """The schema inside of a data file: names that Avro does not allow are written another way."""
    return sanitize_column_names(schema)


def parquet_writer(output: OutputFile, schema: Schema, properties: Properties) -> FileFormatWriter:
    """A writer of one data file; each table that it is given becomes a row group."""
    return FileFormatFactory.get(FileFormat.PARQUET).create_writer(output, file_schema(schema), properties)


def written_bytes(writer: FileFormatWriter) -> int:
    """How much of the file has left the writer."""
    return int(writer._fos.tell())  # type: ignore[attr-defined]  # noqa: SLF001 - PyIceberg does not count


def batches_of(
    metadata: TableMetadata, io: FileIO, task: FileScanTask, columns: Schema | None = None
) -> Iterator[Batch]:
    """The live rows of one data file, one batch after the other, in the table's current columns.

    PyIceberg's own scan reads whole files ahead, all at once.
    """
    scan = ArrowScan(metadata, io, columns or metadata.schema(), AlwaysTrue())
    deletes = _read_all_delete_files(io, [task])
    return scan._record_batches_from_scan_tasks_and_deletes([task], deletes)  # noqa: SLF001 - the lazy half of the scan


def live_rows(io: FileIO, task: FileScanTask) -> int:
    """How many rows of a data file are not deleted, counted from metadata and delete files and not from the rows."""
    deletes = _read_all_delete_files(io, [task]).get(task.file.file_path, [])
    chunks = [chunk for positions in deletes for chunk in positions.chunks]
    return task.file.record_count - (len(pa.chunked_array(chunks).unique()) if chunks else 0)


def rows_outside(where: BooleanExpression, schema: Schema) -> ArrowExpression:
    """What holds for the rows that `where` does not name; a row for which it is unknown is outside.

    Raises:
        ValueError: The expression names a column that is not there.
    """
    return _expression_to_complementary_pyarrow(bind(schema, where, case_sensitive=True), schema)


def columns_of(where: BooleanExpression, schema: Schema) -> Schema:
    """The columns that an expression reads."""
    ids = extract_field_ids(bind(schema, where, case_sensitive=True))
    names = {(schema.find_column_name(field_id) or "").split(".")[0] for field_id in ids}
    return schema.select(*sorted(names))
