"""How many rows a table has, without reading them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from floe_core.errors import WrongStateError

from floe_iceberg.copying import tasks_of
from floe_iceberg.internals import live_rows
from floe_iceberg.naming import dotted

if TYPE_CHECKING:
    from pyiceberg.table import Table


def rows_in(table: Table) -> int:
    """The rows that a reader of the table's current snapshot gets.

    A snapshot's summary has the rows of its data files (`total-records` of Iceberg's specification, "Optional Snapshot
    Summary Fields"), also those that position deletes take away: where there are any, or where the summary does not
    say, the delete files are read, and of data files only what the manifests tell.

    Raises:
        WrongStateError: The table has deletes that PyIceberg cannot read.
    """
    snapshot = table.current_snapshot()
    if snapshot is None:
        return 0
    summary = snapshot.summary
    if summary is not None and summary["total-delete-files"] == "0" and summary["total-records"] is not None:
        return int(summary["total-records"])
    try:
        return sum(live_rows(table.io, task) for task in tasks_of(table.metadata, table.io))
    except ValueError as error:
        raise WrongStateError(
            "the table's rows cannot be counted",
            where=dotted(table.name()),
            why=str(error),
            remedy="compact it with the engine that wrote the deletes",
        ) from error
