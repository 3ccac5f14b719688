"""Whatever is done to a table in whatever order: its rows, its tags and its files on disk are right."""

from __future__ import annotations

import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pyarrow as pa  # type: ignore[import-untyped] # the wheel carries no types
from floe_iceberg import compaction, retention, versions
from floe_iceberg.places import key_of
from floe_iceberg.testing import delete_positions
from floe_iceberg.writing import WriteMode, write
from hypothesis import Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.expressions import In, Reference
from pyiceberg.expressions.literals import literal

Rows = dict[int, dict[str, Any]]
IDS = st.sets(st.integers(0, 30), max_size=8)
TABLE = ("shop", "orders")


class History(RuleBasedStateMachine):
    """A table, and a dict that says what it should hold."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="floe-history-"))
        self.catalog = SqlCatalog("t", uri=f"sqlite:///{self.folder}/c.db", warehouse=f"file://{self.folder}/w")
        self.rows: Rows = {}
        self.tagged: dict[str, Rows] = {}
        self.columns = {"id": pa.int64(), "v": pa.int32()}
        self.partition_by: list[str] = []
        self.turn = 0

    @initialize(partition_by=st.sampled_from([[], ["bucket(2, id)"], ["truncate(10, id)"]]), ids=IDS)
    def first(self, partition_by: list[str], ids: set[int]) -> None:
        self.partition_by = partition_by
        self.put(WriteMode.APPEND, ids)

    @rule(ids=IDS)
    def append(self, ids: set[int]) -> None:
        self.put(WriteMode.APPEND, ids - set(self.rows))

    @rule(ids=IDS)
    def overwrite(self, ids: set[int]) -> None:
        self.put(WriteMode.OVERWRITE, ids)

    @rule(ids=IDS)
    def upsert(self, ids: set[int]) -> None:
        self.put(WriteMode.UPSERT, ids, keys=["id"])

    @rule(ids=IDS.filter(len))
    def replace_some(self, ids: set[int]) -> None:
        stay = {i for i in ids if i % 2}
        self.put(WriteMode.OVERWRITE, stay, where=In(term=Reference("id"), values={literal(i) for i in ids}), gone=ids)

    @rule(ids=IDS)
    def delete_positions(self, ids: set[int]) -> None:
        delete_positions(self.table(), ids)
        for gone in ids:
            self.rows.pop(gone, None)

    @rule()
    def widen(self) -> None:
        self.columns["v"] = pa.int64()

    @rule(name=st.sampled_from(["note", "other"]))
    def add_or_drop_a_column(self, name: str) -> None:
        dropped = self.columns.pop(name, None) is not None
        if not dropped:
            self.columns[name] = pa.string()
        # A write brings its columns along; a column that it lacks goes only with all the rows that had it.
        self.put(WriteMode.OVERWRITE if dropped else WriteMode.APPEND, {40 + self.turn})

    @precondition(lambda self: len(self.tagged) < 3)
    @rule()
    def tag(self) -> None:
        name = f"v{len(self.tagged)}"
        versions.tag(self.table(), name)
        self.tagged[name] = {i: dict(row) for i, row in self.rows.items()}

    @rule(size=st.sampled_from([1, 10**6]))
    def compact(self, size: int) -> None:
        table = self.table()
        done = compaction.compact(table, target_bytes=size)
        assert done.files_after <= done.files_before
        assert not [task for task in table.refresh().scan().plan_files() if task.delete_files]

    @rule(keep_last=st.integers(1, 4))
    def expire(self, keep_last: int) -> None:
        table, soon = self.table(), datetime.now(UTC) + timedelta(hours=1)
        told = retention.expire(table, older_than=soon, keep_last=keep_last, dry_run=True)
        before = self.on_disk()
        done = retention.expire(table, older_than=soon, keep_last=keep_last)
        assert done == told
        assert len(before) - len(self.on_disk() & before) == done.files
        assert len(table.refresh().snapshots()) <= keep_last + len(self.tagged)

    @rule()
    def clean(self) -> None:
        stray = self.folder / "w/shop/orders/data/stray.parquet"
        stray.parent.mkdir(exist_ok=True)
        stray.write_bytes(b"stray")
        table, soon = self.table(), datetime.now(UTC) + timedelta(hours=1)
        retention.orphans(table)
        assert stray.exists(), "too young to be an orphan"
        retention.expire(table, older_than=soon, keep_last=1)
        assert retention.orphans(table, older_than=soon).files >= 1
        assert self.on_disk() == self.reachable()

    @invariant()
    def the_table_is_what_it_should_be(self) -> None:
        if not self.turn:
            return
        table = self.table()
        assert _by_id(table.scan().to_arrow()) == {i: self._shown(row) for i, row in self.rows.items()}
        for name, rows in self.tagged.items():
            found = table.scan(snapshot_id=versions.tags(table)[name]).to_arrow()
            assert _by_id(found) == {i: {n: row.get(n) for n in found.column_names} for i, row in rows.items()}

    def teardown(self) -> None:
        self.catalog.close()
        shutil.rmtree(self.folder)

    def put(self, mode: WriteMode, ids: set[int], *, gone: set[int] | None = None, **options: Any) -> None:
        self.turn += 1
        new = {i: {"id": i, "v": self.turn, "note": f"n{self.turn}", "other": f"o{self.turn}"} for i in ids}
        new = {i: {n: v for n, v in row.items() if n in self.columns} for i, row in new.items()}
        data = pa.Table.from_pylist(list(new.values()), schema=pa.schema(list(self.columns.items())))
        done = write(self.catalog, TABLE, data, mode=mode, partition_by=self.partition_by, **options)
        assert done.rows == len(ids)
        if mode is WriteMode.OVERWRITE:
            self.rows = {i: row for i, row in self.rows.items() if gone is not None and i not in gone}
        # What a column held before it was dropped does not come back with another of its name.
        self.rows = {i: {n: v for n, v in row.items() if n in self.columns} for i, row in self.rows.items()}
        self.rows.update(new)

    def table(self) -> Any:
        return self.catalog.load_table(TABLE)

    def on_disk(self) -> set[str]:
        return {str(path) for path in (self.folder / "w/shop/orders").rglob("*") if path.is_file()}

    def reachable(self) -> set[str]:
        """What the table names, found another way than the code does, and as far as metadata of old are there."""
        table = self.table()
        found = {table.metadata_location}
        found |= {e.metadata_file for e in table.metadata.metadata_log if Path(key_of(e.metadata_file)).exists()}
        for snapshot in table.snapshots():
            found.add(snapshot.manifest_list)
            for manifest in snapshot.manifests(table.io):
                found.add(manifest.manifest_path)
                found |= {entry.data_file.file_path for entry in manifest.fetch_manifest_entry(table.io)}
        return {key_of(place) for place in found}

    def _shown(self, row: dict[str, Any]) -> dict[str, Any]:
        names = [field.name for field in self.table().schema().fields]
        return {name: row.get(name) for name in names}


def _by_id(rows: Any) -> Rows:
    listed = rows.to_pylist()
    found = {row["id"]: row for row in listed}
    assert len(found) == len(listed), "a row is there twice"
    return found


TestHistory = History.TestCase
TestHistory.settings = settings(
    max_examples=8,
    stateful_step_count=12,
    deadline=None,
    # Each step commits to a real table: making a failure smaller would take longer than reading it.
    phases=[Phase.explicit, Phase.generate],
)
