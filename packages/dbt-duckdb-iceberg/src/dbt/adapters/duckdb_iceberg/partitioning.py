"""The partition of each row, computed by DuckDB in hidden columns while it writes the files."""

from __future__ import annotations

import uuid
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
    StringType,
    TimestampType,
    TimestamptzType,
    TimeType,
    UUIDType,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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

    @property
    def hidden(self) -> str:
        """The hidden columns for a select list."""
        return ", ".join(
            f"'{MARK}' || CAST({self._expression(field, kind)} AS VARCHAR) AS {name}"
            for name, (field, kind) in zip(self.names, self._fields, strict=True)
        )

    def record(self, keys: Mapping[str, str | None]) -> Record:
        """A file's partition, from what DuckDB says of the hidden columns."""
        values = []
        for name, (field, kind) in zip(self.names, self._fields, strict=True):
            text = keys.get(name)
            marked = text is not None and text.startswith(MARK)
            result = field.transform.result_type(kind)
            values.append(
                _READ.get(type(result), int)(text.removeprefix(MARK)) if text is not None and marked else None
            )
        return Record(*values)

    def _expression(self, field: PartitionField, kind: IcebergType) -> str:
        """The extension's own functions where it has them."""
        column = quoted(self._sources[field.field_id])
        transform = field.transform
        if isinstance(transform, IdentityTransform):
            return _plain(column, kind)
        if isinstance(transform, BucketTransform):
            return f"iceberg_bucket({transform.num_buckets}, {column})"
        if isinstance(transform, TruncateTransform):
            return _plain(f"iceberg_truncate({transform.width}, {column})", kind)
        moment = f"({column} AT TIME ZONE 'UTC')" if isinstance(kind, TimestamptzType) else column
        return f"date_diff('{_PARTS[type(transform)]}', TIMESTAMP '1970-01-01', CAST({moment} AS TIMESTAMP))"


def _plain(column: str, kind: IcebergType) -> str:
    """The value in the form that `_READ` reads: moments as numbers, bytes as hexadecimal digits."""
    if isinstance(kind, DateType):
        return f"date_diff('day', DATE '1970-01-01', {column})"
    if isinstance(kind, (TimestampType, TimestamptzType)):
        return f"epoch_us({column})"
    if isinstance(kind, TimeType):
        return f"date_diff('microsecond', TIME '00:00:00', {column})"
    return f"hex({column})" if isinstance(kind, BinaryType) else column


_READ: Final[dict[type, Callable[[str], Any]]] = {
    BooleanType: lambda text: text == "true",
    DecimalType: Decimal,
    FloatType: float,
    DoubleType: float,
    StringType: str,
    UUIDType: uuid.UUID,
    BinaryType: bytes.fromhex,
}
"""How a hidden value's text is read; all other types are whole numbers."""
