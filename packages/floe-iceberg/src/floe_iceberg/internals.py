"""What PyIceberg 0.12 keeps private and this package needs: its next version breaks one module only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from pyiceberg.io.pyarrow import _pyarrow_to_schema_without_ids
from pyiceberg.schema import Schema, assign_fresh_schema_ids

if TYPE_CHECKING:
    from pyiceberg.table import Table, Transaction
    from pyiceberg.typedef import TableVersion

NANOSECONDS_SINCE: Final = 3
"""Tables of an older format hold microseconds, as Iceberg's specification has it."""

ArrowSchema: TypeAlias = Any
"""A `pyarrow.Schema`; pyarrow publishes no types."""


def table_of(transaction: Transaction) -> Table:
    """The table that a transaction changes, as it was when the transaction began."""
    return transaction._table  # noqa: SLF001 - a transaction tells neither name nor FileIO of its table


def iceberg_schema(arrow: ArrowSchema, format_version: TableVersion = 2) -> Schema:
    """The Iceberg schema of Arrow columns, with ids as a new table would number them.

    Raises:
        TypeError: Iceberg has no such type.
    """
    bare = _pyarrow_to_schema_without_ids(
        arrow, downcast_ns_timestamp_to_us=format_version < NANOSECONDS_SINCE, format_version=format_version
    )
    return assign_fresh_schema_ids(bare)
