"""Rows by the partition that they belong to, with Arrow's own functions where a transform has one.

PyIceberg 0.12 splits with a compiled extra package, and whole tables only. Formulas: Iceberg's specification,
"Partition Transforms": years, months, days and hours since 1970-01-01 in UTC, rounded down.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa  # type: ignore[import-untyped] # the wheel carries no types
import pyarrow.compute as pc  # type: ignore[import-untyped] # the same
from pyiceberg.partitioning import PartitionFieldValue, PartitionKey
from pyiceberg.transforms import (
    BucketTransform,
    DayTransform,
    HourTransform,
    IdentityTransform,
    MonthTransform,
    VoidTransform,
    YearTransform,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyiceberg.partitioning import PartitionSpec
    from pyiceberg.schema import Schema
    from pyiceberg.transforms import Transform
    from pyiceberg.types import IcebergType

    from floe_iceberg.internals import Batch

EPOCH_YEAR: Final = 1970
MONTHS: Final = 12
HOUR_US: Final = 3_600_000_000


def split(batch: Batch, spec: PartitionSpec, schema: Schema) -> Iterator[tuple[PartitionKey | None, Batch]]:
    """The rows of each partition, in their order; one part without a key for a table without partitions."""
    if spec.is_unpartitioned():
        yield None, batch
        return
    names = [f"p{position}" for position, _ in enumerate(spec.fields)]
    values = [_values(batch, field.source_id, field.transform, schema) for field in spec.fields]
    rows = pa.table([*values, pa.array(range(batch.num_rows), pa.int64())], names=[*names, "row"])
    groups = rows.group_by(names, use_threads=False).aggregate([("row", "list")])
    for group in groups.to_batches():
        for position in range(group.num_rows):
            key = [group.column(name)[position].as_py() for name in names]
            yield _key(key, spec, schema), batch.take(group.column("row_list")[position].values)


def _key(values: list[Any], spec: PartitionSpec, schema: Schema) -> PartitionKey:
    fields = [PartitionFieldValue(field, value) for field, value in zip(spec.fields, values, strict=True)]
    return PartitionKey(fields, spec, schema)


def _values(batch: Batch, source_id: int, transform: Transform[Any, Any], schema: Schema) -> Any:
    path = schema.find_column_name(source_id) or ""
    column: Any = None
    for part in path.split("."):
        column = batch.column(part) if column is None else pc.struct_field(column, part)
    return transformed(column, transform, schema.find_type(source_id))


def transformed(column: Any, transform: Transform[Any, Any], kind: IcebergType) -> Any:  # noqa: PLR0911 - one line a transform
    """The partition values of a column, as an Arrow array."""
    match transform:
        case IdentityTransform():
            return column
        case VoidTransform():
            return pa.nulls(len(column), column.type)
        case YearTransform():
            return pc.subtract(pc.year(_utc(column)), EPOCH_YEAR).cast(pa.int32())
        case MonthTransform():
            years = pc.multiply(pc.subtract(pc.year(_utc(column)), EPOCH_YEAR), MONTHS)
            return pc.add(years, pc.subtract(pc.month(_utc(column)), 1)).cast(pa.int32())
        case DayTransform():
            return pc.floor_temporal(_utc(column), unit="day").cast(pa.date32()).cast(pa.int32())
        case HourTransform():
            hours = pc.floor_temporal(_utc(column), unit="hour").cast(pa.int64())
            return pc.divide(hours, HOUR_US).cast(pa.int32())
        case _:
            return _by_value(column, transform, kind)


def _utc(column: Any) -> Any:
    """Arrow's calendar functions read a zoned timestamp in its zone; Iceberg's are in UTC."""
    return column.cast(pa.timestamp("us")) if pa.types.is_timestamp(column.type) else column


def _by_value(column: Any, transform: Transform[Any, Any], kind: IcebergType) -> Any:
    """Each different value once, through PyIceberg."""
    encoded = column.dictionary_encode()
    apply = transform.transform(kind)
    target = pa.int32() if isinstance(transform, BucketTransform) else column.type
    results = pa.array([apply(value.as_py()) for value in encoded.dictionary], target)
    return results.take(encoded.indices)
