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
    from collections.abc import Iterable, Mapping
    from pathlib import Path

LOADS, STATE, LOAD_ID = "_dlt_loads", "_dlt_pipeline_state", "_dlt_load_id"
_PARQUET = re.compile(r"(\d+\.\d+)\.[^.]+\.parquet\Z")


def database(path: Path, dataset: str, tables: Iterable[str]) -> int:
    """Take away rows of incomplete loads from a DuckDB file; how many there were."""
    if not path.exists():
        return 0
    import duckdb

    with duckdb.connect(str(path)) as connection:
        ours = connection.execute(
            "select table_name from information_schema.columns where table_catalog = current_database() "
            "and table_schema = ? and column_name = ?",
            [dataset, LOAD_ID],
        ).fetchall()
        wanted = {str(name) for (name,) in ours} & {*tables, STATE}
        removed = 0
        connection.begin()
        for table in sorted(wanted):
            # Names are checked by their models: lower-case letters, digits and underscores.
            where = f'"{dataset}"."{table}" where {LOAD_ID} not in (select load_id from "{dataset}".{LOADS})'
            counted = connection.execute(f"select count(*) from {where}").fetchone()  # noqa: S608 # nosec B608 - names are checked
            connection.execute(f"delete from {where}")  # noqa: S608 # nosec B608 - names are checked
            removed += counted[0] if counted and table != STATE else 0
        connection.commit()
    return removed


def files(url: str, options: Mapping[str, Any], dataset: str, tables: Iterable[str]) -> int:
    """Take away files of incomplete loads below `url`; how many there were.

    Here the state is written just before the mark of completion, so either of them tells that all jobs were done.
    """
    from fsspec.core import url_to_fs

    store, root = url_to_fs(url, **options)
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
