"""Measures: what is counted and added up.

Every cube has `count`. With `numeric_measures: sum` each numeric column that can be added up also gets
`total_<column>`. It can be unless it is a key, is not public, or its name says that a sum means nothing: an average, a
ratio, a rank, an age, a year, an id. `meta.cube.aggregate` of a column replaces the rule for it, and
`meta.cube.measures` of the model adds the rest.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from floe_semantic_cube import names

if TYPE_CHECKING:
    from collections.abc import Iterable

    from floe_semantic_cube.dimensions import Dimension
    from floe_semantic_cube.overrides import Measure

COUNT = "count"
_NOT_ADDITIVE = re.compile(
    r"(^|_)(id|key|code|number|no|avg|average|mean|median|ratio|rate|pct|percent|percentage|share|score|rank|order|"
    r"position|index|price|age|since|until|lifetime|year|quarter|month|week|day|hour|min|max|minimum|maximum|first|last|"
    r"latitude|longitude|lat|lon|version|level)(_|$)"
)
_PREFIX = {"sum": "total", "avg": "average", "min": "least", "max": "greatest", "count_distinct": "distinct"}


def of_cube(
    dimensions: Iterable[Dimension], declared: Iterable[Measure], *, rule: str, place: str
) -> list[dict[str, Any]]:
    """All measures of a cube, `count` first, then by column, then as declared.

    Raises:
        SemanticLayerError: A declared one has a name or SQL that Cube does not take.
    """
    columns = list(dimensions)
    own = [_declared(one, place) for one in declared]
    taken = {one.name.casefold() for one in columns} | {one["name"].casefold() for one in own}
    found: list[dict[str, Any]] = [] if COUNT in {one["name"] for one in own} else [{"name": COUNT, "type": "count"}]
    for column in columns:
        automatic = column.aggregate is None
        for kind in (("sum",) if _adds_up(column, rule) else ()) if automatic else column.aggregate or ():
            name = f"{_PREFIX[kind]}_{column.name}"
            # A column or a measure of that name is what the author meant.
            if not (automatic and name.casefold() in taken):
                found.append(_aggregate(name, kind, column))
    return found + own


def _adds_up(column: Dimension, rule: str) -> bool:
    plain = column.type == "number" and column.public and not column.is_key
    return rule == "sum" and plain and not _NOT_ADDITIVE.search(column.column.lower())


def _aggregate(name: str, kind: str, column: Dimension) -> dict[str, Any]:
    measure: dict[str, Any] = {"name": name, "type": kind, "sql": column.sql}
    if column.description:
        measure["description"] = column.description
    if column.format == "currency" and kind != "count_distinct":
        measure["format"] = column.format
    if not column.public:
        measure["public"] = False
    return measure


def _declared(measure: Measure, place: str) -> dict[str, Any]:
    written = measure.model_dump(exclude_none=True, exclude_defaults=True)
    written["name"] = names.member_name(measure.name, place=place)
    if measure.sql is not None:
        written["sql"] = names.sql(measure.sql, place=f"{place}: measure {measure.name}")
    if measure.filters:
        written["filters"] = [{"sql": names.sql(one.sql, place=place)} for one in measure.filters]
    for field in {"title", "description"} & written.keys():
        written[field] = names.text(written[field])
    return written
