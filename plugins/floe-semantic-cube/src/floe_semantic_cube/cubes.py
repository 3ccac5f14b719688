"""Cubes: one for each selected dbt model."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from floe_core.plugins import SemanticLayerError

from floe_semantic_cube import columns, dimensions, measures, names, overrides

if TYPE_CHECKING:
    from collections.abc import Mapping

    from floe_semantic_cube.config import CubeConfig
    from floe_semantic_cube.dbt_manifest import Column, Manifest, Model


@dataclass
class Cube:
    """A cube in the making.

    Attributes:
        name: Its name.
        model: The dbt model behind it.
        override: `meta.cube` of the model.
        key: Columns of the primary key.
        unique: Columns of which no value comes twice.
        dimensions: Its dimensions.
        measures: Its measures, as they are written.
        joins: Its joins, as they are written.
    """

    name: str
    model: Model
    override: overrides.ModelOverride
    key: tuple[str, ...]
    unique: frozenset[str]
    dimensions: list[dimensions.Dimension]
    measures: list[dict[str, Any]]
    joins: list[dict[str, Any]] = field(default_factory=list)

    @property
    def public(self) -> bool:
        """Whether people may ask for it."""
        if self.override.hidden:
            return False
        return self.override.public if self.override.public is not None else self.model.access != "private"

    def public_members(self) -> list[str]:
        """Names of the measures and dimensions, and of segments, that people may ask for."""
        written = [*self.measures, *(one.model_dump() for one in self.override.segments)]
        open_ones = [one["name"] for one in written if one.get("public") is not False]
        return open_ones + [one.name for one in self.dimensions if one.public]


def name_of(model: Model, override: overrides.ModelOverride) -> str:
    """The cube's name: the model's, with the version where it is not the latest.

    Raises:
        SemanticLayerError: Cube does not take it.
    """
    older = model.version is not None and model.version != model.latest_version
    plain = f"{model.name}_v{str(model.version).replace('.', '_')}" if older else model.name
    return names.cube_name(override.name or plain, place=model.place)


def draft(model: Model, manifest: Manifest, config: CubeConfig, classes: Mapping[str, str]) -> Cube:
    """The cube of `model`, without joins.

    Args:
        model: The dbt model.
        manifest: The manifest that it stands in.
        config: The plugin's configuration.
        classes: What the product says of the columns: classification by column.

    Raises:
        SemanticLayerError: It cannot be expressed; names model, column and file.
    """
    override = overrides.read(overrides.ModelOverride, model.all_meta, place=model.place)
    read = {
        name: overrides.read(overrides.ColumnOverride, column.all_meta, place=f"{model.place}, column {name[:140]}")
        for name, column in model.columns.items()
    }
    tests = manifest.tests_of(model)
    key = columns.primary_key(model, tests, override, [name for name, one in read.items() if one.primary_key])
    hidden = {one.casefold() for one in config.hidden_classifications}
    classified = {name for name, one in model.columns.items() if _classes(one, classes) & hidden}
    known = dimensions.Known(tuple(key), read, frozenset(classified), manifest.adapter)
    found = dimensions.of_model(model, known)
    counted = measures.of_cube(found, override.measures, rule=config.numeric_measures, place=model.place)
    cube = Cube(
        name=name_of(model, override),
        model=model,
        override=override,
        key=tuple(key),
        unique=frozenset(columns.unique_columns(model, tests)),
        dimensions=found,
        measures=counted,
    )
    _check_members(cube)
    return cube


def _classes(column: Column, classes: Mapping[str, str]) -> set[str]:
    """Every classification that somebody gave the column: the product, dbt's meta, or a tag.

    Compared without case: dbt takes `PII` and `EMAIL` where the product says `pii` and `email`.
    """
    said = column.all_meta.get("classification")
    own = [said] if isinstance(said, str) else []
    products = [given for name, given in classes.items() if name.casefold() == column.name.casefold()]
    return {one.casefold() for one in (*own, *products, *column.all_tags)}


def _check_members(cube: Cube) -> None:
    place = cube.model.place
    segments = [names.member_name(one.name, place=place) for one in cube.override.segments]
    members = [one["name"] for one in cube.measures] + [one.name for one in cube.dimensions] + segments
    names.unique(members, kind="member", place=place)
    names.unique((one.name for one in cube.override.pre_aggregations), kind="rollup", place=place)
    for rollup in cube.override.pre_aggregations:
        names.member_name(rollup.name, place=place)
        wanted = [*rollup.measures, *rollup.dimensions, *rollup.segments]
        wanted += [rollup.time_dimension] if rollup.time_dimension else []
        for member in wanted:
            if member not in members:
                raise SemanticLayerError(
                    f"the rollup {rollup.name} names {member[:140]!r}, which the cube {cube.name} does not have",
                    where=f"{place}: meta.cube.pre_aggregations",
                    remedy=f"members: {', '.join(members)}",
                )


def written(cube: Cube, config: CubeConfig, adapter: str) -> dict[str, Any]:
    """The entry of the YAML file.

    Raises:
        SemanticLayerError: The relation's name or an SQL fragment is none for Cube.
    """
    override, place = cube.override, cube.model.place
    entry: dict[str, Any] = {"name": cube.name, "sql_table": _relation(cube.model, config.database, adapter)}
    if config.data_source != "default":
        entry["data_source"] = config.data_source
    if title := names.text(override.title or ""):
        entry["title"] = title
    if description := names.text(override.description or cube.model.description):
        entry["description"] = description
    if not cube.public:
        entry["public"] = False
    if refresh := _refresh(override.refresh_key, config.refresh_every, place):
        entry["refresh_key"] = refresh
    # In meta Cube keeps text as it is written, yet it parses it the same way.
    entry["meta"] = {
        "dbt": {"model": names.text(cube.model.unique_id), "tags": [names.text(tag) for tag in cube.model.tags]}
    }
    parts = {
        "joins": cube.joins,
        "dimensions": [one.written() for one in cube.dimensions],
        "measures": cube.measures,
        "segments": [_segment(one, place) for one in override.segments],
        "pre_aggregations": [_rollup(one, place) for one in override.pre_aggregations],
    }
    return entry | {key: part for key, part in parts.items() if part}


def _relation(model: Model, database: str, adapter: str) -> str:
    place = f"{model.place}: its relation"
    if model.relation_name and not database:
        if re.search(r"[{}\\]", model.relation_name) or not model.relation_name.isprintable():
            raise SemanticLayerError(
                f"the relation of {model.name[:140]} cannot be written in Cube's SQL",
                where=place,
                why="its name holds a brace, a backslash or a line break",
                remedy="rename it in the dbt project",
            )
        return model.relation_name
    parts = [database or model.database or "", model.db_schema, model.alias or model.name]
    return ".".join(columns.quote(part, adapter, place=place) for part in parts if part)


def _refresh(own: overrides.RefreshKey | None, every: str, place: str) -> dict[str, str]:
    if own is None:
        return {"every": every} if every else {}
    fields = own.model_dump(exclude_none=True)
    return {key: names.sql(value, place=f"{place}: refresh_key") for key, value in fields.items()}


def _segment(segment: overrides.Segment, place: str) -> dict[str, Any]:
    entry = segment.model_dump(exclude_none=True)
    entry["sql"] = names.sql(segment.sql, place=f"{place}: segment {segment.name}")
    for part in {"title", "description"} & entry.keys():
        entry[part] = names.text(entry[part])
    return entry


def _rollup(rollup: overrides.PreAggregation, place: str) -> dict[str, Any]:
    entry = rollup.model_dump(exclude_none=True, exclude_defaults=True)
    for part in ("measures", "dimensions", "segments"):
        if part in entry:
            entry[part] = [f"CUBE.{member}" for member in entry[part]]
    if rollup.time_dimension:
        entry["time_dimension"] = f"CUBE.{rollup.time_dimension}"
    if rollup.refresh_key is not None:
        entry["refresh_key"] = _refresh(rollup.refresh_key, "", place)
    return {"name": entry.pop("name"), "type": "rollup", **entry}
