"""One snapshot that adds files and takes others away, whole or not at all.

PyIceberg's own overwrite is two snapshots, the first of them without rows, and leaves delete files behind.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pyiceberg.exceptions import CommitFailedException, TableAlreadyExistsError, ValidationException
from pyiceberg.manifest import (
    DataFileContent,
    ManifestContent,
    ManifestEntry,
    ManifestEntryStatus,
    ManifestWriterV2,
)
from pyiceberg.table.refs import MAIN_BRANCH
from pyiceberg.table.snapshots import Operation, Snapshot, Summary
from pyiceberg.table.update import (
    AssertRefSnapshotId,
    RemoveSnapshotsUpdate,
    UpdatesAndRequirements,
    UpdateTableMetadata,
)
from pyiceberg.table.update.snapshot import _SnapshotProducer
from pyiceberg.utils.concurrent import ExecutorFactory

from floe_iceberg.internals import table_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pyiceberg.io import FileIO
    from pyiceberg.manifest import DataFile, ManifestFile, ManifestWriter
    from pyiceberg.table import Table, Transaction
    from pyiceberg.table.metadata import TableMetadata

LOST: Final = (CommitFailedException, TableAlreadyExistsError, ValidationException)
"""What is raised where a commit certainly did not happen, because somebody else's did."""


@dataclass(frozen=True)
class Change:
    """What a snapshot does.

    Attributes:
        operation: APPEND, OVERWRITE, or REPLACE where the rows stay the same.
        added: Data files, or delete files.
        removed: Data files and delete files, each of which the current snapshot must still have.
        properties: Noted on the snapshot.
    """

    operation: Operation
    added: Sequence[DataFile] = ()
    removed: frozenset[DataFile] = frozenset()
    properties: Mapping[str, str] = field(default_factory=dict)


def stage(transaction: Transaction, change: Change) -> int:
    """Put the change into the transaction; gives the id that its snapshot will have.

    The transaction's commit raises one of `LOST` as soon as the table has another snapshot than the change was made
    for; the caller plans anew.
    """
    producer = _Producer(transaction, table_of(transaction).io, change)
    producer.commit()
    return producer.snapshot_id


def live_entries(metadata: TableMetadata, io: FileIO) -> Iterator[ManifestEntry]:
    """Data files and delete files of the current snapshot."""
    snapshot = metadata.current_snapshot()
    for manifest in snapshot.manifests(io) if snapshot else ():
        yield from manifest.fetch_manifest_entry(io, discard_deleted=True)


class _Producer(_SnapshotProducer["_Producer"]):
    """Writes manifests and manifest list of the one snapshot."""

    def __init__(self, transaction: Transaction, io: FileIO, change: Change) -> None:
        super().__init__(change.operation, transaction, io, snapshot_properties=dict(change.properties))
        for added in change.added:
            self.append_data_file(added)
        for removed in change.removed:
            self.delete_data_file(removed)

    def _manifests(self) -> list[ManifestFile]:
        kept, gone = self._parents()
        return [*self._added(), *self._written(gone, ManifestEntryStatus.DELETED), *kept]

    def _deleted_entries(self) -> list[ManifestEntry]:
        return self._parents()[1]

    def _existing_manifests(self) -> list[ManifestFile]:
        return self._parents()[0]

    def _validate_concurrency(self) -> None:
        """Whoever planned this looked at another snapshot: let them look again."""
        if self._commit_window is not None and not self._commit_window.is_empty():
            raise ValidationException("the table has a new snapshot")

    def _summary(self, snapshot_properties: Mapping[str, str] | None = None) -> Summary:
        """PyIceberg counts the totals of an overwrite, and would refuse to count those of a replacement."""
        operation = self._operation
        if operation is not Operation.REPLACE:
            return super()._summary(dict(snapshot_properties or {}))
        self._operation = Operation.OVERWRITE
        counted = super()._summary(dict(snapshot_properties or {}))
        self._operation = operation
        return Summary(operation, **counted.additional_properties)

    def _parents(self) -> tuple[list[ManifestFile], list[ManifestEntry]]:
        """The manifests that stay, and the entries that go.

        Raises:
            ValidationException: A file that is to go is not there any more.
        """
        parent = self._parent()
        manifests = parent.manifests(self._io) if parent else []
        if not self._deleted_data_files:
            return [manifest for manifest in manifests if _has_files(manifest)], []
        read = ExecutorFactory.get_or_create().map(self.fetch_manifest_entry, manifests)
        kept: list[ManifestFile] = []
        gone: list[ManifestEntry] = []
        for manifest, entries in zip(manifests, read, strict=True):
            going = [entry for entry in entries if entry.data_file in self._deleted_data_files]
            staying = [entry for entry in entries if entry.data_file not in self._deleted_data_files]
            gone += going
            if not going and staying:
                kept.append(manifest)
            else:
                kept += self._written(staying, ManifestEntryStatus.EXISTING)
        missing = self._deleted_data_files - {entry.data_file for entry in gone}
        if missing:
            raise ValidationException(f"files are gone: {sorted(file.file_path for file in missing)}")
        return kept, gone

    def _parent(self) -> Snapshot | None:
        parent = self._parent_snapshot_id
        return self._transaction.table_metadata.snapshot_by_id(parent) if parent is not None else None

    def _added(self) -> list[ManifestFile]:
        entries = [
            ManifestEntry.from_args(
                status=ManifestEntryStatus.ADDED,
                snapshot_id=self._snapshot_id,
                sequence_number=None,
                file_sequence_number=None,
                data_file=data_file,
            )
            for data_file in self._added_data_files
        ]
        return self._written(entries, ManifestEntryStatus.ADDED)

    def _written(self, entries: Sequence[ManifestEntry], status: ManifestEntryStatus) -> list[ManifestFile]:
        groups: dict[tuple[int, bool], list[ManifestEntry]] = defaultdict(list)
        for entry in entries:
            groups[entry.data_file.spec_id, entry.data_file.content is DataFileContent.DATA].append(entry)
        manifests = []
        for (spec_id, data), group in groups.items():
            with self._writer(spec_id, data=data) as writer:
                note = {
                    ManifestEntryStatus.ADDED: writer.add,
                    ManifestEntryStatus.EXISTING: writer.existing,
                    ManifestEntryStatus.DELETED: writer.delete,
                }[status]
                for entry in group:
                    note(entry)
            manifests.append(writer.to_manifest_file())
        return manifests

    def _writer(self, spec_id: int, *, data: bool) -> ManifestWriter:
        if data:
            return self.new_manifest_writer(self.spec(spec_id))
        return _DeleteManifestWriter(
            self.spec(spec_id), self.schema(), self.new_manifest_output(), self._snapshot_id, self._compression
        )


class _DeleteManifestWriter(ManifestWriterV2):
    """PyIceberg writes manifests of data files only."""

    def content(self) -> ManifestContent:
        return ManifestContent.DELETES

    @property
    def _meta(self) -> dict[str, str]:
        return {**super()._meta, "content": "deletes"}


def _has_files(manifest: ManifestFile) -> bool:
    return manifest.has_added_files() or manifest.has_existing_files()


def remove_snapshots(table: Table, ids: Sequence[int]) -> None:
    """Make the catalog forget snapshots.

    Raises:
        CommitFailedException: A branch or a tag moved in between; whether the snapshots can go must be looked at again.
    """
    with table.transaction() as transaction:
        _Removal(transaction, ids).commit()


class _Removal(UpdateTableMetadata["_Removal"]):
    """PyIceberg's own expiry does not notice that somebody else moved a branch to what it removes."""

    def __init__(self, transaction: Transaction, ids: Sequence[int]) -> None:
        super().__init__(transaction)
        self._ids = list(ids)

    def _commit(self) -> UpdatesAndRequirements:
        refs = {name: ref.snapshot_id for name, ref in self._transaction.table_metadata.refs.items()}
        held = tuple(
            AssertRefSnapshotId.model_validate({"ref": name, "snapshot-id": snapshot_id})
            for name, snapshot_id in {MAIN_BRANCH: None, **refs}.items()
        )
        return (RemoveSnapshotsUpdate.model_validate({"snapshot-ids": self._ids}),), held
