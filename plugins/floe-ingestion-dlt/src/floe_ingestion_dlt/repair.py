"""What a killed load leaves, undone: rows and files of loads that were never completed.

dlt marks a load as complete after its last job, and its state (the cursors) counts from that moment. A load that was
killed has written some rows of tables that are appended to; resuming it could write them twice, and dropping it would
lose what its state had already passed. So every load starts from the destination's own state, and rows of
loads that are not complete are taken away first. Tables that are replaced or merged need nothing: doing it again
gives the same rows.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

LOADS, STATE, LOAD_ID = "_dlt_loads", "_dlt_pipeline_state", "_dlt_load_id"
_DELETE = 'delete from "{dataset}"."{table}" where _dlt_load_id not in (select load_id from "{dataset}"._dlt_loads)'
_PARQUET = re.compile(r"(\d+\.\d+)\.[^.]+\.parquet\Z")


def database(path: Path, dataset: str, tables: Iterable[str]) -> int:
    """Take away rows of incomplete loads from a DuckDB file; how many there were."""
    if not path.exists():
        return 0
    import duckdb

    with duckdb.connect(str(path)) as connection:
        found = connection.execute(
            "select table_name, column_name from information_schema.columns "
            "where table_catalog = current_database() and table_schema = ?",
            [dataset],
        ).fetchall()
        if LOADS not in {table for table, _column in found}:
            return 0  # killed while it made its tables, which is before the first row
        wanted = {str(table) for table, column in found if column == LOAD_ID} & {*tables, STATE}
        removed = 0
        connection.begin()
        for table in sorted(wanted):
            # Names are checked by their models: lower-case letters, digits and underscores.
            counted = connection.execute(_DELETE.format(dataset=dataset, table=table)).fetchone()
            removed += counted[0] if counted and table != STATE else 0
        connection.commit()
    return removed


def files(store: Any, url: str, dataset: str, tables: Iterable[str]) -> int:
    """Take away files of incomplete loads below `url` in the fsspec file system `store`; how many there were.

    Here the state is written just before the mark of completion, so either of them tells that all jobs were done.
    """
    root = store._strip_protocol(url)  # noqa: SLF001 - fsspec's only way from a URL to a path
    store.invalidate_cache()
    complete = {
        part
        for folder in (LOADS, STATE)
        for path in _listed(store, f"{root}/{dataset}/{folder}")
        for part in path.rpartition("/")[2].removesuffix(".jsonl").split("__")[1:2]
    }
    removed = 0
    for table in tables:
        for path in _listed(store, f"{root}/{dataset}/{table}"):
            named = _PARQUET.search(path)
            if named and named[1] not in complete:
                store.rm_file(path)
                removed += 1
    return removed


def _listed(store: Any, folder: str) -> list[str]:
    try:
        return [str(path) for path in store.ls(folder, detail=False)]
    except FileNotFoundError:
        return []
