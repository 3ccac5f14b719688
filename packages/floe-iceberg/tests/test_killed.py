"""Whoever is killed in the middle of something leaves a whole table, and nothing that is not found again."""

from __future__ import annotations

import random
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa  # type: ignore[import-untyped] # the wheel carries no types
import pytest
from floe_iceberg import compaction, retention, versions
from floe_iceberg.places import key_of
from floe_iceberg.reachability import of_snapshots
from floe_iceberg.testing import delete_positions
from floe_iceberg.writing import WriteMode, write

if TYPE_CHECKING:
    from pathlib import Path

    from pyiceberg.catalog.sql import SqlCatalog

NAME = ("shop", "orders")
KILLS = 3
CHILD = """
import sys
from datetime import UTC, datetime, timedelta
import pyarrow as pa
from floe_iceberg import compaction, retention
from floe_iceberg.writing import WriteMode, write
from pyiceberg.catalog.sql import SqlCatalog

folder, work = sys.argv[1:]
catalog = SqlCatalog("test", uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}/warehouse")
name = ("shop", "orders")
table = catalog.load_table(name)
print("ready", flush=True)
while True:
    if work == "write":
        write(catalog, name, pa.table({"id": range(20), "load": [7] * 20}), mode=WriteMode.OVERWRITE)
    else:
        for start in range(0, 20, 5):
            rows = pa.table({"id": range(start, start + 5), "load": [7] * 5})
            write(catalog, name, rows, mode=WriteMode.UPSERT, keys=["id"])
        if work == "compact":
            compaction.compact(table, target_bytes=2**20)
        else:
            retention.expire(table, older_than=datetime.now(UTC) + timedelta(hours=1), keep_last=1)
"""


def killed(folder: Path, work: str, after_s: float) -> None:
    """Let a child work, and kill it some time after it began."""
    words = [sys.executable, "-c", CHILD, str(folder), work]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n", child.stderr and child.stderr.read()
            with pytest.raises(subprocess.TimeoutExpired):
                child.wait(after_s)
        finally:
            child.kill()


@pytest.mark.parametrize("work", ["write", "compact", "expire"])
def test_kill_9_leaves_a_whole_table(catalog: SqlCatalog, tmp_path: Path, work: str) -> None:
    for start in range(0, 20, 5):
        rows = pa.table({"id": range(start, start + 5), "load": [7] * 5})
        write(catalog, NAME, rows, mode=WriteMode.APPEND)
    table = catalog.load_table(NAME)
    tagged = versions.tag(table, "v1")
    delete_positions(table, {3})
    write(catalog, NAME, pa.table({"id": [3], "load": [7]}), mode=WriteMode.APPEND)
    chance = random.Random(work)  # noqa: S311 # nosec B311 - moments, no secrets
    for _ in range(KILLS):
        killed(tmp_path, work, chance.uniform(0.05, 0.8))
        table.refresh()
        assert ids(table) == list(range(20))
        assert ids(table, snapshot_id=tagged) == list(range(20))
    soon = datetime.now(UTC) + timedelta(hours=1)
    compaction.compact(table, target_bytes=2**20)
    retention.expire(table, older_than=soon, keep_last=1)
    retention.orphans(table, older_than=soon)
    assert ids(table.refresh()) == list(range(20))
    assert ids(table, snapshot_id=tagged) == list(range(20))
    on_disk = {str(path) for path in (tmp_path / "warehouse/shop/orders").rglob("*") if path.is_file()}
    needed = of_snapshots(table.metadata, table.io, table.snapshots())
    logged = {key_of(entry.metadata_file) for entry in table.metadata.metadata_log}
    assert needed <= on_disk
    assert on_disk - needed - logged == {key_of(table.metadata_location)}


def ids(table: Any, **where: Any) -> list[int]:
    return sorted(table.scan(**where).to_arrow()["id"].to_pylist())
