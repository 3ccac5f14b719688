"""Many small data files, and files with position deletes, become files near a target size; the rows stay the same."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from floe_core.errors import WrongStateError
from pyiceberg.manifest import DataFileContent
from pyiceberg.table import FileScanTask
from pyiceberg.table.snapshots import Operation
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from floe_iceberg import copying
from floe_iceberg.checksums import Checksum
from floe_iceberg.commits import LOST, Change, live_entries, stage
from floe_iceberg.datafiles import BUFFER_BYTES, MIB, DataFiles
from floe_iceberg.internals import batches_of, live_rows
from floe_iceberg.naming import dotted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pyiceberg.io import FileIO
    from pyiceberg.manifest import DataFile
    from pyiceberg.table import Table
    from pyiceberg.table.metadata import TableMetadata
    from pyiceberg.typedef import Record

    from floe_iceberg.internals import Batch

ATTEMPTS: Final = 10
SMALL: Final = 0.75
"""A file below this part of the target is small."""
SORT_BYTES: Final = 256 * MIB
"""Rows of a sorted table that are sorted together, as Arrow in memory; each such lot becomes a file."""


@dataclass(frozen=True)
class Compacted:
    """What `compact` did, or would do.

    Attributes:
        files_before: Data files of the table.
        files_after: The same, afterwards; in a dry run those that would not be rewritten.
        deletes_removed: Delete files that no reader has to apply any more.
        snapshot_id: Of the new snapshot; None when there was nothing to do.
    """

    files_before: int
    files_after: int
    deletes_removed: int
    snapshot_id: int | None


def compact(table: Table, *, target_bytes: int, dry_run: bool = False) -> Compacted:
    """Rewrite what is small or has deletes, partition by partition, in one snapshot of the operation `replace`.

    Rows that others add meanwhile stay; when they delete rows, the work is planned anew. Memory is bounded by one
    buffer (`datafiles.BUFFER_BYTES`, for a sorted table `SORT_BYTES`) and by the deleted positions of one file.

    Args:
        table: Refreshed by this call.
        target_bytes: Size of a file on disk.
        dry_run: Only say what would be rewritten.

    Raises:
        WrongStateError: The new files would not hold the same rows, the table has deletes that PyIceberg cannot read,
            or others keep committing.
    """
    attempts = Retrying(
        retry=retry_if_exception_type(LOST),
        stop=stop_after_attempt(ATTEMPTS),
        wait=wait_random_exponential(multiplier=0.05, max=2),
        reraise=True,
    )
    try:
        return attempts(_attempt, table, target_bytes, dry_run=dry_run)
    except LOST as error:
        raise WrongStateError(
            "the table cannot be compacted",
            where=dotted(table.name()),
            why=f"others replaced or deleted rows {ATTEMPTS} times in between",
            remedy="run again when fewer write to it",
        ) from error


def _attempt(table: Table, target_bytes: int, *, dry_run: bool) -> Compacted:
    table.refresh()
    metadata = table.metadata
    every = _planned(table)
    chosen = [worth for group in _groups(every).values() if (worth := _worth(group, target_bytes))]
    hit = [task for group in chosen for task in group]
    removed = copying.replaced(hit, every) | _dangling(metadata, table.io, every)
    deletes = sum(file.content is not DataFileContent.DATA for file in removed)
    if dry_run or not removed:
        return Compacted(len(every), len(every) - len(hit), deletes, None)
    added: list[DataFile] = []
    written: list[DataFiles] = []
    try:
        for group in chosen:
            files = DataFiles(metadata, table.io, target_bytes=target_bytes, buffer_bytes=_buffer(metadata))
            written.append(files)
            added += _rewrite(table, group, files)
        gained = len(added) < len(hit) or deletes > 0
        snapshot_id = _commit(table, Change(Operation.REPLACE, added, removed)) if gained else None
    except (*LOST, WrongStateError):
        _discard(written)
        raise
    if snapshot_id is None:  # the files are as large as they can be
        _discard(written)
        return Compacted(len(every), len(every), 0, None)
    return Compacted(len(every), len(every) - len(hit) + len(added), deletes, snapshot_id)


def _commit(table: Table, change: Change) -> int:
    transaction = table.transaction()
    snapshot_id = stage(transaction, change)
    transaction.commit_transaction()
    return snapshot_id


def _planned(table: Table) -> list[FileScanTask]:
    try:
        return copying.tasks_of(table.metadata, table.io)
    except ValueError as error:
        raise WrongStateError(
            "the table cannot be compacted",
            where=dotted(table.name()),
            why=str(error),
            remedy="compact it with the engine that wrote the deletes",
        ) from error


def _groups(tasks: Iterable[FileScanTask]) -> dict[tuple[int, Record], list[FileScanTask]]:
    groups: dict[tuple[int, Record], list[FileScanTask]] = defaultdict(list)
    for task in tasks:
        groups[task.file.spec_id, task.file.partition].append(task)
    return groups


def _worth(group: Sequence[FileScanTask], target_bytes: int) -> list[FileScanTask]:
    """The files of a partition that are rewritten: all with deletes, and the small ones when there are some."""
    small = [task for task in group if task.file.file_size_in_bytes < SMALL * target_bytes]
    marred = [task for task in group if task.delete_files]
    chosen = {task.file.file_path for task in marred}
    if len({task.file.file_path for task in small} | chosen) > 1:
        chosen |= {task.file.file_path for task in small}
    return [task for task in group if task.file.file_path in chosen]


def _dangling(metadata: TableMetadata, io: FileIO, tasks: Iterable[FileScanTask]) -> frozenset[DataFile]:
    """Delete files that apply to no data file any more."""
    applied = {delete for task in tasks for delete in task.delete_files}
    if int(_summary(metadata, "total-delete-files") or len(applied)) == len(applied):
        return frozenset()
    live = (entry.data_file for entry in live_entries(metadata, io))
    return frozenset(file for file in live if file.content is not DataFileContent.DATA and file not in applied)


def _summary(metadata: TableMetadata, name: str) -> str | None:
    snapshot = metadata.current_snapshot()
    return snapshot.summary[name] if snapshot is not None and snapshot.summary is not None else None


def _buffer(metadata: TableMetadata) -> int:
    order = metadata.sort_order_by_id(metadata.default_sort_order_id)
    return BUFFER_BYTES if order is None or order.is_unsorted else SORT_BYTES


def _rewrite(table: Table, group: Sequence[FileScanTask], files: DataFiles) -> list[DataFile]:
    """The new files of one partition, read once more and held against the rows of the old ones."""
    expected = sum(live_rows(table.io, task) for task in group)
    before, after = Checksum(), Checksum()
    files.write(before.passing(_rows(table, group)))
    added = files.close()
    for _ in after.passing(_rows(table, [FileScanTask(file) for file in added])):
        pass
    if before != after or before.rows != expected:
        raise WrongStateError(
            "the table is not compacted",
            where=dotted(table.name()),
            why=f"the new files would hold other rows than the old ones ({after.rows} for {expected})",
            remedy="nothing was changed; report it with the table's schema",
        )
    return added


def _rows(table: Table, tasks: Iterable[FileScanTask]) -> Iterator[Batch]:
    for task in tasks:
        yield from batches_of(table.metadata, table.io, task)


def _discard(written: Iterable[DataFiles]) -> None:
    for files in written:
        files.discard()
