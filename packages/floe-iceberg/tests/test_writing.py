"""Rows go into a table whole or not at all, whoever else writes to it."""

from __future__ import annotations

import subprocess
import sys
import threading
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa  # type: ignore[import-untyped] # the wheel carries no types
import pytest
from floe_core.errors import FloeError, UsageError, WrongStateError
from floe_iceberg import writing
from floe_iceberg.writing import WRITE_ID, WriteMode, Written, write
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import NoSuchTableError
from pyiceberg.expressions import EqualTo, Reference
from pyiceberg.expressions.literals import literal
from pyiceberg.table.sorting import SortField, SortOrder
from pyiceberg.transforms import IdentityTransform

if TYPE_CHECKING:
    from pathlib import Path

NAME = ("shop", "orders")


def orders(*ids: int, note: str = "n", region: str = "eu") -> Any:
    return pa.table({"id": pa.array(ids, pa.int64()), "region": [region] * len(ids), "note": [note] * len(ids)})


def with_id(number: int) -> EqualTo:
    return EqualTo(term=Reference("id"), value=literal(number))


def found(catalog: SqlCatalog, **where: Any) -> list[tuple[int, str]]:
    rows = catalog.load_table(NAME).scan(**where).to_arrow().to_pylist()
    return sorted((row["id"], row["note"]) for row in rows)


def test_a_table_is_made_with_its_rows_in_one_commit(catalog: SqlCatalog) -> None:
    done = write(catalog, NAME, orders(1, 2).to_reader(), mode=WriteMode.OVERWRITE, properties={"floe.run": "7"})
    table = catalog.load_table(NAME)
    (snapshot,) = table.snapshots()
    assert done == Written(2, snapshot.snapshot_id, created=True)
    assert table.metadata.metadata_log == []
    assert snapshot.summary is not None
    assert snapshot.summary["floe.run"] == "7"


def test_every_mode_is_one_snapshot(catalog: SqlCatalog) -> None:
    for count, (mode, rows, options, expected) in enumerate(
        [
            (WriteMode.APPEND, orders(1, 2), {}, [(1, "n"), (2, "n")]),
            (WriteMode.APPEND, orders(3), {}, [(1, "n"), (2, "n"), (3, "n")]),
            (WriteMode.UPSERT, orders(2, 4, note="u"), {"keys": ["id"]}, [(1, "n"), (2, "u"), (3, "n"), (4, "u")]),
            (WriteMode.OVERWRITE, orders(4, note="w"), {"where": with_id(4)}, None),
            (WriteMode.OVERWRITE, orders(9), {}, [(9, "n")]),
            (WriteMode.OVERWRITE, orders(), {}, []),
            (WriteMode.OVERWRITE, orders(), {}, []),
            (WriteMode.UPSERT, orders(), {"keys": ["id"]}, []),
            (WriteMode.APPEND, orders(5), {}, [(5, "n")]),
        ],
        start=1,
    ):
        done = write(catalog, NAME, rows, mode=mode, **options)  # type: ignore[arg-type] # of each mode its own
        assert done.rows == rows.num_rows
        assert found(catalog) == (expected if expected is not None else [(1, "n"), (2, "u"), (3, "n"), (4, "w")])
        assert len(catalog.load_table(NAME).snapshots()) == count


def test_an_upsert_takes_keys_of_several_columns(catalog: SqlCatalog) -> None:
    write(catalog, NAME, pa.concat_tables([orders(1), orders(1, region="us")]), mode=WriteMode.APPEND)
    write(catalog, NAME, orders(1, note="u", region="us"), mode=WriteMode.UPSERT, keys=["region", "id"])
    assert found(catalog) == [(1, "n"), (1, "u")]


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (orders(1, 1), "1 rows have the same id"),
        (pa.table({"id": pa.array([None], pa.int64()), "region": ["eu"], "note": ["n"]}), "the key id is empty"),
    ],
)
def test_keys_that_identify_nothing_are_refused_and_leave_nothing(
    catalog: SqlCatalog, tmp_path: Path, rows: Any, why: str
) -> None:
    write(catalog, NAME, orders(1), mode=WriteMode.APPEND)
    before = sorted(tmp_path.rglob("*.parquet"))
    with pytest.raises(WrongStateError) as told:
        write(catalog, NAME, rows, mode=WriteMode.UPSERT, keys=["id"])
    assert why in told.value.why
    assert sorted(tmp_path.rglob("*.parquet")) == before


def test_words_that_do_not_fit_are_refused(catalog: SqlCatalog) -> None:
    where = with_id(1)
    for options in (
        {"mode": WriteMode.UPSERT},
        {"mode": WriteMode.APPEND, "keys": ["id"]},
        {"mode": WriteMode.APPEND, "where": where},
        {"mode": WriteMode.UPSERT, "keys": ["nothing"]},
        {"mode": WriteMode.OVERWRITE, "where": EqualTo(term=Reference("nothing"), value=literal(1))},
        {"mode": WriteMode.APPEND, "partition_by": ["week(id)"]},
    ):
        with pytest.raises(UsageError):
            write(catalog, NAME, orders(1), **options)
    with pytest.raises(NoSuchTableError):
        catalog.load_table(NAME)


def test_rows_outside_of_where_are_refused(catalog: SqlCatalog) -> None:
    write(catalog, NAME, orders(1), mode=WriteMode.APPEND)
    with pytest.raises(WrongStateError) as told:
        write(catalog, NAME, orders(1, 2), mode=WriteMode.OVERWRITE, where=with_id(1))
    assert "1 of the new rows" in told.value.why
    assert found(catalog) == [(1, "n")]


def test_a_write_that_was_done_is_not_done_again(catalog: SqlCatalog) -> None:
    noted = {WRITE_ID: "run 7, orders"}
    first = write(catalog, NAME, orders(1, 2), mode=WriteMode.APPEND, properties=noted)
    write(catalog, NAME, orders(3), mode=WriteMode.APPEND)
    again = write(catalog, NAME, orders(1, 2), mode=WriteMode.APPEND, properties=noted)
    assert again == Written(2, first.snapshot_id, created=False)
    assert len(found(catalog)) == 3


def test_types_that_iceberg_lacks_become_those_that_hold_them(catalog: SqlCatalog) -> None:
    rows = pa.table(
        {
            "tiny": pa.array([255], pa.uint8()),
            "unsigned": pa.array([2**32 - 1], pa.uint32()),
            "large": pa.array([2**64 - 1], pa.uint64()),
            "word": pa.array(["a"]).dictionary_encode(),
            "at": pa.array([1_700_000_000_000_000_123], pa.timestamp("ns", tz="Europe/Berlin")),
            "day": pa.array([date(2024, 2, 29)], pa.date64()),
            "nothing": pa.nulls(1),
        }
    )
    write(catalog, NAME, rows, mode=WriteMode.APPEND)
    table = catalog.load_table(NAME)
    (row,) = table.scan().to_arrow().to_pylist()
    assert row.pop("at").isoformat() == "2023-11-14T22:13:20+00:00"
    assert row == {
        "tiny": 255,
        "unsigned": 2**32 - 1,
        "large": Decimal(2**64 - 1),
        "word": "a",
        "day": date(2024, 2, 29),
        "nothing": None,
    }


def test_files_of_a_sorted_table_are_sorted(catalog: SqlCatalog) -> None:
    write(catalog, NAME, orders(), mode=WriteMode.APPEND)
    table = catalog.load_table(NAME)
    with table.update_sort_order() as update:
        update.desc("id", IdentityTransform())
    write(catalog, NAME, orders(2, 5, 1), mode=WriteMode.APPEND)
    (task,) = table.refresh().scan().plan_files()
    assert table.scan().to_arrow()["id"].to_pylist() == [5, 2, 1]
    assert task.file.sort_order_id == table.sort_order().order_id
    assert isinstance(table.sort_order(), SortOrder)
    assert isinstance(table.sort_order().fields[0], SortField)


class Racing(SqlCatalog):
    """Somebody else commits right before each of our first commits."""

    def __init__(self, other: SqlCatalog, times: int, rival: Any) -> None:
        super().__init__("test", **other.properties)
        self.other, self.times, self.rival = other, times, rival

    def commit_table(self, *words: Any, **named: Any) -> Any:
        if self.times > 0:
            self.times -= 1
            self.rival(self.other)
        return super().commit_table(*words, **named)


def test_overwriters_never_mix_their_rows(catalog: SqlCatalog) -> None:
    write(catalog, NAME, orders(0), mode=WriteMode.APPEND)
    ids = iter(range(100, 200))
    other = lambda rival: write(rival, NAME, orders(next(ids), next(ids)), mode=WriteMode.OVERWRITE)  # noqa: E731
    racing = Racing(catalog, 2, other)
    write(racing, NAME, orders(1, 2, 3).to_reader(), mode=WriteMode.OVERWRITE)
    racing.close()
    assert found(catalog) == [(1, "n"), (2, "n"), (3, "n")]


@pytest.mark.parametrize("mode", [WriteMode.APPEND, WriteMode.UPSERT])
def test_rows_that_came_in_between_are_looked_at(catalog: SqlCatalog, mode: WriteMode) -> None:
    write(catalog, NAME, orders(0), mode=WriteMode.APPEND)
    racing = Racing(catalog, 1, lambda other: write(other, NAME, orders(1, note="theirs"), mode=WriteMode.APPEND))
    keys = ["id"] if mode is WriteMode.UPSERT else []
    write(racing, NAME, orders(1, note="ours").to_reader(), mode=mode, keys=keys)
    racing.close()
    assert found(catalog) == [(0, "n"), (1, "ours")] + ([(1, "theirs")] if mode is WriteMode.APPEND else [])


def test_the_same_write_twice_at_once_is_done_once(catalog: SqlCatalog) -> None:
    write(catalog, NAME, orders(0), mode=WriteMode.APPEND)
    noted = {WRITE_ID: "7"}
    racing = Racing(catalog, 1, lambda other: write(other, NAME, orders(1), mode=WriteMode.APPEND, properties=noted))
    write(racing, NAME, orders(1), mode=WriteMode.APPEND, properties=noted)
    racing.close()
    assert found(catalog) == [(0, "n"), (1, "n")]


def test_a_reader_cannot_be_read_for_a_table_that_others_made(catalog: SqlCatalog) -> None:
    def make(other: SqlCatalog) -> None:
        write(other, NAME, orders(7), mode=WriteMode.APPEND)

    racing = Racing(catalog, 1, make)
    with pytest.raises(WrongStateError, match="cannot be written again"):
        write(racing, NAME, orders(1).to_reader(), mode=WriteMode.APPEND)
    assert found(catalog) == [(7, "n")]
    catalog.drop_table(NAME)
    racing.times = 1
    write(racing, NAME, lambda: orders(1).to_reader(), mode=WriteMode.APPEND)
    racing.close()
    assert found(catalog) == [(1, "n"), (7, "n")]


def test_who_never_gets_through_is_told_and_leaves_nothing(
    catalog: SqlCatalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "ATTEMPTS", 2)
    write(catalog, NAME, orders(0), mode=WriteMode.APPEND)
    racing = Racing(catalog, 99, lambda other: write(other, NAME, orders(1), mode=WriteMode.OVERWRITE))
    with pytest.raises(FloeError) as told:
        write(racing, NAME, orders(5, note="ours"), mode=WriteMode.OVERWRITE)
    racing.close()
    assert "2 times" in told.value.why
    assert found(catalog) == [(1, "n")]
    named = {task.file.file_path for s in catalog.load_table(NAME).snapshots() for task in _tasks(catalog, s)}
    assert len(list(tmp_path.rglob("*.parquet"))) == len(named)


def _tasks(catalog: SqlCatalog, snapshot: Any) -> Any:
    return catalog.load_table(NAME).scan(snapshot_id=snapshot.snapshot_id).plan_files()


def test_two_threads_that_append_both_arrive(catalog: SqlCatalog) -> None:
    write(catalog, NAME, orders(0), mode=WriteMode.APPEND)
    failed: list[Exception] = []

    def append(base: int) -> None:
        own = SqlCatalog("test", **catalog.properties)
        try:
            for number in range(3):
                write(own, NAME, orders(base + number), mode=WriteMode.APPEND)
        except Exception as error:  # noqa: BLE001 - told to the test
            failed.append(error)
        finally:
            own.close()

    threads = [threading.Thread(target=append, args=(base,)) for base in (10, 20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert len(found(catalog)) == 7


MEASURED = """
import resource, sys
import pyarrow as pa
from floe_iceberg import datafiles
from floe_iceberg.writing import WriteMode, write
from pyiceberg.catalog.sql import SqlCatalog

folder, partitions = sys.argv[1], sys.argv[2:]
catalog = SqlCatalog("m", uri=f"sqlite:///{folder}/m.db", warehouse=f"file://{folder}/m")
ROWS = 100_000
schema = pa.schema([("id", pa.int64()), ("part", pa.int64()), ("a", pa.float64()), ("b", pa.float64())])

def batches(count):
    for number in range(count):
        ids = pa.array(range(number * ROWS, (number + 1) * ROWS), pa.int64())
        part = pa.compute.bit_wise_and(ids, 3)
        noise = pa.compute.random(ROWS)
        yield pa.record_batch([ids, part, noise, pa.compute.random(ROWS)], schema=schema)

def peak(name, count):
    reader = pa.RecordBatchReader.from_batches(schema, batches(count))
    done = write(catalog, ("m", name), reader, mode=WriteMode.APPEND, partition_by=partitions)
    assert done.rows == count * ROWS
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

import pyarrow.compute
print(peak("warm", 12), peak("large", 110))
"""


@pytest.mark.parametrize("partitions", [[], ["part"]], ids=["whole", "partitioned"])
def test_memory_does_not_grow_with_the_rows(tmp_path: Path, partitions: list[str]) -> None:
    """After 37 MiB of rows, 336 MiB more cost about nothing; PyIceberg's own stream took 99 MiB more for them."""
    words = [sys.executable, "-W", "error", "-c", MEASURED, str(tmp_path), *partitions]
    done = subprocess.run(words, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    warm, large = map(int, done.stdout.split())
    assert large - warm < 64, f"{warm} MiB after the first 37 MiB of rows, {large} MiB after 336 MiB more"


@pytest.mark.parametrize(
    ("mode", "more"),
    [
        (WriteMode.APPEND, {}),
        (WriteMode.UPSERT, {"keys": ["id"]}),
        (WriteMode.OVERWRITE, {"where": EqualTo(term=Reference("id"), value=literal(2))}),
    ],
)
def test_columns_stay_with_rows_that_stay(catalog: SqlCatalog, mode: WriteMode, more: dict[str, Any]) -> None:
    name = ("shop", "kept")
    point = pa.struct([("x", pa.int64()), ("y", pa.int64())])
    before = pa.schema([pa.field("note", pa.string(), nullable=False), ("id", pa.int64()), ("at", point)])
    first = pa.Table.from_pylist([{"note": "n", "id": 1, "at": {"x": 1, "y": 2}}], schema=before)
    write(catalog, name, first, mode=WriteMode.APPEND)
    fewer = pa.schema([("id", pa.int64()), ("at", pa.struct([("x", pa.int64())])), ("word", pa.string())])
    write(
        catalog, name, pa.Table.from_pylist([{"id": 2, "at": {"x": 3}, "word": "w"}], schema=fewer), mode=mode, **more
    )
    assert sorted(catalog.load_table(name).scan().to_arrow().to_pylist(), key=lambda row: row["id"]) == [
        {"note": "n", "id": 1, "at": {"x": 1, "y": 2}, "word": None},
        {"note": None, "id": 2, "at": {"x": 3, "y": None}, "word": "w"},
    ]
