"""What can be known of a model's columns: their types, the primary key, and which values are unique."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from floe_core.plugins import SemanticLayerError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from floe_semantic_cube.dbt_manifest import Column, GenericTest, Model
    from floe_semantic_cube.overrides import DimensionType, ModelOverride

_NUMBERS = re.compile(
    r"(u?(tiny|small|medium|big|huge)?int(eger)?|u?int(1|2|4|8|16|32|64|128)|ubigint|byteint|long|short|(big)?serial|"
    r"dec|(big)?decimal|(big)?numeric|number|fixed|float(4|8|32|64)?|double|real|money)\Z"
)
_BOOLEANS = frozenset({"boolean", "bool", "logical"})
_TIMES = re.compile(r"(date|datetime|datetime2|smalldatetime|timestamp\w*)\b")
_PARAMETERS = re.compile(r"\([^()]*\)")


def cube_type(data_type: str) -> DimensionType:
    """Cube's type for a database's: nested types, times of day and everything unknown are strings."""
    plain = _PARAMETERS.sub("", data_type.lower()).strip()
    if "[" in plain or "<" in plain or "(" in plain:
        return "string"
    first = plain.split(" ", 1)[0]
    if _NUMBERS.match(first):
        return "number"
    if first in _BOOLEANS:
        return "boolean"
    return "time" if _TIMES.match(plain) else "string"


def primary_key(model: Model, tests: Iterable[GenericTest], override: ModelOverride, marked: list[str]) -> list[str]:
    """Columns that together name a row, by the first of these that says so.

    `meta.cube.primary_key` of the model; of columns (`marked`); a primary_key constraint; the first column that is
    both unique and not null; dbt_utils' unique_combination_of_columns.

    Raises:
        SemanticLayerError: The override names a column that is not documented.
    """
    if override.primary_key or marked:
        chosen = list(override.primary_key) or marked
        if missing := [name for name in chosen if name not in model.columns]:
            raise SemanticLayerError(
                f"the primary key of {model.name} names {missing[0]!r}, which is no column of it",
                where=f"{model.place}: meta.cube.primary_key",
                remedy=f"columns: {', '.join(sorted(model.columns)) or 'none is documented'}",
            )
        return chosen
    if constrained := _constrained(model, "primary_key"):
        return constrained
    attached = list(tests)
    sole, filled = unique_columns(model, attached), _said(model, attached, "not_null")
    for name in model.columns:
        if name in sole and name in filled:
            return [name]
    return _combination(model, attached)


def unique_columns(model: Model, tests: Iterable[GenericTest]) -> set[str]:
    """Columns of which no value comes twice, by test or constraint."""
    sole = _said(model, tests, "unique")
    key = _constrained(model, "primary_key")
    return sole | set(key) if len(key) == 1 else sole


def _said(model: Model, tests: Iterable[GenericTest], what: str) -> set[str]:
    tested = {
        test.column_name
        for test in tests
        if test.column_name is not None and test.test_metadata.name == what and test.is_strict
    }
    constrained = {
        name for name, column in model.columns.items() if any(one.type == what for one in column.constraints)
    }
    whole = {one.columns[0] for one in model.constraints if one.type == what and one.columns and len(one.columns) == 1}
    return tested | constrained | whole


def _constrained(model: Model, what: str) -> list[str]:
    for constraint in model.constraints:
        if constraint.type == what and constraint.columns:
            return [name for name in constraint.columns if name in model.columns]
    return [name for name, column in model.columns.items() if any(one.type == what for one in column.constraints)]


def _combination(model: Model, tests: Iterable[GenericTest]) -> list[str]:
    for test in tests:
        columns = test.test_metadata.kwargs.get("combination_of_columns")
        wanted = test.test_metadata.name == "unique_combination_of_columns" and test.is_strict
        if wanted and isinstance(columns, list):
            names = [name for name in columns if isinstance(name, str) and name in model.columns]
            if len(names) == len(columns):
                return names
    return []


def quoted(column: Column, adapter: str, *, place: str) -> str:
    """The column as SQL: quoted only where it must be, so that the database's folding of case stays at work.

    Raises:
        SemanticLayerError: As for `quote`.
    """
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", column.name) and not column.quote:
        return column.name
    return quote(column.name, adapter, place=place)


def quote(name: str, adapter: str, *, place: str) -> str:
    """An identifier in the quotes of the adapter's database.

    Raises:
        SemanticLayerError: The name holds what would end the quotes, or what Cube reads as its own.
    """
    if not name or any(sign in name for sign in '{}"`\\') or not name.isprintable():
        raise SemanticLayerError(
            f"{name[:140]!r} cannot be written as an identifier in Cube's SQL",
            where=place,
            why="it is empty or holds a quote, a backslash, a brace or a line break",
            remedy="rename it in the dbt project",
        )
    mark = "`" if adapter in {"bigquery", "databricks", "spark", "mysql"} else '"'
    return f"{mark}{name}{mark}"
