"""The checksum of rows is that of their set: any order is equal, any change is seen."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped] # the wheel carries no types
import pytest
from floe_iceberg.checksums import Checksum

SHAPE = pa.schema(
    [
        ("i", pa.int64()),
        ("f", pa.float64()),
        ("d", pa.decimal128(38, 2)),
        ("s", pa.large_string()),
        ("b", pa.bool_()),
        ("day", pa.date32()),
        ("at", pa.timestamp("us", tz="UTC")),
        ("x", pa.binary(2)),
        ("struct", pa.struct([("n", pa.int32())])),
        ("list", pa.list_(pa.int32())),
        ("map", pa.map_(pa.string(), pa.int32())),
    ]
)
ROW = {
    "i": 2**62,
    "f": 0.1,
    "d": Decimal("123456789012345678901234567890123456.78"),
    "s": "word",
    "b": True,
    "day": date(2024, 2, 29),
    "at": datetime(2024, 2, 29, tzinfo=UTC),
    "x": b"xy",
    "struct": {"n": 1},
    "list": [1, None],
    "map": [("k", 1)],
}
OTHER = {
    "i": 2**62 + 1,
    "f": 0.2,
    "d": Decimal("1.00"),
    "s": "words",
    "b": False,
    "day": date(2024, 3, 1),
    "at": datetime(2024, 3, 1, tzinfo=UTC),
    "x": b"zz",
    "struct": {"n": 2},
    "list": [1],
    "map": [("k", 2)],
}
EMPTY = dict.fromkeys(ROW)


def of(rows: list[dict[str, Any]], size: int = 100) -> Checksum:
    made = Checksum()
    for _ in made.passing(pa.Table.from_pylist(rows, SHAPE).to_batches(max_chunksize=size)):
        pass
    return made


def test_order_and_batches_do_not_matter() -> None:
    rows = [ROW, OTHER, EMPTY, ROW]
    assert of(rows) == of(rows[::-1], size=1)
    assert of([]) == of([])


@pytest.mark.parametrize("name", ROW)
def test_a_changed_or_empty_value_is_seen(name: str) -> None:
    if name != "x":  # two bytes for two bytes are seen by the least and the greatest only
        assert of([ROW, ROW]) != of([ROW, {**ROW, name: OTHER[name]}])
    assert of([ROW]) != of([{**ROW, name: OTHER[name]}])
    assert of([ROW, OTHER]) != of([ROW, {**OTHER, name: None}])


def test_a_lost_or_doubled_row_is_seen() -> None:
    assert of([ROW, OTHER]) != of([ROW])
    assert of([EMPTY]) != of([])
    assert of([ROW]) != of([ROW, ROW])
