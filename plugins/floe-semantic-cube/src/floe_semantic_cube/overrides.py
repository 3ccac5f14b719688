"""`meta.cube` of a dbt model, a column or a test: what dbt has no word for.

models:
  - name: mart_orders
    config:
      meta:
        cube:
          measures: [{ name: revenue, type: sum, sql: "{CUBE}.amount" }]
          segments: [{ name: paid, sql: "{CUBE}.status = 'paid'" }]
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias, TypeVar

from floe_core.plugins import SemanticLayerError
from pydantic import BaseModel, ConfigDict, Field, StrictBool, ValidationError, model_validator

from floe_semantic_cube.config import EVERY

if TYPE_CHECKING:
    from collections.abc import Mapping

DimensionType: TypeAlias = Literal["string", "number", "time", "boolean"]
Aggregate: TypeAlias = Literal["sum", "avg", "min", "max", "count_distinct"]
Granularity: TypeAlias = Literal["second", "minute", "hour", "day", "week", "month", "quarter", "year"]
Sql: TypeAlias = Annotated[str, Field(min_length=1, max_length=20_000)]
Words: TypeAlias = Annotated[str, Field(max_length=2_000)]


class _Override(BaseModel):
    """A part of `meta.cube`; an unknown field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class RefreshKey(_Override):
    """When Cube asks again: after a time, or when a query's answer changes."""

    every: Annotated[str, Field(pattern=EVERY)] | None = None
    sql: Sql | None = None

    @model_validator(mode="after")
    def _one(self) -> RefreshKey:
        if self.every is None and self.sql is None:
            raise ValueError("a refresh key has every, sql or both")
        return self


class Filter(_Override):
    """A condition of a measure."""

    sql: Sql


class Measure(_Override):
    """A measure; `sql` is needed by all types but `count`."""

    name: str
    type: Literal["count", "count_distinct", "count_distinct_approx", "sum", "avg", "min", "max", "number"]
    sql: Sql | None = None
    title: Words | None = None
    description: Words | None = None
    format: Literal["percent", "currency"] | None = None
    public: StrictBool | None = None
    filters: tuple[Filter, ...] = ()

    @model_validator(mode="after")
    def _of(self) -> Measure:
        if self.sql is None and self.type != "count":
            raise ValueError(f"a measure of type {self.type} needs sql")
        return self


class Segment(_Override):
    """A named condition."""

    name: str
    sql: Sql
    title: Words | None = None
    description: Words | None = None
    public: StrictBool | None = None


class PreAggregation(_Override):
    """A rollup that Cube keeps; members are named without the cube."""

    name: str
    measures: tuple[str, ...] = ()
    dimensions: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    time_dimension: str | None = None
    granularity: Granularity | None = None
    partition_granularity: Literal["hour", "day", "week", "month", "quarter", "year"] | None = None
    refresh_key: RefreshKey | None = None
    external: StrictBool | None = None
    scheduled_refresh: StrictBool | None = None

    @model_validator(mode="after")
    def _whole(self) -> PreAggregation:
        if (self.time_dimension is None) != (self.granularity is None):
            raise ValueError("time_dimension and granularity are given together or not at all")
        if self.partition_granularity is not None and self.time_dimension is None:
            raise ValueError("partitions need a time_dimension")
        if not (self.measures or self.dimensions):
            raise ValueError("a rollup holds a measure or a dimension")
        return self


class ModelOverride(_Override):
    """`meta.cube` of a model."""

    name: str | None = None
    title: Words | None = None
    description: Words | None = None
    public: StrictBool | None = None
    hidden: StrictBool = False
    primary_key: tuple[str, ...] = ()
    refresh_key: RefreshKey | None = None
    measures: tuple[Measure, ...] = ()
    segments: tuple[Segment, ...] = ()
    pre_aggregations: tuple[PreAggregation, ...] = ()


class ColumnOverride(_Override):
    """`meta.cube` of a column. `hidden` leaves the column out; `public: false` keeps it for joins and measures."""

    name: str | None = None
    title: Words | None = None
    type: DimensionType | None = None
    format: Literal["percent", "currency", "imageUrl", "link", "id"] | None = None
    public: StrictBool | None = None
    hidden: StrictBool = False
    primary_key: StrictBool = False
    aggregate: tuple[Aggregate, ...] | None = None


class RelationOverride(_Override):
    """`meta.cube` of a relationships test."""

    join: StrictBool = True


Shape = TypeVar("Shape", ModelOverride, ColumnOverride, RelationOverride)


def read(shape: type[Shape], meta: Mapping[str, Any], *, place: str) -> Shape:
    """The override in `meta`, or an empty one.

    Raises:
        SemanticLayerError: It is written wrongly.
    """
    try:
        return shape.model_validate(meta.get("cube") or {})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise SemanticLayerError(
            "meta.cube is written wrongly",
            where=f"{place}: meta.cube.{'.'.join(map(str, first['loc']))}",
            why=first["msg"],
            remedy=f"what can be written there: {', '.join(sorted(shape.model_fields))}",
        ) from None
