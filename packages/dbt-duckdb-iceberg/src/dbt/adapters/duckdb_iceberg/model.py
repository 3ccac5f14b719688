"""What a model says of its table: columns, constraints, partitioning, properties, descriptions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dbt.adapters.duckdb_iceberg.listing import COMMENT
from dbt.adapters.duckdb_iceberg.replacing import Wanted
from dbt.adapters.duckdb_iceberg.schemas import described
from dbt_common.invocation import get_invocation_id
from floe_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pyiceberg.schema import Schema


def wanted(
    identifier: tuple[str, ...], schema: Schema, model: Mapping[str, Any], describe: Mapping[str, bool]
) -> Wanted:
    """The table of a node.

    Args:
        identifier: Namespace and name.
        schema: The query's columns.
        model: The node.
        describe: Whether `relation` and `columns` are described.

    Raises:
        UsageError: `partition_by` or `table_properties` is not what it must be.
    """
    config = model.get("config", {})
    docs = {name: column.get("description", "") for name, column in model.get("columns", {}).items()}
    properties = dict(_properties(config.get("table_properties") or {}, identifier[-1]))
    if describe.get("relation") and model.get("description"):
        properties[COMMENT] = model["description"]
    return Wanted(
        identifier=identifier,
        schema=described(schema, set(_required(model)), docs if describe.get("columns") else {}),
        partition_by=_partition_by(config.get("partition_by") or config.get("partitioned_by") or [], identifier[-1]),
        properties=properties,
        noted={"dbt.invocation-id": get_invocation_id(), "dbt.unique-id": model.get("unique_id", "")},
    )


def _required(model: Mapping[str, Any]) -> Iterator[str]:
    if not model.get("config", {}).get("contract", {}).get("enforced"):
        return
    for name, column in model.get("columns", {}).items():
        if any(_is_not_null(constraint) for constraint in column.get("constraints") or ()):
            yield name
    for constraint in model.get("constraints") or ():
        if _is_not_null(constraint):
            yield from constraint.get("columns") or ()


def _is_not_null(constraint: Mapping[str, Any]) -> bool:
    return str(constraint.get("type")) in ("not_null", "ConstraintType.not_null")


def _partition_by(given: object, name: str) -> tuple[str, ...]:
    words = [given] if isinstance(given, str) else given
    if isinstance(words, list) and all(isinstance(word, str) for word in words):
        return tuple(words)
    remedy = 'write it as a list, for example ["day(recorded_at)", "region"]'
    raise UsageError("partition_by is no list of words", where=f"model {name}", why=f"it is {given!r}", remedy=remedy)


def _properties(given: object, name: str) -> Iterator[tuple[str, str]]:
    if not isinstance(given, dict):
        remedy = "write it as a mapping of property names to values"
        raise UsageError("table_properties is no mapping", where=f"model {name}", why=f"it is {given!r}", remedy=remedy)
    for key, value in given.items():
        yield str(key), str(value).lower() if isinstance(value, bool) else str(value)
