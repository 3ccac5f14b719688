"""The partition of each row, computed by DuckDB in hidden columns while it writes the files."""

from __future__ import annotations

import secrets
import uuid
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from dbt.adapters.duckdb_iceberg.storable import quoted
from pyiceberg.transforms import (
    BucketTransform,
    DayTransform,
    HourTransform,
    IdentityTransform,
    MonthTransform,
    TruncateTransform,
    YearTransform,
)
from pyiceberg.typedef import Record
from pyiceberg.types import (
    BinaryType,
    BooleanType,
    DateType,
    DecimalType,
    DoubleType,
    FloatType,
    IntegerType,
    LongType,
    StringType,
    TimestampType,
    TimestamptzType,
    TimeType,
    UUIDType,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import duckdb
    from pyiceberg.partitioning import PartitionField, PartitionSpec
    from pyiceberg.schema import Schema
    from pyiceberg.types import IcebergType

MARK: Final = "v"
"""Begins each hidden value, so that the text `NULL` and no value are never the same."""
_PARTS: Final[dict[type, str]] = {
    YearTransform: "year",
    MonthTransform: "month",
    DayTransform: "day",
    HourTransform: "hour",
}


class Partitions:
    """The hidden columns of a partitioned table, and the way back from their text to Iceberg's values.

    Args:
        spec: How the table is partitioned.
        schema: Its columns.
    """

    def __init__(self, spec: PartitionSpec, schema: Schema) -> None:
        self._fields = [(field, schema.find_type(field.source_id)) for field in spec.fields]
        self._sources = {field.field_id: schema.find_field(field.source_id).name for field in spec.fields}

    @property
    def names(self) -> tuple[str, ...]:
        """The hidden columns' names."""
        return tuple(f"__partition_{position}" for position, _ in enumerate(self._fields))

    @contextmanager
    def hidden(self, cursor: duckdb.DuckDBPyConnection) -> Iterator[str]:
        """The hidden columns for a select list; while it is held, DuckDB has the hash of `bucket`."""
        functions: list[str] = []
        try:
            yield ", ".join(
                f"'{MARK}' || CAST({self._expression(cursor, functions, field, kind)} AS VARCHAR) AS {name}"
                for name, (field, kind) in zip(self.names, self._fields, strict=True)
            )
        finally:
            for function in functions:
                cursor.remove_function(function)

    def record(self, keys: Mapping[str, str | None]) -> Record:
        """A file's partition, from what DuckDB says of the hidden columns."""
        values = []
        for name, (field, kind) in zip(self.names, self._fields, strict=True):
            text = keys.get(name)
            marked = text is not None and text.startswith(MARK)
            result = field.transform.result_type(kind)
            values.append(_value(text.removeprefix(MARK), result) if text is not None and marked else None)
        return Record(*values)

    def _expression(
        self, cursor: duckdb.DuckDBPyConnection, functions: list[str], field: PartitionField, kind: IcebergType
    ) -> str:
        column = quoted(self._sources[field.field_id])
        transform = field.transform
        if isinstance(transform, IdentityTransform):
            return _plain(column, kind)
        if isinstance(transform, BucketTransform):
            functions.append(_bucket(cursor, transform, kind))
            return f"{functions[-1]}({column if isinstance(kind, BinaryType) else _plain(column, kind)})"
        if isinstance(transform, TruncateTransform):
            return _truncated(column, transform.width, kind)
        moment = f"({column} AT TIME ZONE 'UTC')" if isinstance(kind, TimestamptzType) else column
        return f"date_diff('{_PARTS[type(transform)]}', TIMESTAMP '1970-01-01', CAST({moment} AS TIMESTAMP))"


def _plain(column: str, kind: IcebergType) -> str:
    """The value in the form that `_value` reads: moments as numbers, bytes as hexadecimal digits."""
    if isinstance(kind, DateType):
        return f"date_diff('day', DATE '1970-01-01', {column})"
    if isinstance(kind, (TimestampType, TimestamptzType)):
        return f"epoch_us({column})"
    if isinstance(kind, TimeType):
        return f"date_diff('microsecond', TIME '00:00:00', {column})"
    return f"hex({column})" if isinstance(kind, BinaryType) else column


def _truncated(column: str, width: int, kind: IcebergType) -> str:
    if isinstance(kind, StringType):
        return f"left({column}, {width})"
    if isinstance(kind, BinaryType):
        return f"left(hex({column}), {2 * width})"
    if isinstance(kind, DecimalType):
        step = f"CAST({Decimal(width).scaleb(-kind.scale)} AS DECIMAL({kind.precision},{kind.scale}))"
        return f"({column} - ((({column} % {step}) + {step}) % {step}))"
    return f"({column} - ((({column} % {width}) + {width}) % {width}))"


def _bucket(cursor: duckdb.DuckDBPyConnection, transform: BucketTransform[Any], kind: IcebergType) -> str:
    """Give DuckDB the bucket of a value as a function; its name."""
    import pyarrow as pa

    numbers = (DateType, TimestampType, TimestamptzType, TimeType, LongType, IntegerType)
    named = {"string": "VARCHAR", "binary": "BLOB"}.get(str(kind), str(kind).upper())
    taken = "BIGINT" if isinstance(kind, numbers) else named
    name = f"iceberg_bucket_{secrets.token_hex(8)}"
    bucket = transform.transform(kind)

    def buckets(values: Any) -> Any:
        return pa.array([None if value is None else bucket(value) for value in values.to_pylist()], pa.int32())

    arrow: Any = "arrow"
    special: Any = "special"
    cursor.create_function(name, buckets, [taken], "INTEGER", type=arrow, null_handling=special)
    return name


def _value(text: str, kind: IcebergType) -> Any:
    match kind:
        case BooleanType():
            return text == "true"
        case DecimalType():
            return Decimal(text)
        case FloatType() | DoubleType():
            return float(text)
        case StringType():
            return text
        case UUIDType():
            return uuid.UUID(text)
        case BinaryType():
            return bytes.fromhex(text)
        case _:
            return int(text)
