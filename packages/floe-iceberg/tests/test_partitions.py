"""Partitioning in the words of a model."""

from __future__ import annotations

import pyarrow as pa  # type: ignore[import-untyped] # the wheel carries no types
import pytest
from floe_core.errors import UsageError
from floe_iceberg.internals import iceberg_schema
from floe_iceberg.partitions import parse

SCHEMA = iceberg_schema(
    pa.schema([("at", pa.timestamp("us")), ("region", pa.string()), ("id", pa.int64()), ("price", pa.float64())])
)


def test_each_form_is_a_transform_of_its_column() -> None:
    spec = parse(["day(at)", "bucket(16, id)", "truncate( 2 ,region)"], SCHEMA)
    assert [(field.name, field.source_id, str(field.transform)) for field in spec.fields] == [
        ("at_day", 1, "day"),
        ("id_bucket_16", 3, "bucket[16]"),
        ("region_truncate_2", 2, "truncate[2]"),
    ]
    assert [str(field.transform) for field in parse(["region", "identity(id)"], SCHEMA).fields] == ["identity"] * 2
    assert parse([], SCHEMA).is_unpartitioned()


def test_a_field_is_never_called_like_a_column() -> None:
    schema = iceberg_schema(pa.schema([("at", pa.date32()), ("at_day", pa.int32())]))
    assert parse(["day(at)"], schema).fields[0].name == "at_day_"


@pytest.mark.parametrize(
    ("word", "why"),
    [
        ("week(at)", "no transform"),
        ("day(moment)", "no column moment"),
        ("nowhere", "no column nowhere"),
        ("day(region)", "string cannot be partitioned by day"),
        ("hour(at, 3)", "no column"),
        ("bucket(id)", "no transform"),
        ("bucket(0, id)", "no transform"),
        ("day(3, at)", "no transform"),
        ("bucket(4, price)", "double cannot be partitioned by bucket"),
    ],
)
def test_another_word_is_named(word: str, why: str) -> None:
    with pytest.raises(UsageError) as told:
        parse(["region", word], SCHEMA)
    assert word in told.value.where
    assert why in told.value.why


def test_a_column_partitions_once() -> None:
    with pytest.raises(UsageError, match="cannot be partitioned") as told:
        parse(["day(at)", "hour(at)"], SCHEMA)
    assert told.value.where == "partition_by: hour(at)"
