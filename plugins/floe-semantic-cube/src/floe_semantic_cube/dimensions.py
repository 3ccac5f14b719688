"""Dimensions: one for each documented column that is not hidden."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from floe_semantic_cube import columns, names, overrides

if TYPE_CHECKING:
    from collections.abc import Mapping

    from floe_semantic_cube.dbt_manifest import Column, Model

DEFAULT_TYPE: overrides.DimensionType = "string"


@dataclass(frozen=True)
class Dimension:
    """A column as Cube will know it.

    Attributes:
        name: Its name in Cube.
        column: Its name in the database.
        sql: How Cube reads it.
        type: Cube's type.
        typed: Whether dbt or an override told the type.
        public: Whether people may ask for it.
        is_key: Whether it is part of the primary key.
        aggregate: Aggregations that `meta.cube` asks for; None leaves them to the rule.
        title: A title in Cube's escaping; empty for Cube's own.
        description: A description in Cube's escaping.
        format: How values are shown; empty for Cube's own.
    """

    name: str
    column: str
    sql: str
    type: overrides.DimensionType
    typed: bool
    public: bool
    is_key: bool
    aggregate: tuple[str, ...] | None
    title: str
    description: str
    format: str

    def written(self) -> dict[str, Any]:
        """The entry of the YAML file."""
        entry: dict[str, Any] = {"name": self.name, "sql": self.sql, "type": self.type}
        if self.is_key:
            # Cube hides a primary key unless it is told not to.
            entry |= {"primary_key": True, "public": self.public}
        elif not self.public:
            entry["public"] = False
        optional = {"title": self.title, "description": self.description, "format": self.format}
        return entry | {key: value for key, value in optional.items() if value}


@dataclass(frozen=True)
class Known:
    """What is known of a model besides its columns.

    Attributes:
        key: Columns of the primary key; they are never left out.
        read: `meta.cube` by column.
        classified: Columns that people may not see, because of their classification.
        adapter: dbt's adapter, for the quotes.
    """

    key: tuple[str, ...]
    read: Mapping[str, overrides.ColumnOverride]
    classified: frozenset[str]
    adapter: str


def of_model(model: Model, known: Known) -> list[Dimension]:
    """The dimensions in the order of the columns.

    Raises:
        SemanticLayerError: A column's name is none that Cube takes, or two are the same to it.
    """
    found = [
        _dimension(column, known, f"{model.place}, column {name[:140]}")
        for name, column in model.columns.items()
        if name in known.key or not known.read[name].hidden
    ]
    names.unique((one.name for one in found), kind="dimension", place=model.place)
    return found


def _dimension(column: Column, known: Known, place: str) -> Dimension:
    override = known.read[column.name]
    declared = override.type or (columns.cube_type(column.data_type) if column.data_type else None)
    # A classification is a rule of the platform: an override cannot make such a column public.
    public = override.public is not False and not override.hidden and column.name not in known.classified
    return Dimension(
        name=names.member_name(override.name or column.name, place=place),
        column=column.name,
        sql=f"{{CUBE}}.{columns.quoted(column, known.adapter, place=place)}",
        type=declared or DEFAULT_TYPE,
        typed=declared is not None,
        public=public,
        is_key=column.name in known.key,
        aggregate=override.aggregate,
        title=names.text(override.title or ""),
        description=names.text(column.description),
        format=override.format or "",
    )
