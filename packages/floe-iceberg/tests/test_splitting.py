"""Partition values by Arrow are those of PyIceberg's own transforms, value by value."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import hypothesis.strategies as st
import pyarrow as pa  # type: ignore[import-untyped] # the wheel carries no types
import pytest
from floe_iceberg.internals import iceberg_schema
from floe_iceberg.partitions import parse
from floe_iceberg.splitting import split, transformed
from hypothesis import given, settings
from pyiceberg.transforms import parse_transform

MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1))  # noqa: DTZ001 - Iceberg's timestamp has no zone
KINDS: list[tuple[Any, Any, list[str]]] = [
    (pa.timestamp("us"), MOMENTS, ["year", "month", "day", "hour", "bucket[7]", "identity"]),
    (
        pa.timestamp("us", tz="UTC"),
        MOMENTS.map(lambda moment: moment.replace(tzinfo=UTC)),
        ["year", "month", "day", "hour"],
    ),
    (pa.date32(), st.dates(date(1900, 1, 1), date(2100, 1, 1)), ["year", "month", "day", "bucket[7]"]),
    (pa.int64(), st.integers(-(2**40), 2**40), ["bucket[7]", "truncate[10]"]),
    (pa.string(), st.text(max_size=12), ["bucket[7]", "truncate[2]"]),
    (pa.decimal128(12, 2), st.decimals(-(10**6), 10**6, places=2), ["bucket[7]", "truncate[50]"]),
]
CASES = [(kind, values, word) for kind, values, words in KINDS for word in words]


@pytest.mark.parametrize(("kind", "values", "word"), CASES, ids=[f"{k}-{w}" for k, _, w in CASES])
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_the_values_are_those_of_the_specification(kind: Any, values: Any, word: str, data: st.DataObject) -> None:
    given_values = data.draw(st.lists(st.none() | values, max_size=8))
    source = iceberg_schema(pa.schema([("c", kind)])).find_type("c")
    transform = parse_transform(word)
    expected = [transform.transform(source)(value) for value in given_values]
    assert transformed(pa.array(given_values, kind), transform, source).to_pylist() == expected


def test_rows_go_to_their_partition_in_their_order() -> None:
    days = [datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=n % 2) for n in range(5)]
    batch = pa.record_batch(
        {"at": pa.array(days, pa.timestamp("us", tz="UTC")), "r": ["a", "a", "b", None, "a"], "n": range(5)}
    )
    schema = iceberg_schema(batch.schema)
    parts = {
        key.to_path(): rows.column("n").to_pylist()
        for key, rows in split(batch, parse(["day(at)", "r"], schema), schema)
        if key is not None
    }
    assert parts == {
        "at_day=2024-01-01/r=a": [0, 4],
        "at_day=2024-01-02/r=a": [1],
        "at_day=2024-01-01/r=b": [2],
        "at_day=2024-01-02/r=null": [3],
    }


def test_a_table_without_partitions_has_one_part() -> None:
    batch = pa.record_batch({"c": [Decimal("1.5")]})
    schema = iceberg_schema(batch.schema)
    assert list(split(batch, parse([], schema), schema)) == [(None, batch)]
