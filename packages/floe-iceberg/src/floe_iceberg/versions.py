"""Names for snapshots: what a product's version was made of stays readable under its tag."""

from __future__ import annotations

from typing import TYPE_CHECKING

from floe_core.errors import WrongStateError
from pyiceberg.table.refs import SnapshotRefType

from floe_iceberg.naming import dotted

if TYPE_CHECKING:
    from pyiceberg.table import Table


def tag(table: Table, name: str, *, snapshot_id: int | None = None, move: bool = False) -> int:
    """Name a snapshot, by default the current one; gives its id. Naming it again changes nothing.

    Args:
        table: The table, refreshed by this call.
        name: For example `v1.0.0`.
        snapshot_id: Which snapshot; the current one when None.
        move: Whether a tag that is there may leave its snapshot for this one.

    Raises:
        WrongStateError: The table has no such snapshot, the tag names another one and may not move, or a branch has
            that name.
    """
    table.refresh()
    target = _snapshot(table, snapshot_id)
    held = table.refs().get(name)
    if held is not None and held.snapshot_ref_type is not SnapshotRefType.TAG:
        raise _refused(table, name, "a branch has that name", "choose another name")
    if held is not None and held.snapshot_id == target:
        return target
    if held is not None and not move:
        why = f"it names snapshot {held.snapshot_id}, and the one to be named is {target}"
        raise _refused(table, name, why, "give the product a new version, or say that the tag may move")
    table.manage_snapshots().create_tag(target, name).commit()
    return target


def tags(table: Table) -> dict[str, int]:
    """Snapshot ids by the names of the table's tags, sorted by name."""
    refs = sorted(table.refs().items())
    return {name: ref.snapshot_id for name, ref in refs if ref.snapshot_ref_type is SnapshotRefType.TAG}


def _snapshot(table: Table, snapshot_id: int | None) -> int:
    found = table.current_snapshot() if snapshot_id is None else table.snapshot_by_id(snapshot_id)
    if found is None:
        missing = "no snapshot yet" if snapshot_id is None else f"no snapshot {snapshot_id}"
        raise WrongStateError(
            "there is nothing to tag",
            where=dotted(table.name()),
            why=f"the table has {missing}",
            remedy="write rows into it first, or name a snapshot that it has",
        )
    return found.snapshot_id


def _refused(table: Table, name: str, why: str, remedy: str) -> WrongStateError:
    return WrongStateError(f"the tag {name} stays where it is", where=dotted(table.name()), why=why, remedy=remedy)
