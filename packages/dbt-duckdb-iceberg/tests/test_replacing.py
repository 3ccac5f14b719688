"""A table's rows are replaced in one commit, whatever the table was before."""

# ruff: noqa: S608 - the statements are the test's own

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from dbt.adapters.duckdb_iceberg import replacing
from floe_core.errors import UsageError, WrongStateError
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.types import LongType, StringType

if TYPE_CHECKING:
    from tests.conftest import Bench

EVERY_TYPE = """
select true b, 1::utinyint u8, -1::smallint i16, 7 i32, 8::uinteger u32, 9 :: bigint i64, 10::ubigint u64,
    170141183460469231731687303715884105727::hugeint // 10 huge, 1.5::float f, 2.5::double d, 1.25::decimal(9,2) n,
    'x' s, 'a'::enum('a', 'b') e, '{"k": 1}'::json j, '\\xAA'::blob bin, date '2026-01-02' da, time '10:11:12.5' ti,
    timestamp '2026-01-02 03:04:05.678901' ts, timestamp_ns '2026-01-02 03:04:05.678901234' ns,
    timestamptz '2026-01-02 03:04:05+00' tz, '6f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0'::uuid id,
    [1::utinyint, null] l, {'x': 1::ubigint, 'y y': ['z']} st, map {'k': 1} m, null nil
"""


def test_every_type_comes_back(bench: Bench) -> None:
    made = bench.replace("types", EVERY_TYPE)
    assert (made.rows, made.created) == (1, True)
    (row,) = bench.table("types").scan().to_arrow().to_pylist()
    assert row["huge"] == Decimal(170141183460469231731687303715884105727 // 10)
    assert (row["u8"], row["u32"], row["u64"], row["e"], row["j"]) == (1, 8, 10, "a", '{"k": 1}')
    assert row["ns"] == dt.datetime(2026, 1, 2, 3, 4, 5, 678901)  # noqa: DTZ001
    assert row["tz"] == dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
    assert row["id"] == uuid.UUID("6f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0")
    assert (row["l"], row["st"], row["m"]) == ([1, None], {"x": 10 - 9, "y y": ["z"]}, [("k", 1)])
    assert row["nil"] is None
    ((back,),) = bench.rows("types", "(b, u8, i16, n, s, ti, id, st)")
    assert back[3:5] == (Decimal("1.25"), "x")


@pytest.mark.parametrize("kind", ["interval 1 day", "'101'::bit", "timetz '10:00:00+01'"])
def test_a_type_that_iceberg_lacks_is_named_with_its_column(bench: Bench, kind: str) -> None:
    with pytest.raises(UsageError, match="cannot be stored") as told:
        bench.replace("bad", f"select 1 a, {kind} as odd_one")
    assert told.value.where == "column odd_one"


def test_each_replacement_is_one_snapshot_that_says_who_made_it(bench: Bench) -> None:
    for turn in range(3):
        bench.replace("t", f"select {turn} as turn from range(10)")  # nosec B608 - names of our own
        assert bench.rows("t", "distinct turn") == [(turn,)]  # DuckDB sees the commit in its next statement
    snapshots = bench.table("t").metadata.snapshots
    assert len(snapshots) == 3
    summary = snapshots[-1].summary.additional_properties
    assert summary["dbt.unique-id"] == "model.unit.t"
    assert summary["dbt.invocation-id"]
    assert (summary["total-records"], summary["deleted-records"]) == ("10", "10")
    old = bench.table("t").scan(snapshot_id=snapshots[0].snapshot_id).to_arrow()
    assert old.column("turn").to_pylist() == [0] * 10


def test_no_rows_make_an_empty_table_with_its_columns(bench: Bench) -> None:
    bench.replace("e", "select 1 as a, 'x' as b where false")
    assert bench.rows("e") == []
    assert [field.name for field in bench.table("e").schema().fields] == ["a", "b"]
    bench.replace("e", "select 1 as a, 'x' as b")
    bench.replace("e", "select 1 as a, 'x' as b where false")
    assert bench.rows("e") == []
    assert bench.table("e").current_snapshot().summary["total-records"] == "0"


def test_deletes_of_before_are_gone_with_the_rows(bench: Bench) -> None:
    bench.replace("d", "select i from range(10) r(i)")
    bench.cursor.execute(f"delete from ice.{bench.namespace}.d where i < 5")  # nosec B608 - names of our own
    bench.replace("d", "select i from range(3) r(i)")
    assert bench.rows("d") == [(0,), (1,), (2,)]
    table = bench.table("d")
    assert table.scan().to_arrow().num_rows == 3
    assert table.current_snapshot().summary["total-delete-files"] == "0"


def test_columns_come_go_widen_and_change_in_the_commit_of_the_rows(bench: Bench) -> None:
    bench.replace("c", "select 1 as kept, 2 as widened, 'x' as changed, 3 as gone")
    before = {field.name: field for field in bench.table("c").schema().fields}
    bench.replace("c", "select 4 as new, 5::bigint as widened, 6 as changed, 7 as kept")
    table = bench.table("c")
    after = {field.name: field for field in table.schema().fields}
    assert list(after) == ["new", "widened", "changed", "kept"]
    assert after["kept"].field_id == before["kept"].field_id
    assert after["widened"].field_id == before["widened"].field_id
    assert isinstance(after["widened"].field_type, LongType)
    assert after["changed"].field_id not in {field.field_id for field in before.values()}
    assert len(table.metadata.snapshots) == 2
    assert bench.rows("c") == [(4, 5, 6, 7)]
    first = table.scan(snapshot_id=table.metadata.snapshots[0].snapshot_id).to_arrow().to_pylist()
    assert first == [{"kept": 1, "widened": 2, "changed": "x", "gone": 3}]
    assert isinstance(before["changed"].field_type, StringType)


def _with_not_null(column: str) -> dict[str, object]:
    return {"columns": {column: {"constraints": [{"type": "not_null"}], "description": "What it is."}}}


def test_not_null_is_a_required_column_and_is_held(bench: Bench) -> None:
    contract = {"contract": {"enforced": True}, "model": _with_not_null("a")}
    bench.replace("r", "select 1 as a, null as b", **contract)
    field = bench.table("r").schema().find_field("a")
    assert (field.required, field.doc) == (True, "What it is.")
    with pytest.raises(WrongStateError, match="break a constraint") as told:
        bench.replace("r", "select nullif(i, 1) as a, 1 as b from range(3) r(i)", **contract)
    assert "column a" in told.value.where
    assert "1 rows" in told.value.why
    assert bench.rows("r") == [(1, None)]


def test_a_comment_and_properties_are_the_tables(bench: Bench) -> None:
    properties = {"write.parquet.compression-codec": "zstd", "x": True}
    bench.replace("p", "select 1 a", table_properties=properties, model={"description": "All of it."})
    bench.replace("p", "select 1 a", table_properties={"x": False}, model={"description": "All of it."})
    found = bench.table("p").properties
    assert (found["comment"], found["x"]) == ("All of it.", "false")


def test_another_writers_commit_in_between_starts_no_second_writing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dbt.adapters.duckdb_iceberg import files

    bench.replace("w", "select 1 as a")
    written, original = [], files.write

    def write(*args: Any) -> Any:
        made = original(*args)
        written.append(1)
        bench.cursor.execute(f"insert into ice.{bench.namespace}.w values (99)")  # nosec B608 - names of our own
        return made

    monkeypatch.setattr(files, "write", write)
    bench.replace("w", "select 2 as a")
    assert bench.rows("w") == [(2,)]
    assert len(written) == 1
    assert len(bench.table("w").metadata.snapshots) == 3


def test_a_table_that_another_made_meanwhile_is_replaced(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    from dbt.adapters.duckdb_iceberg import files

    original = files.write

    def write(*args: Any) -> Any:
        made = original(*args)
        if not bench.catalog.table_exists((bench.namespace, "n")):
            bench.cursor.execute(f"create table ice.{bench.namespace}.n as select 'other' as name, 1 as x")
        return made

    monkeypatch.setattr(files, "write", write)
    bench.replace("n", "select 2 as a")
    assert bench.rows("n") == [(2,)]


def test_not_null_is_held_where_the_table_keeps_no_measures(bench: Bench) -> None:
    contract = {"contract": {"enforced": True}, "model": _with_not_null("a")}
    unmeasured = {"write.metadata.metrics.default": "none"}
    with pytest.raises(WrongStateError, match="NOT NULL constraint failed: 1 rows"):
        bench.replace("t", "select nullif(i, 3) as a from range(5) r(i)", **contract, table_properties=unmeasured)


def test_not_null_is_held_by_duckdb_too(bench: Bench) -> None:
    bench.replace("t", "select 1 as a", contract={"enforced": True}, model=_with_not_null("a"))
    with pytest.raises(duckdb.Error, match="NOT NULL"):
        bench.run(f'insert into ice."{bench.namespace}".t values (null)')  # nosec B608 - names of our own
    assert bench.rows("t") == [(1,)]


def test_files_are_as_large_and_compressed_as_the_table_wishes(bench: Bench) -> None:
    import pyarrow.parquet as pq  # type: ignore[import-untyped] # the wheel carries no types

    wish = {"write.target-file-size-bytes": "100000", "write.parquet.compression-codec": "gzip"}
    made = bench.replace("t", "select uuid()::varchar as a from range(500000)", table_properties=wish)
    assert made.files > 1
    task, *_ = bench.table("t").scan().plan_files()
    with bench.table("t").io.new_input(task.file.file_path).open() as stream:
        assert pq.read_metadata(stream).row_group(0).column(0).compression == "GZIP"


def test_others_that_commit_all_the_time_are_told_in_words(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.replace("t", "select 1 as a")

    def lost(*_: object) -> int:
        raise CommitFailedException("the branch main has changed")

    monkeypatch.setattr(replacing, "stage_files", lost)
    monkeypatch.setattr(replacing, "ATTEMPTS", 2)
    with pytest.raises(WrongStateError, match="cannot be committed"):
        bench.replace("t", "select 2 as a")
