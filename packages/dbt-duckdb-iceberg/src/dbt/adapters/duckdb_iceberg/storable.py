"""What DuckDB's types become in a table of Iceberg's format 2, and the cast that makes them so."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from floe_core.errors import UsageError
from pyiceberg.schema import Schema
from pyiceberg.types import (
    BinaryType,
    BooleanType,
    DateType,
    DecimalType,
    DoubleType,
    FloatType,
    IntegerType,
    ListType,
    LongType,
    MapType,
    NestedField,
    StringType,
    StructType,
    TimestampType,
    TimestamptzType,
    TimeType,
    UUIDType,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pyiceberg.types import IcebergType

DuckDBType: TypeAlias = Any
"""A `duckdb.DuckDBPyType`."""

_WHOLE: Final = (DecimalType(38, 0), "DECIMAL(38,0)")
_PLAIN: Final[dict[str, tuple[IcebergType, str]]] = {
    "boolean": (BooleanType(), "BOOLEAN"),
    **dict.fromkeys(("tinyint", "smallint", "integer", "utinyint", "usmallint", "null"), (IntegerType(), "INTEGER")),
    **dict.fromkeys(("bigint", "uinteger"), (LongType(), "BIGINT")),
    **dict.fromkeys(("ubigint", "hugeint", "uhugeint"), _WHOLE),
    "float": (FloatType(), "FLOAT"),
    "double": (DoubleType(), "DOUBLE"),
    **dict.fromkeys(("varchar", "enum"), (StringType(), "VARCHAR")),
    "blob": (BinaryType(), "BLOB"),
    "date": (DateType(), "DATE"),
    "time": (TimeType(), "TIME"),
    **dict.fromkeys(("timestamp", "timestamp_s", "timestamp_ms", "timestamp_ns"), (TimestampType(), "TIMESTAMP")),
    "timestamp with time zone": (TimestamptzType(), "TIMESTAMP WITH TIME ZONE"),
    "uuid": (UUIDType(), "UUID"),
}


@dataclass(frozen=True)
class Columns:
    """The columns of a query as a table holds them.

    Attributes:
        schema: In Iceberg's types; the ids number the fields from 1 on.
        select: The select list that casts the query's columns, in their order.
        is_as_stored: Whether the query's columns need no cast.
    """

    schema: Schema
    select: str
    is_as_stored: bool


def columns(names: Sequence[str], types: Sequence[DuckDBType]) -> Columns:
    """The storable form of a query's columns.

    Raises:
        UsageError: Iceberg has no type for a column; names it and its type.
    """
    ids = itertools.count(1)
    fields: list[NestedField] = []
    select: list[str] = []
    same = True
    for name, kind in zip(names, types, strict=True):
        number = next(ids)
        iceberg, sql = _stored(kind, name, ids)
        fields.append(NestedField(number, name, iceberg, required=False))
        is_same = str(kind).replace('"', "") == sql.replace('"', "")
        same = same and is_same
        select.append(quoted(name) if is_same else f"CAST({quoted(name)} AS {sql}) AS {quoted(name)}")
    return Columns(Schema(*fields), ", ".join(select), same)


def quoted(name: str) -> str:
    """The name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def _stored(kind: DuckDBType, path: str, ids: Iterator[int]) -> tuple[IcebergType, str]:
    name = kind.id
    if name in _PLAIN:
        return _PLAIN[name]
    parts = dict(kind.children) if name in ("decimal", "list", "array", "struct", "map") else {}
    if name == "decimal":
        return DecimalType(parts["precision"], parts["scale"]), f"DECIMAL({parts['precision']},{parts['scale']})"
    if name in ("list", "array"):
        number = next(ids)
        element, sql = _stored(parts["child"], f"{path}.element", ids)
        return ListType(number, element, element_required=False), f"{sql}[]"
    if name == "struct":
        return _struct(parts, path, ids)
    if name == "map":
        key_id, value_id = next(ids), next(ids)
        key, key_sql = _stored(parts["key"], f"{path}.key", ids)
        value, value_sql = _stored(parts["value"], f"{path}.value", ids)
        return MapType(key_id, key, value_id, value, value_required=False), f"MAP({key_sql}, {value_sql})"
    raise UsageError(
        "the table cannot be stored in the Iceberg catalog",
        where=f"column {path}",
        why=f"Iceberg has no type for DuckDB's {kind}",
        remedy="cast the column in the model, for example to varchar",
    )


def _struct(parts: dict[str, DuckDBType], path: str, ids: Iterator[int]) -> tuple[IcebergType, str]:
    fields, sql = [], []
    for name, kind in parts.items():
        number = next(ids)
        iceberg, text = _stored(kind, f"{path}.{name}", ids)
        fields.append(NestedField(number, name, iceberg, required=False))
        sql.append(f"{quoted(name)} {text}")
    return StructType(*fields), f"STRUCT({', '.join(sql)})"
