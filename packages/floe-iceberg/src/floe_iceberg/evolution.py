"""A table takes the columns of the rows that are about to be written, in the commit of the rows.

What Iceberg allows (spec, "Schema Evolution"): columns are added, dropped and put in another order, int becomes long,
float double, a decimal gains digits before its point, required becomes optional. Files that were written before are
read in the new shape, snapshots before it keep their own.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from floe_core.errors import WrongStateError
from pyiceberg.types import (
    DecimalType,
    DoubleType,
    FloatType,
    IntegerType,
    ListType,
    LongType,
    MapType,
    StructType,
)

from floe_iceberg.internals import iceberg_schema, table_of
from floe_iceberg.naming import dotted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyiceberg.table import Transaction
    from pyiceberg.table.metadata import TableMetadata
    from pyiceberg.table.update.schema import UpdateSchema
    from pyiceberg.types import IcebergType, NestedField

    from floe_iceberg.internals import ArrowSchema

Path = tuple[str, ...]


def evolve(transaction: Transaction, wanted: ArrowSchema, *, keep: bool = False) -> None:
    """Give the table the columns of `wanted`, a `pyarrow.Schema`, in the commit of the transaction.

    A column that the rows have narrower than the table (int in a long) stays as it is; so does an optional column that
    the rows never leave empty. A new column is optional, because the rows before it do not have it.

    Args:
        transaction: Whose commit brings the rows.
        wanted: The columns of the rows.
        keep: Whether a column that the rows lack stays, optional and empty in them: rows of before have values there.

    Raises:
        WrongStateError: Iceberg forbids the change; names the table, the column, both types, and what can be done.
    """
    _Evolution(transaction, keep=keep).to(wanted)


class _Evolution:
    def __init__(self, transaction: Transaction, *, keep: bool) -> None:
        self._transaction = transaction
        self._keep = keep
        self._name = dotted(table_of(transaction).name())
        self._metadata = transaction.table_metadata
        self._held = dict(_held(self._metadata))

    def to(self, wanted: ArrowSchema) -> None:
        before = self._metadata.schema().as_struct()
        after = iceberg_schema(wanted, self._metadata.format_version).as_struct()
        with self._transaction.update_schema() as update:
            self._struct(update, (), before, after)

    def _struct(self, update: UpdateSchema, path: Path, before: StructType, after: StructType) -> None:
        old = {field.name: field for field in before.fields}
        new = {field.name: field for field in after.fields}
        lacking = [name for name in old if name not in new]
        for name in lacking:
            (self._loosen if self._keep else self._drop)(update, (*path, name), old[name])
        for name, field in new.items():
            if name in old:
                self._field(update, (*path, name), old[name], field)
            else:
                update.add_column((*path, name), field.field_type, doc=field.doc)
        remaining = list(old) if self._keep else [name for name in old if name in new]
        added = [name for name in new if name not in old]
        _reorder(update, path, [*remaining, *added], [*remaining, *added] if self._keep else list(new))

    def _drop(self, update: UpdateSchema, path: Path, field: NestedField) -> None:
        if field.field_id in self._held:
            raise self._refused(
                path,
                f"the rows no longer have it, and {self._held[field.field_id]}",
                "keep the column, or drop the table and build it anew",
            )
        update.delete_column(path)

    def _field(self, update: UpdateSchema, path: Path, before: NestedField, after: NestedField) -> None:
        if not after.required:
            self._loosen(update, path, before)
        self._type(update, path, before.field_type, after.field_type)

    def _loosen(self, update: UpdateSchema, path: Path, field: NestedField) -> None:
        if not field.required:
            return
        if field.field_id in self._metadata.schema().identifier_field_ids:
            raise self._refused(path, "it identifies the rows, and the new ones may lack it", "keep it required")
        update.make_column_optional(path)

    def _type(self, update: UpdateSchema, path: Path, before: IcebergType, after: IcebergType) -> None:
        if isinstance(before, StructType) and isinstance(after, StructType):
            self._struct(update, path, before, after)
        elif isinstance(before, ListType) and isinstance(after, ListType):
            self._field(update, (*path, "element"), before.element_field, after.element_field)
        elif isinstance(before, MapType) and isinstance(after, MapType):
            self._key(path, before.key_type, after.key_type)
            self._field(update, (*path, "value"), before.value_field, after.value_field)
        elif widens(before, after):
            update.update_column(path, field_type=after)
        elif before != after and not widens(after, before):
            raise self._refused(
                path,
                f"it is {before} and the rows have {after}; Iceberg only widens int to long, float to double, and a "
                "decimal's precision",
                f"cast it to {before} in the model, give the new column another name, or drop the table",
            )

    def _key(self, path: Path, before: IcebergType, after: IcebergType) -> None:
        if str(before) != str(after):
            why = f"its keys are {before} and the rows have {after}; Iceberg never changes a map's keys"
            raise self._refused(path, why, "give the new column another name, or drop the table")

    def _refused(self, path: Path, why: str, remedy: str) -> WrongStateError:
        where = f"{self._name}.{dotted(path)}"
        return WrongStateError("the table cannot take the new rows' columns", where=where, why=why, remedy=remedy)


def widens(before: IcebergType, after: IcebergType) -> bool:
    """Whether Iceberg lets a column of the type `before` become `after`, which can hold more."""
    match before, after:
        case (IntegerType(), LongType()) | (FloatType(), DoubleType()):
            return True
        case DecimalType(), DecimalType():
            return before.scale == after.scale and before.precision < after.precision
        case _:
            return False


def _held(metadata: TableMetadata) -> Iterator[tuple[int, str]]:
    """Columns that cannot go, with the reason."""
    for spec in metadata.partition_specs:
        yield from ((field.source_id, "files are partitioned by it") for field in spec.fields)
    for order in metadata.sort_orders:
        yield from ((field.source_id, "the table is sorted by it") for field in order.fields)
    yield from ((field_id, "it identifies the rows") for field_id in metadata.schema().identifier_field_ids)


def _reorder(update: UpdateSchema, path: Path, names: list[str], wanted: list[str]) -> None:
    if names == wanted:
        return
    update.move_first((*path, wanted[0]))
    for before, name in itertools.pairwise(wanted):
        update.move_after((*path, name), (*path, before))
