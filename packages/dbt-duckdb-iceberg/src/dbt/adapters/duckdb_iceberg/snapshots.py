"""The snapshot that replaces all files of a table. What PyIceberg keeps private and this adapter needs is here only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyiceberg.manifest import DataFileContent, ManifestEntry, ManifestEntryStatus
from pyiceberg.schema import Schema
from pyiceberg.table.snapshots import Operation
from pyiceberg.table.update import AddSchemaUpdate, AssertCurrentSchemaId, SetCurrentSchemaUpdate
from pyiceberg.table.update.snapshot import _SnapshotProducer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pyiceberg.io import FileIO
    from pyiceberg.manifest import DataFile, ManifestFile
    from pyiceberg.table import Transaction


class ReplaceFiles(_SnapshotProducer["ReplaceFiles"]):
    """Drops every file of the table, deletes included, and adds the new ones.

    Whoever committed meanwhile is replaced too: the last build of a model holds.
    """

    def _existing_manifests(self) -> list[ManifestFile]:
        return []

    def _deleted_entries(self) -> list[ManifestEntry]:
        snapshot = self._transaction.table_metadata.snapshot_by_name(self._target_branch)
        entries = [
            entry
            for manifest in (snapshot.manifests(self._io) if snapshot else ())
            for entry in self.fetch_manifest_entry(manifest)
        ]
        self._deleted_data_files = {entry.data_file for entry in entries}  # the summary counts them
        return [
            ManifestEntry.from_args(
                status=ManifestEntryStatus.DELETED,
                snapshot_id=self._snapshot_id,
                sequence_number=entry.sequence_number,
                file_sequence_number=entry.file_sequence_number,
                data_file=entry.data_file,
            )
            for entry in entries
            if entry.data_file.content == DataFileContent.DATA
        ]

    def _refresh_for_retry(self) -> None:
        self._deleted_data_files = set()
        super()._refresh_for_retry()

    def _validate_concurrency(self) -> None:
        """No commit of others stands in the way of a replacement."""


def stage_files(transaction: Transaction, files: Iterable[DataFile], properties: Mapping[str, str]) -> int:
    """Put the replacing snapshot into the transaction; the id that it will have."""
    operation = Operation.OVERWRITE if transaction.table_metadata.current_snapshot() else Operation.APPEND
    snapshot = ReplaceFiles(operation, transaction, file_io(transaction), snapshot_properties=dict(properties))
    for file in files:
        snapshot.append_data_file(file)
    snapshot.commit()
    return snapshot.snapshot_id


def stage_schema(transaction: Transaction, schema: Schema) -> None:
    """Make it the table's schema, in the transaction."""
    metadata = transaction.table_metadata
    known = next((held.schema_id for held in metadata.schemas if held.as_struct() == schema.as_struct()), None)
    number = max(held.schema_id for held in metadata.schemas) + 1 if known is None else known
    fresh = Schema(*schema.fields, schema_id=number)
    added = (AddSchemaUpdate.model_validate({"schema": fresh}),) if known is None else ()
    # update_schema() cannot give a name to a new column that an old one has
    transaction._apply(  # noqa: SLF001
        (*added, SetCurrentSchemaUpdate.model_validate({"schema-id": number})),
        (AssertCurrentSchemaId.model_validate({"current-schema-id": metadata.current_schema_id}),),
    )


def file_io(transaction: Transaction) -> FileIO:
    """How the table's files are reached; also of a table that is about to be made."""
    return transaction._table.io  # noqa: SLF001 - a transaction does not tell it
