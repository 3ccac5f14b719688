"""Position deletes as other engines write them; PyIceberg itself writes none."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pyarrow as pa  # type: ignore[import-untyped] # the wheel carries no types
import pyarrow.parquet as pq  # type: ignore[import-untyped] # the same
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
from pyiceberg.table.snapshots import Operation

from floe_iceberg.commits import Change, stage
from floe_iceberg.copying import tasks_of
from floe_iceberg.internals import batches_of

if TYPE_CHECKING:
    from pyiceberg.table import FileScanTask, Table

PATH_ID, POSITION_ID = 2147483546, 2147483545
"""Field ids of Iceberg's specification, "Position Delete Files"."""


def delete_positions(table: Table, ids: set[int]) -> int:
    """Delete the rows with these ids in one snapshot, one delete file a data file; gives how many delete files."""
    table.refresh()
    added = []
    for task in tasks_of(table.metadata, table.io):
        gone = _positions(table, task, ids)
        if gone:
            added.append(_delete_file(table, task.file, gone))
    if added:
        transaction = table.transaction()
        stage(transaction, Change(Operation.OVERWRITE, added))
        transaction.commit_transaction()
    return len(added)


def _positions(table: Table, task: FileScanTask, ids: set[int]) -> list[int]:
    """Positions in the file, whatever else is deleted in it."""
    from pyiceberg.table import FileScanTask as Plain

    live = {i for batch in batches_of(table.metadata, table.io, task) for i in batch.column("id").to_pylist()}
    plain = Plain(task.file)
    every = [i for batch in batches_of(table.metadata, table.io, plain) for i in batch.column("id").to_pylist()]
    return [position for position, i in enumerate(every) if i in ids and i in live]


def _delete_file(table: Table, data: DataFile, positions: list[int]) -> DataFile:
    shape = pa.schema(
        [
            pa.field("file_path", pa.string(), nullable=False, metadata={b"PARQUET:field_id": str(PATH_ID).encode()}),
            pa.field("pos", pa.int64(), nullable=False, metadata={b"PARQUET:field_id": str(POSITION_ID).encode()}),
        ]
    )
    rows = pa.table([[data.file_path] * len(positions), positions], schema=shape)
    path = f"{table.location()}/data/{uuid.uuid4()}-deletes.parquet"
    output = table.io.new_output(path)
    with output.create() as stream:
        pq.write_table(rows, stream)
    bound = data.file_path.encode()
    made = DataFile.from_args(
        content=DataFileContent.POSITION_DELETES,
        file_path=path,
        file_format=FileFormat.PARQUET,
        partition=data.partition,
        record_count=len(positions),
        file_size_in_bytes=len(output),
        lower_bounds={PATH_ID: bound},
        upper_bounds={PATH_ID: bound},
    )
    made.spec_id = data.spec_id
    return made
