"""Arrow columns as Iceberg can hold them: no unsigned numbers, no nanoseconds, no dictionaries, no other time zones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa  # type: ignore[import-untyped] # the wheel carries no types

if TYPE_CHECKING:
    from floe_iceberg.internals import ArrowSchema, Batch

UINT64_DIGITS: Final = 20


def storable(schema: ArrowSchema) -> ArrowSchema:
    """The schema in which rows are written; the same object where nothing has to change."""
    fields = [field.with_type(_storable_type(field.type)) for field in schema]
    return schema if all(a.type == b.type for a, b in zip(schema, fields, strict=True)) else pa.schema(fields)


def cast(batch: Batch, wanted: ArrowSchema) -> Batch:
    """The batch in a schema that `storable` gave; below a microsecond is cut off."""
    if batch.schema.equals(wanted):
        return batch
    columns = [
        column.cast(field.type, safe=not pa.types.is_timestamp(field.type)) if column.type != field.type else column
        for column, field in zip(batch.columns, wanted, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=wanted)


def _storable_type(kind: Any) -> Any:  # noqa: PLR0911 - one line a type
    if pa.types.is_dictionary(kind):
        return _storable_type(kind.value_type)
    if pa.types.is_uint8(kind) or pa.types.is_uint16(kind):
        return pa.int32()
    if pa.types.is_uint32(kind):
        return pa.int64()
    if pa.types.is_uint64(kind):
        return pa.decimal128(UINT64_DIGITS, 0)
    if pa.types.is_timestamp(kind):
        return pa.timestamp("us", tz="UTC" if kind.tz else None)
    if pa.types.is_time(kind):
        return pa.time64("us")
    if pa.types.is_date64(kind):
        return pa.date32()
    if pa.types.is_null(kind):
        return pa.string()
    return kind
