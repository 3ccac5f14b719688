"""The schema of a table whose rows are all replaced: a field that stays keeps its id, any other gets a new one."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from floe_iceberg.evolution import widens
from pyiceberg.schema import Schema
from pyiceberg.types import ListType, MapType, NestedField, PrimitiveType, StructType

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from pyiceberg.types import IcebergType


def described(schema: Schema, required: Collection[str], docs: Mapping[str, str]) -> Schema:
    """The schema with its columns' constraints and descriptions; names are compared without regard to case."""
    lower = {name.lower() for name in required}
    words = {name.lower(): text for name, text in docs.items()}
    fields = (
        field.model_copy(update={"required": field.name.lower() in lower, "doc": words.get(field.name.lower()) or None})
        for field in schema.fields
    )
    return Schema(*fields)


def fitted(wanted: Schema, current: Schema, last_id: int) -> Schema:
    """`wanted` with the ids of `current` where name and place are the same and Iceberg lets the type become the new.

    No row of before is kept, so a column whose type changes otherwise is one column that goes and another that comes:
    snapshots of before keep the old one. A description that `wanted` does not give stays.
    """
    ids = itertools.count(last_id + 1)
    return Schema(*_fields(wanted.as_struct(), current.as_struct(), ids))


def _fields(wanted: StructType, current: StructType | None, ids: Iterator[int]) -> Iterator[NestedField]:
    held = {field.name: field for field in current.fields} if current else {}
    for field in wanted.fields:
        old = held.get(field.name)
        if old is None or not _becomes(old.field_type, field.field_type):
            number, before = next(ids), None
        else:
            number, before = old.field_id, old.field_type
        kind = _type(field.field_type, before, ids)
        doc = field.doc or (old.doc if old is not None else None)
        yield NestedField(number, field.name, kind, required=field.required, doc=doc)


def _becomes(old: IcebergType, new: IcebergType) -> bool:
    if isinstance(old, PrimitiveType) or isinstance(new, PrimitiveType):
        return old == new or widens(old, new)
    if isinstance(old, MapType) and isinstance(new, MapType):
        return str(old.key_type) == str(new.key_type)
    return type(old) is type(new)


def _type(wanted: IcebergType, current: IcebergType | None, ids: Iterator[int]) -> IcebergType:
    if isinstance(wanted, StructType):
        return StructType(*_fields(wanted, current if isinstance(current, StructType) else None, ids))
    if isinstance(wanted, ListType):
        held = _Held(current.element_id, current.element_type) if isinstance(current, ListType) else None
        number, kind = _part(wanted.element_type, held, ids)
        return ListType(number, kind, element_required=wanted.element_required)
    if isinstance(wanted, MapType):
        key = _Held(current.key_id, current.key_type) if isinstance(current, MapType) else None
        value = _Held(current.value_id, current.value_type) if isinstance(current, MapType) else None
        key_id, key_type = _part(wanted.key_type, key, ids)
        value_id, value_type = _part(wanted.value_type, value, ids)
        return MapType(key_id, key_type, value_id, value_type, value_required=wanted.value_required)
    return wanted


class _Held:
    def __init__(self, number: int, kind: IcebergType) -> None:
        self.number = number
        self.kind = kind


def _part(wanted: IcebergType, held: _Held | None, ids: Iterator[int]) -> tuple[int, IcebergType]:
    if held is None or not _becomes(held.kind, wanted):
        return next(ids), _type(wanted, None, ids)
    return held.number, _type(wanted, held.kind, ids)
