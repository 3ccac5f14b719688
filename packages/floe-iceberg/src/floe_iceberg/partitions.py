"""Partitioning in the words of a dbt model's `partition_by`: `day(recorded_at)`, `bucket(16, id)`, `region`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from floe_core.errors import UsageError
from pyiceberg.partitioning import PARTITION_FIELD_ID_START, PartitionField, PartitionSpec
from pyiceberg.transforms import (
    BucketTransform,
    DayTransform,
    HourTransform,
    IdentityTransform,
    MonthTransform,
    TruncateTransform,
    YearTransform,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pyiceberg.schema import Schema
    from pyiceberg.transforms import Transform
    from pyiceberg.types import NestedField

FORMS: Final = "a column, year(c), month(c), day(c), hour(c), bucket(n, c) or truncate(n, c)"

_PLAIN: Final[Mapping[str, Callable[[], Transform[Any, Any]]]] = {
    "identity": IdentityTransform,
    "year": YearTransform,
    "month": MonthTransform,
    "day": DayTransform,
    "hour": HourTransform,
}
_COUNTED: Final[Mapping[str, Callable[[int], Transform[Any, Any]]]] = {
    "bucket": BucketTransform,
    "truncate": TruncateTransform,
}
_CALL: Final = re.compile(r"(?P<name>[a-z]+)\(\s*(?:(?P<number>\d+)\s*,\s*)?(?P<column>[^(),]+?)\s*\)", re.IGNORECASE)


def parse(words: Sequence[str], schema: Schema) -> PartitionSpec:
    """The partition spec that the words describe, over the columns of `schema`.

    A field is named after its column and transform (`recorded_at_day`, `customer_id_bucket_16`), an identity after its
    column.

    Raises:
        UsageError: A word is none of the forms, or names a column that is not there, cannot be partitioned that way,
            or is named twice; says which word.
    """
    fields: list[PartitionField] = []
    for position, word in enumerate(words):
        transform, column = _read(word, schema)
        if any(field.source_id == column.field_id for field in fields):
            raise _refused(word, f"the column {column.name} partitions the table already", "name each column once")
        name = _named(column.name, transform, {field.name for field in schema.fields})
        fields.append(PartitionField(column.field_id, PARTITION_FIELD_ID_START + position, transform, name))
    return PartitionSpec(*fields)


def _read(word: str, schema: Schema) -> tuple[Transform[Any, Any], NestedField]:
    call = _CALL.fullmatch(word.strip())
    name = call["name"].lower() if call else "identity"
    number = call["number"] if call else None
    column = _column(word, call["column"] if call else word.strip(), schema)
    if name in _PLAIN and number is None:
        transform = _PLAIN[name]()
    elif name in _COUNTED and number is not None and int(number) > 0:
        transform = _COUNTED[name](int(number))
    else:
        raise _refused(word, "it is no transform of Iceberg", f"write {FORMS}")
    if not transform.can_transform(column.field_type):
        raise _refused(word, f"a {column.field_type} cannot be partitioned by {name}", f"write {FORMS}")
    return transform, column


def _column(word: str, name: str, schema: Schema) -> NestedField:
    found = next((field for field in schema.fields if field.name == name), None)
    if found is None:
        known = ", ".join(field.name for field in schema.fields)
        raise _refused(word, f"the table has no column {name}", f"write {FORMS}, where c is one of {known}")
    return found


def _named(column: str, transform: Transform[Any, Any], taken: set[str]) -> str:
    if isinstance(transform, IdentityTransform):
        return column
    name = f"{column}_{str(transform).replace('[', '_').rstrip(']')}"
    while name in taken:  # Iceberg wants the names of fields and of columns apart
        name += "_"
    return name


def _refused(word: str, why: str, remedy: str) -> UsageError:
    return UsageError("the table cannot be partitioned that way", where=f"partition_by: {word}", why=why, remedy=remedy)
