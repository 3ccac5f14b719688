"""Old snapshots go, and the files that nothing else needs go with them.

First the catalog forgets the snapshots, then the files are removed: who is killed in between leaves files that no
snapshot names, and `orphans` finds those.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from floe_core.errors import UsageError
from pyiceberg.table.refs import MAIN_BRANCH, SnapshotRefType
from pyiceberg.table.snapshots import ancestors_of
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from floe_iceberg import places, reachability
from floe_iceberg.commits import LOST, remove_snapshots
from floe_iceberg.naming import dotted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pyiceberg.io import FileIO
    from pyiceberg.table import Table
    from pyiceberg.table.metadata import TableMetadata
    from pyiceberg.table.refs import SnapshotRef

    from floe_iceberg.reachability import Sizes

SAFETY: Final = timedelta(hours=24)
"""A file of a write that is under way is named by no snapshot either; none takes that long."""
ATTEMPTS: Final = 10
GC_ENABLED: Final = "gc.enabled"
"""Iceberg's table property; `false` says that others may need the table's files."""
_METADATA: Final = re.compile(r"(?P<table>.+)/metadata/[^/]+\.metadata\.json")


@dataclass(frozen=True)
class Expired:
    """What `expire` did, or would do.

    Attributes:
        snapshots: How many the table no longer has.
        files: How many files were removed: data, delete files, manifests, manifest lists, statistics, old metadata.
        bytes: Of these files.
    """

    snapshots: int
    files: int
    bytes: int


@dataclass(frozen=True)
class Orphans:
    """What `orphans` removed, or would remove.

    Attributes:
        files: Files below the table's location that no snapshot and no metadata name.
        bytes: Of these files.
    """

    files: int
    bytes: int


def expire(table: Table, *, older_than: datetime, keep_last: int, dry_run: bool = False) -> Expired:
    """Forget snapshots and remove the files that only they needed.

    A snapshot stays when it is the head of a branch, one of the `keep_last` last of a branch, not older than
    `older_than` in a branch, or when a tag names it; a branch's own `min-snapshots-to-keep` and `max-snapshot-age-ms`
    keep more and never less. The table's former metadata files stay by the same two measures. A table whose property
    `gc.enabled` is `false` keeps all.

    Args:
        table: Refreshed by this call.
        older_than: With a time zone.
        keep_last: At least 1.
        dry_run: Only count.

    Raises:
        UsageError: `keep_last` is less than 1, or `older_than` has no time zone.
        CommitFailedException: Others kept committing.
    """
    if keep_last < 1 or older_than.tzinfo is None:
        raise UsageError(
            "snapshots cannot expire that way",
            where=dotted(table.name()),
            why=f"keep_last is {keep_last}, older_than is {older_than}",
            remedy="keep at least one snapshot, and give a time with its zone",
        )
    attempts = Retrying(
        retry=retry_if_exception_type(LOST),
        stop=stop_after_attempt(ATTEMPTS),
        wait=wait_random_exponential(multiplier=0.05, max=2),
        reraise=True,
    )
    snapshots, files = attempts(_forget, table, int(older_than.timestamp() * 1000), keep_last, dry_run=dry_run)
    return Expired(snapshots, *_removed(table.io, files, dry_run=dry_run))


def orphans(table: Table, *, older_than: datetime | None = None, dry_run: bool = False) -> Orphans:
    """Remove files below the table's location that nothing names: what killed writers left behind.

    A table whose location lies inside of this one's keeps its files; so does a table whose property `gc.enabled` is
    `false`.

    Args:
        table: Refreshed by this call.
        older_than: Younger files stay; `SAFETY` ago when None. A later moment is safe only when nobody is writing.
        dry_run: Only count.
    """
    before = older_than or datetime.now(UTC) - SAFETY
    there = list(places.listing(table.io, table.location()))
    table.refresh()  # after the listing: what was committed in between is named by now
    metadata = table.metadata
    if not _may_remove(metadata):
        return Orphans(0, 0)
    inner = _inner_tables(metadata.location, there)
    old = [found for found in there if found.changed < before and not found.location.startswith(inner)]
    needed = reachability.metadata_files(metadata, table.metadata_location)
    needed |= reachability.of_snapshots(metadata, table.io, metadata.snapshots)
    lost: Sizes = {found.location: found.bytes for found in old if places.key_of(found.location) not in needed}
    return Orphans(*_removed(table.io, lost, dry_run=dry_run))


def _forget(table: Table, before_ms: int, keep_last: int, *, dry_run: bool) -> tuple[int, Sizes]:
    """The catalog's part; gives what can be removed after it."""
    table.refresh()
    metadata = table.metadata
    if not _may_remove(metadata):
        return 0, {}
    keep = set(_kept(metadata, before_ms, keep_last))
    doomed = [snapshot for snapshot in metadata.snapshots if snapshot.snapshot_id not in keep]
    kept = [snapshot for snapshot in metadata.snapshots if snapshot.snapshot_id in keep]
    files = reachability.only_of(metadata, table.io, doomed, kept) if doomed else {}
    files.update(dict.fromkeys(_old_metadata(metadata, before_ms, keep_last)))
    if doomed and not dry_run:
        remove_snapshots(table, [snapshot.snapshot_id for snapshot in doomed])
    return len(doomed), files


def _may_remove(metadata: TableMetadata) -> bool:
    return metadata.properties.get(GC_ENABLED, "true").lower() != "false"


def _inner_tables(location: str, there: Iterable[places.Found]) -> tuple[str, ...]:
    """Locations of other tables below this one's: a namespace and a table beside it may have the same name."""
    own = location.rstrip("/")
    homes = {match["table"] for found in there if (match := _METADATA.fullmatch(found.location))}
    return tuple(f"{home}/" for home in sorted(homes) if home != own)


def _kept(metadata: TableMetadata, before_ms: int, keep_last: int) -> Iterator[int]:
    for name, ref in metadata.refs.items():
        yield ref.snapshot_id
        if ref.snapshot_ref_type is SnapshotRefType.BRANCH or name == MAIN_BRANCH:
            yield from _of_branch(metadata, ref, before_ms, keep_last)


def _of_branch(metadata: TableMetadata, ref: SnapshotRef, before_ms: int, keep_last: int) -> Iterator[int]:
    least = max(keep_last, ref.min_snapshots_to_keep or 1)
    if ref.max_snapshot_age_ms is not None:
        before_ms = min(before_ms, int(datetime.now(UTC).timestamp() * 1000) - ref.max_snapshot_age_ms)
    for position, snapshot in enumerate(ancestors_of(metadata.snapshot_by_id(ref.snapshot_id), metadata)):
        if position < least or snapshot.timestamp_ms >= before_ms:
            yield snapshot.snapshot_id


def _old_metadata(metadata: TableMetadata, before_ms: int, keep_last: int) -> Iterable[str]:
    log = sorted(metadata.metadata_log, key=lambda entry: entry.timestamp_ms)
    return [entry.metadata_file for entry in log[:-keep_last] if entry.timestamp_ms < before_ms]


def _removed(io: FileIO, files: Sizes, *, dry_run: bool) -> tuple[int, int]:
    """How many of the files were there, and how many bytes they had."""

    def one(location: str) -> int | None:
        known = files[location]
        found = known if known is not None else places.size(io, location)
        if found is None or dry_run or places.remove(io, location):
            return found
        return None

    sizes = [found for found in places.together(one, files) if found is not None]
    return len(sizes), sum(sizes)
