"""What expires leaves the disk, and nothing else does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa  # type: ignore[import-untyped] # the wheel carries no types
import pytest
from floe_core.errors import UsageError
from floe_iceberg import retention, versions
from floe_iceberg.retention import Expired, Orphans
from floe_iceberg.writing import WriteMode, write

if TYPE_CHECKING:
    from pathlib import Path

    from pyiceberg.catalog.sql import SqlCatalog
    from pyiceberg.table import Table

NAME = ("shop", "orders")
SOON = timedelta(hours=1)


@pytest.fixture
def table(catalog: SqlCatalog) -> Table:
    """Five snapshots: each replaces all rows."""
    for number in range(5):
        write(catalog, NAME, pa.table({"id": [number]}), mode=WriteMode.OVERWRITE)
    return catalog.load_table(NAME)


def files(folder: Path, kind: str) -> set[Path]:
    return set((folder / "warehouse/shop/orders").rglob(kind))


def ids(table: Table, snapshot: Any) -> list[int]:
    return list(table.scan(snapshot_id=snapshot.snapshot_id).to_arrow()["id"].to_pylist())


def test_old_snapshots_go_with_their_files(table: Table, tmp_path: Path) -> None:
    before = {kind: files(tmp_path, kind) for kind in ("*.parquet", "*.avro", "*.json")}
    sizes = {path: path.stat().st_size for paths in before.values() for path in paths}
    done = retention.expire(table, older_than=datetime.now(UTC) + SOON, keep_last=2)
    after = {kind: files(tmp_path, kind) for kind in before}
    gone = [path for kind in before for path in before[kind] - after[kind]]
    assert done == Expired(3, len(gone), sum(sizes[path] for path in gone))
    assert len(after["*.parquet"]) == 2
    assert [ids(table, snapshot) for snapshot in table.snapshots()] == [[3], [4]]
    again = retention.expire(table, older_than=datetime.now(UTC) + SOON, keep_last=2)
    assert again.snapshots == 0
    assert files(tmp_path, "*.parquet") == after["*.parquet"]


def test_snapshots_that_are_young_enough_stay(table: Table, tmp_path: Path) -> None:
    third = sorted(table.snapshots(), key=lambda snapshot: snapshot.timestamp_ms)[2]
    moment = datetime.fromtimestamp(third.timestamp_ms / 1000, UTC)
    assert retention.expire(table, older_than=moment, keep_last=1).snapshots == 2
    assert len(files(tmp_path, "*.parquet")) == 3
    assert retention.expire(table, older_than=datetime.now(UTC) - SOON, keep_last=1) == Expired(0, 0, 0)


def test_what_a_tag_or_a_branch_holds_stays(table: Table) -> None:
    first, second, *_ = sorted(table.snapshots(), key=lambda snapshot: snapshot.timestamp_ms)
    versions.tag(table, "v1", snapshot_id=first.snapshot_id)
    table.manage_snapshots().create_branch(second.snapshot_id, "audit").commit()
    assert retention.expire(table, older_than=datetime.now(UTC) + SOON, keep_last=1).snapshots == 2
    retention.orphans(table, older_than=datetime.now(UTC) + SOON)
    assert ids(table, first) == [0]
    assert ids(table, second) == [1]


def test_a_file_that_two_snapshots_share_stays_for_the_younger(catalog: SqlCatalog, tmp_path: Path) -> None:
    for number in range(3):
        write(catalog, NAME, pa.table({"id": [number]}), mode=WriteMode.APPEND)
    table = catalog.load_table(NAME)
    assert retention.expire(table, older_than=datetime.now(UTC) + SOON, keep_last=1).snapshots == 2
    assert sorted(table.scan().to_arrow()["id"].to_pylist()) == [0, 1, 2]
    assert len(files(tmp_path, "*.parquet")) == 3


def test_a_branch_that_keeps_its_snapshots_longer_keeps_them(table: Table) -> None:
    second = sorted(table.snapshots(), key=lambda snapshot: snapshot.timestamp_ms)[1]
    age = int(timedelta(days=1).total_seconds() * 1000)
    table.manage_snapshots().create_branch(second.snapshot_id, "audit", max_snapshot_age_ms=age).commit()
    assert retention.expire(table, older_than=datetime.now(UTC) + SOON, keep_last=1).snapshots == 2
    assert len(table.snapshots()) == 3


@pytest.mark.parametrize("said", ["false", "FALSE"])
def test_a_table_whose_files_others_may_need_keeps_all(table: Table, tmp_path: Path, said: str) -> None:
    lost = tmp_path / "warehouse/shop/orders/data/lost.parquet"
    lost.write_bytes(b"lost")
    with table.transaction() as change:
        change.set_properties({"gc.enabled": said})
    before, soon = files(tmp_path, "*"), datetime.now(UTC) + SOON
    assert retention.expire(table, older_than=soon, keep_last=1) == Expired(0, 0, 0)
    assert retention.orphans(table, older_than=soon) == Orphans(0, 0)
    assert files(tmp_path, "*") == before


def test_a_table_inside_of_the_table_keeps_its_files(catalog: SqlCatalog, table: Table, tmp_path: Path) -> None:
    """The namespace `shop.orders` and the table `shop.orders`: catalogs give both the same location."""
    place = f"file://{tmp_path}/warehouse/shop/orders/data"
    inner = catalog.create_table(("shop", "inner"), table.schema(), location=place)
    inner.append(pa.table({"id": [7]}))
    retention.orphans(table, older_than=datetime.now(UTC) + SOON)
    assert inner.scan().to_arrow().num_rows == 1


def test_a_dry_run_counts_and_changes_nothing(table: Table, tmp_path: Path) -> None:
    before, soon = files(tmp_path, "*"), datetime.now(UTC) + SOON
    told = retention.expire(table, older_than=soon, keep_last=1, dry_run=True)
    assert files(tmp_path, "*") == before
    assert len(table.refresh().snapshots()) == 5
    assert retention.expire(table, older_than=soon, keep_last=1) == told


def test_files_that_somebody_removed_before_are_not_counted(table: Table, tmp_path: Path) -> None:
    told = retention.expire(table, older_than=datetime.now(UTC) + SOON, keep_last=1, dry_run=True)
    (task,) = table.scan(snapshot_id=table.snapshots()[0].snapshot_id).plan_files()
    table.io.delete(task.file.file_path)
    done = retention.expire(table, older_than=datetime.now(UTC) + SOON, keep_last=1)
    assert done.files == told.files - 1
    assert not files(tmp_path, task.file.file_path.rsplit("/", 1)[1])


def test_orphans_are_old_unnamed_and_inside_of_the_table(table: Table, tmp_path: Path) -> None:
    inside = tmp_path / "warehouse/shop/orders/data/lost.parquet"
    outside = tmp_path / "warehouse/shop/orders-of-others/data/lost.parquet"
    outside.parent.mkdir(parents=True)
    for place in (inside, outside):
        place.write_bytes(b"lost")
    assert retention.orphans(table) == Orphans(0, 0)
    soon = datetime.now(UTC) + SOON
    assert retention.orphans(table, older_than=soon, dry_run=True) == Orphans(1, 4)
    assert inside.exists()
    assert retention.orphans(table, older_than=soon) == Orphans(1, 4)
    assert not inside.exists()
    assert outside.exists()
    assert [ids(table, snapshot) for snapshot in table.snapshots()] == [[0], [1], [2], [3], [4]]
    assert retention.orphans(table, older_than=soon) == Orphans(0, 0)


def test_measures_that_would_lose_everything_are_refused(table: Table) -> None:
    with pytest.raises(UsageError):
        retention.expire(table, older_than=datetime.now(UTC), keep_last=0)
    with pytest.raises(UsageError):
        retention.expire(table, older_than=datetime.now(), keep_last=1)  # noqa: DTZ005 - what is refused
