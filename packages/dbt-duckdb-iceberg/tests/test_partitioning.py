"""Partitions that DuckDB writes are those that Iceberg's transforms give: PyIceberg finds rows by them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from floe_core.errors import UsageError, WrongStateError

if TYPE_CHECKING:
    from tests.conftest import Bench

ROWS = """
select i, case when i % 7 = 0 then null else 'region ' || i % 3 end as region, i - 50 as amount,
    cast((i - 50) / 4.0 as decimal(9, 2)) as price, timestamp '1969-12-30 12:00:00' + interval (i) hour as at,
    timestamptz '1969-12-30 12:00:00+02' + interval (i) hour as at_zone,
    date '1969-12-30' + cast(i as integer) as on_day
from range(100) r(i)
"""


@pytest.mark.parametrize(
    "words",
    [
        ["region"],
        ["day(at)", "region"],
        ["hour(at_zone)"],
        ["month(on_day)"],
        ["year(on_day)"],
        ["on_day"],
        ["at"],
        ["bucket(4, i)"],
        ["bucket(3, region)", "bucket(2, on_day)"],
        ["truncate(10, amount)"],
        ["truncate(2, region)"],
        ["truncate(150, price)"],
    ],
    ids="+".join,
)
def test_rows_are_found_by_their_partition(bench: Bench, words: list[str]) -> None:
    bench.replace("p", ROWS, partition_by=words)
    table = bench.table("p")
    assert [str(field.transform).split("[")[0] for field in table.spec().fields] == [
        word.split("(")[0] if "(" in word else "identity" for word in words
    ]
    assert len(list(table.scan().plan_files())) > 1
    assert table.scan().to_arrow().num_rows == 100
    for row in table.scan().to_arrow().to_pylist()[::13]:
        for name in ("region", "amount", "at", "on_day", "i", "price"):
            wanted = f"{name} is null" if row[name] is None else f"{name} == {_literal(row[name])}"
            assert row["i"] in table.scan(wanted).to_arrow().column("i").to_pylist()
    assert bench.rows("p", "count(*), sum(i)") == [(100, 4950)]


def _literal(value: object) -> str:
    if isinstance(value, dt.date):
        return f"'{value.isoformat()}'"
    return f"'{value}'" if isinstance(value, str) else str(value)


def test_partitions_are_pruned(bench: Bench) -> None:
    bench.replace("p", ROWS, partition_by=["month(on_day)"])
    found = list(bench.table("p").scan("on_day == '1970-02-03'").plan_files())
    assert 0 < len(found) < len(list(bench.table("p").scan().plan_files()))


def test_partitioning_changes_with_the_model_and_history_stays(bench: Bench) -> None:
    bench.replace("p", ROWS, partition_by=["region"])
    bench.replace("p", ROWS, partition_by=["day(at)"])
    bench.replace("p", ROWS)
    table = bench.table("p")
    assert table.spec().is_unpartitioned()
    assert [table.scan(snapshot_id=made.snapshot_id).to_arrow().num_rows for made in table.metadata.snapshots] == [
        100
    ] * 3


def test_a_column_that_partitions_files_stays(bench: Bench) -> None:
    bench.replace("p", ROWS, partition_by=["region"])
    with pytest.raises(WrongStateError) as told:
        bench.replace("p", "select 1 as i")
    assert told.value.where.endswith("column region")


def test_a_word_that_is_no_transform_is_named(bench: Bench) -> None:
    with pytest.raises(UsageError) as told:
        bench.replace("p", ROWS, partition_by=["week(at)"])
    assert "week(at)" in told.value.where
