"""Which rows of a table belong to the partitions that a run of a partitioned asset is about."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from dagster import InputContext, MultiPartitionsDefinition, OutputContext, TimeWindowPartitionsDefinition
from floe_core.plugins.orchestrator import OrchestratorError

if TYPE_CHECKING:
    from dagster import PartitionsDefinition
    from pyiceberg.expressions import BooleanExpression

PARTITION_EXPR: Final = "partition_expr"
"""Metadata of a partitioned asset: the column that its partitions go by; by dimension where it has several."""


def rows_of(
    context: InputContext | OutputContext, metadata: Mapping[str, Any] | None, schema: Any
) -> "BooleanExpression":
    """The rows of the partitions that `context` is about.

    A time window takes the rows from its start on and before its end. Columns that are dates are compared with the
    window's days, timestamps without a zone count as UTC.

    Args:
        context: Of an output or input that has partitions.
        metadata: The asset's, which names the column.
        schema: The `pyarrow.Schema` of the rows.

    Raises:
        OrchestratorError: The asset does not say which column its partitions go by, or the rows do not have it.
    """
    from pyiceberg.expressions import AlwaysFalse, Or

    definition = context.asset_partitions_def
    column = (metadata or {}).get(PARTITION_EXPR)
    if not column:
        raise OrchestratorError(
            "the partitions have no column",
            where=f"metadata {PARTITION_EXPR}",
            why="the asset is partitioned, and does not say by which column",
            remedy=f"name the column under {PARTITION_EXPR}",
        )
    found: BooleanExpression = AlwaysFalse()
    for key in context.asset_partition_keys:
        found = Or(found, _of_key(definition, key, column, schema))
    return found


def _of_key(definition: "PartitionsDefinition[Any]", key: str, column: Any, schema: Any) -> "BooleanExpression":
    from pyiceberg.expressions import And, EqualTo, GreaterThanOrEqual, LessThan

    if isinstance(definition, MultiPartitionsDefinition):
        parts = definition.get_partition_key_from_str(key).keys_by_dimension
        by_dimension = column if isinstance(column, Mapping) else {}
        missing = sorted(set(parts) - set(by_dimension))
        if missing:
            raise OrchestratorError(
                "the partitions have no column",
                where=f"metadata {PARTITION_EXPR}",
                why=f"the dimension {missing[0]} is not named there",
                remedy="name a column for each dimension",
            )
        definitions = {one.name: one.partitions_def for one in definition.partitions_defs}
        every = [_of_key(definitions[name], part, by_dimension[name], schema) for name, part in sorted(parts.items())]
        return every[0] if len(every) == 1 else And(*every)
    name: Any = str(column)  # PyIceberg's expressions take names and plain values, and say so nowhere
    kind = _type_of(name, schema)
    if isinstance(definition, TimeWindowPartitionsDefinition):
        window = definition.time_window_for_partition_key(key)
        start, end = _moment(window.start, kind), _moment(window.end, kind)
        return And(GreaterThanOrEqual(term=name, value=start), LessThan(term=name, value=end))
    value: Any = key
    return EqualTo(term=name, value=value)


def _type_of(column: str, schema: Any) -> Any:
    if column not in schema.names:
        raise OrchestratorError(
            f"the rows have no column {column}",
            where=f"metadata {PARTITION_EXPR}",
            why=f"their columns are {', '.join(schema.names)}",
            remedy=f"name one of them under {PARTITION_EXPR}",
        )
    return schema.field(column).type


def _moment(moment: datetime, kind: Any) -> Any:
    """A moment in the text that Iceberg compares a column of that type with."""
    import pyarrow as pa  # type: ignore[import-untyped] # the wheel carries no types

    if pa.types.is_date(kind):
        return moment.date().isoformat()
    in_utc = moment.astimezone(UTC)
    return in_utc.isoformat() if getattr(kind, "tz", None) else in_utc.replace(tzinfo=None).isoformat()
