"""All that a table needs from time to time, for every table of a namespace."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from floe_core.errors import WrongStateError
from floe_core.plugins import Maintained
from floe_core.telemetry import span

from floe_iceberg import compaction, retention
from floe_iceberg.datafiles import target_of
from floe_iceberg.naming import dotted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from floe_core.plugins import Keeping
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table


def tables_in(catalog: Catalog, namespace: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Every table of a namespace and of the namespaces in it, by name.

    Raises:
        NoSuchNamespaceError: There is none of that name.
    """
    yield from sorted(catalog.list_tables(namespace))
    for inner in sorted(catalog.list_namespaces(namespace)):
        if len(inner) > len(namespace):
            yield from tables_in(catalog, inner)


def maintain(
    catalog: Catalog, namespace: tuple[str, ...], keeping: Keeping, *, dry_run: bool = False
) -> Iterator[Maintained]:
    """Tend the tables one after the other; gives each as it is done.

    Merging comes first: the snapshot before it expires in the same round where `keeping` lets it.

    Raises:
        NoSuchNamespaceError: There is none of that name.
        WrongStateError: A table cannot be tended; names the first. All the others are done.
    """
    failure: WrongStateError | None = None
    for identifier in tables_in(catalog, namespace):
        name = dotted(identifier)
        try:
            with span(f"iceberg maintain {identifier[-1]}", **{"iceberg.table": name}):
                done = _tended(catalog.load_table(identifier), name, keeping, dry_run=dry_run)
        except WrongStateError as error:
            failure = failure or error
            continue
        yield done
    if failure is not None:
        raise failure


def _tended(table: Table, name: str, keeping: Keeping, *, dry_run: bool) -> Maintained:
    began = time.monotonic()
    merged = compaction.compact(table, target_bytes=target_of(table.metadata), dry_run=dry_run)
    expired = retention.expire(table, older_than=keeping.older_than, keep_last=keeping.snapshots, dry_run=dry_run)
    lost = retention.orphans(table, dry_run=dry_run)
    return Maintained(
        table=name,
        files_before=merged.files_before,
        files_after=merged.files_after,
        deletes=merged.deletes_removed,
        snapshots=expired.snapshots,
        files=expired.files,
        lost_files=lost.files,
        bytes=expired.bytes + lost.bytes,
        seconds=time.monotonic() - began,
    )
