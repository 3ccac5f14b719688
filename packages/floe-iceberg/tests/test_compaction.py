"""Files are merged and deletes applied; the rows stay the same, and so do those that others add meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa  # type: ignore[import-untyped] # the wheel carries no types
import pytest
from floe_core.errors import WrongStateError
from floe_iceberg import compaction
from floe_iceberg.compaction import Compacted, compact
from floe_iceberg.datafiles import MIB
from floe_iceberg.testing import delete_positions
from floe_iceberg.writing import WriteMode, write
from pyiceberg.table import FileScanTask
from pyiceberg.table.snapshots import Operation
from pyiceberg.transforms import IdentityTransform

if TYPE_CHECKING:
    from pathlib import Path

    from pyiceberg.catalog.sql import SqlCatalog
    from pyiceberg.table import Table

NAME = ("shop", "orders")


def orders(*ids: int) -> Any:
    return pa.table({"id": pa.array(ids, pa.int64()), "part": [i % 2 for i in ids]})


@pytest.fixture
def table(catalog: SqlCatalog) -> Table:
    """Four loads into two partitions; some rows are deleted by position."""
    for start in range(0, 16, 4):
        write(catalog, NAME, orders(*range(start, start + 4)), mode=WriteMode.APPEND, partition_by=["part"])
    loaded = catalog.load_table(NAME)
    assert delete_positions(loaded, {0, 1, 6}) == 3
    return loaded


KEPT = sorted(set(range(16)) - {0, 1, 6})


def ids(table: Table) -> list[int]:
    return sorted(table.refresh().scan().to_arrow()["id"].to_pylist())


def test_each_partition_becomes_one_file_without_deletes(table: Table) -> None:
    assert ids(table) == KEPT
    done = compact(table, target_bytes=MIB)
    assert (done.files_before, done.files_after, done.deletes_removed) == (8, 2, 3)
    assert ids(table) == KEPT
    tasks = list(table.scan().plan_files())
    assert sorted(task.file.record_count for task in tasks) == [6, 7]
    assert not any(task.delete_files for task in tasks)
    snapshot = table.current_snapshot()
    assert snapshot is not None
    assert snapshot.snapshot_id == done.snapshot_id
    summary = snapshot.summary
    assert summary is not None
    assert summary.operation is Operation.REPLACE
    expected = {"total-records": "13", "total-data-files": "2", "total-delete-files": "0", "added-records": "13"}
    assert {name: summary[name] for name in expected} == expected
    assert compact(table, target_bytes=MIB) == Compacted(2, 2, 0, None)


def test_a_dry_run_says_what_would_be_rewritten(table: Table) -> None:
    before = table.metadata_location
    assert compact(table, target_bytes=MIB, dry_run=True) == Compacted(8, 0, 3, None)
    assert table.refresh().metadata_location == before


def test_large_files_stay_and_a_single_small_one_too(catalog: SqlCatalog) -> None:
    for start in range(3):
        write(catalog, NAME, orders(start), mode=WriteMode.APPEND)
    assert compact(catalog.load_table(NAME), target_bytes=1).snapshot_id is None
    write(catalog, NAME, orders(9), mode=WriteMode.OVERWRITE)
    assert compact(catalog.load_table(NAME), target_bytes=MIB).snapshot_id is None


def test_the_new_files_are_near_the_target(catalog: SqlCatalog, tmp_path: Path) -> None:
    noise = [bytes(str(hash((i, "x"))), "ascii") * 40 for i in range(3000)]
    for start in range(0, 3000, 300):
        rows = pa.table({"id": range(start, start + 300), "noise": noise[start : start + 300]})
        write(catalog, NAME, rows, mode=WriteMode.APPEND)
    table = catalog.load_table(NAME)
    one = max(path.stat().st_size for path in tmp_path.rglob("*.parquet"))
    done = compact(table, target_bytes=one * 20)
    assert done.files_after == 1
    assert ids(table) == list(range(3000))


def test_files_of_older_columns_are_merged_in_the_present_ones(catalog: SqlCatalog) -> None:
    write(catalog, NAME, pa.table({"id": pa.array([1], pa.int32()), "gone": ["g"]}), mode=WriteMode.APPEND)
    write(catalog, NAME, pa.table({"fresh": ["f"], "id": pa.array([2**40], pa.int64())}), mode=WriteMode.APPEND)
    table = catalog.load_table(NAME)
    assert compact(table, target_bytes=MIB).files_after == 1
    rows = sorted(table.refresh().scan().to_arrow().to_pylist(), key=lambda row: int(row["id"]))
    assert rows == [{"id": 1, "gone": "g", "fresh": None}, {"id": 2**40, "gone": None, "fresh": "f"}]


def test_the_sort_order_is_kept(catalog: SqlCatalog) -> None:
    write(catalog, NAME, orders(5, 1), mode=WriteMode.APPEND)
    table = catalog.load_table(NAME)
    with table.update_sort_order() as update:
        update.asc("id", IdentityTransform())
    write(catalog, NAME, orders(3, 7, 2), mode=WriteMode.APPEND)
    compact(table, target_bytes=MIB)
    assert table.refresh().scan().to_arrow()["id"].to_pylist() == [1, 2, 3, 5, 7]


def test_rows_that_others_add_meanwhile_stay(
    catalog: SqlCatalog, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits = interrupt(monkeypatch, lambda: write(catalog, NAME, orders(100), mode=WriteMode.APPEND))
    assert compact(table, target_bytes=MIB).files_after == 2
    assert commits == [1, 2]
    assert ids(table) == [*KEPT, 100]


def test_rows_that_others_delete_meanwhile_stay_deleted(
    catalog: SqlCatalog, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits = interrupt(monkeypatch, lambda: delete_positions(catalog.load_table(NAME), {15}))
    compact(table, target_bytes=MIB)
    assert commits == [1, 2]
    assert ids(table) == KEPT[:-1]


def interrupt(monkeypatch: pytest.MonkeyPatch, other: Any) -> list[int]:
    """Lets somebody else commit between the first attempt's plan and its commit; gives the attempts as they come."""
    real, seen = compaction._commit, list[int]()

    def commit(*words: Any) -> int:
        seen.append(len(seen) + 1)
        if len(seen) == 1:
            other()
        return real(*words)

    monkeypatch.setattr(compaction, "_commit", commit)
    return seen


def lossy(real: Any, table: Table, tasks: Any) -> Any:
    """Loses the first row of each new file."""
    chosen = list(tasks)
    batches = real(table, chosen)
    return (batch.slice(1) for batch in batches) if len(chosen) == 1 else batches


def forgetful(real: Any, table: Table, tasks: Any) -> Any:
    """Forgets what is deleted."""
    return real(table, [FileScanTask(task.file) for task in tasks])


@pytest.mark.parametrize("wrong", [lossy, forgetful])
def test_new_files_with_other_rows_are_never_committed(
    table: Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: Any
) -> None:
    real = compaction._rows
    before, on_disk = table.metadata_location, sorted(tmp_path.rglob("*.parquet"))
    monkeypatch.setattr(compaction, "_rows", lambda *words: wrong(real, *words))
    with pytest.raises(WrongStateError, match="not compacted"):
        compact(table, target_bytes=MIB)
    assert table.refresh().metadata_location == before
    assert sorted(tmp_path.rglob("*.parquet")) == on_disk
