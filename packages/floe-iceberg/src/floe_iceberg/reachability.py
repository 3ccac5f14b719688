"""Which files a snapshot needs: manifest list, manifests, data files, delete files, statistics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from floe_iceberg.places import key_of, together

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pyiceberg.io import FileIO
    from pyiceberg.manifest import ManifestFile
    from pyiceberg.table.metadata import TableMetadata
    from pyiceberg.table.snapshots import Snapshot

Sizes = dict[str, int | None]
"""Bytes by location; None where no metadata tell them."""


def metadata_files(metadata: TableMetadata, current: str) -> set[str]:
    """The table's metadata as it is and as its log remembers it, as keys of `places.key_of`."""
    return {key_of(current), *(key_of(entry.metadata_file) for entry in metadata.metadata_log)}


def of_snapshots(metadata: TableMetadata, io: FileIO, snapshots: Iterable[Snapshot]) -> set[str]:
    """Keys of all files that the snapshots need."""
    chosen = list(snapshots)
    manifests = manifests_of(io, chosen)
    found = {key_of(place) for place in [*own_files(metadata, chosen), *manifests]}
    for sizes in together(lambda manifest: _sizes(io, manifest), manifests.values()):
        found.update(key_of(location) for location in sizes)
    return found


def only_of(metadata: TableMetadata, io: FileIO, doomed: list[Snapshot], kept: list[Snapshot]) -> Sizes:
    """Files that only the doomed snapshots need, in the order in which they can go: data before what names them."""
    going = manifests_of(io, doomed)
    staying = manifests_of(io, kept)
    left = [manifest for place, manifest in going.items() if place not in staying]
    data: Sizes = {}
    for sizes in together(lambda manifest: _sizes(io, manifest), left):
        data.update(sizes)
    for sizes in together(lambda manifest: _sizes(io, manifest), staying.values() if data else ()):
        for location in sizes:
            data.pop(location, None)
    shared = set(own_files(metadata, kept))
    own: Sizes = {place: None for place in own_files(metadata, doomed) if place not in shared}
    return {**data, **{manifest.manifest_path: manifest.manifest_length for manifest in left}, **own}


def manifests_of(io: FileIO, snapshots: Iterable[Snapshot]) -> dict[str, ManifestFile]:
    """The manifests of some snapshots, each once, by location."""
    lists = together(lambda snapshot: snapshot.manifests(io), snapshots)
    return {manifest.manifest_path: manifest for manifests in lists for manifest in manifests}


def own_files(metadata: TableMetadata, snapshots: Iterable[Snapshot]) -> Iterator[str]:
    """Manifest lists and statistics."""
    ids = set()
    for snapshot in snapshots:
        ids.add(snapshot.snapshot_id)
        yield snapshot.manifest_list
    for statistics in [*metadata.statistics, *metadata.partition_statistics]:
        if statistics.snapshot_id in ids:
            yield statistics.statistics_path


def _sizes(io: FileIO, manifest: ManifestFile) -> Sizes:
    """What readers of the manifest read; a file that its snapshot deleted is read by older snapshots at most."""
    entries = manifest.fetch_manifest_entry(io, discard_deleted=True)
    return {entry.data_file.file_path: entry.data_file.file_size_in_bytes for entry in entries}
