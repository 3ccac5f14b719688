"""The phase graph as positions: columns are phases, boxes are sessions, lines are requirements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH, HEIGHT, GAP_X, GAP_Y, MARGIN = 190, 46, 70, 14, 10  # pixels of the drawing


@dataclass(frozen=True)
class Box:
    """One session: where it stands (pixels), what it says, whether it lies on the critical path."""

    x: int
    y: int
    session: str
    status: str
    detail: str
    critical: bool


@dataclass(frozen=True)
class Line:
    """One requirement, from the right edge of a box to the left edge of another."""

    x1: int
    y1: int
    x2: int
    y2: int
    critical: bool


@dataclass(frozen=True)
class Graph:
    """A drawing of `width` by `height` pixels."""

    width: int
    height: int
    boxes: list[Box]
    lines: list[Line]


def layout(units: Sequence[dict[str, Any]]) -> Graph:
    """Place sessions by how many requirements deep they lie; every requirement points to the right."""
    by_name = {unit["session"]: unit for unit in units}
    column: dict[str, int] = {}
    for unit in units:  # in the order of the plan, so requirements come first
        column[unit["session"]] = 1 + max((column.get(name, -1) for name in unit["requires"]), default=-1)
    rows: dict[int, int] = {}
    place: dict[str, tuple[int, int]] = {}
    for unit in units:
        at = column[unit["session"]]
        place[unit["session"]] = (MARGIN + at * (WIDTH + GAP_X), MARGIN + rows.get(at, 0) * (HEIGHT + GAP_Y))
        rows[at] = rows.get(at, 0) + 1
    critical = _critical(by_name)
    boxes = [_box(unit, place[unit["session"]], critical) for unit in units]
    lines = [
        Line(
            place[name][0] + WIDTH,
            place[name][1] + HEIGHT // 2,
            place[unit["session"]][0],
            place[unit["session"]][1] + HEIGHT // 2,
            critical=name in critical and unit["session"] in critical,
        )
        for unit in units
        for name in unit["requires"]
        if name in place
    ]
    columns, deepest = max(column.values(), default=0) + 1, max(rows.values(), default=1)
    return Graph(
        2 * MARGIN + columns * WIDTH + (columns - 1) * GAP_X,
        2 * MARGIN + deepest * HEIGHT + (deepest - 1) * GAP_Y,
        boxes,
        lines,
    )


def _box(unit: dict[str, Any], place: tuple[int, int], critical: set[str]) -> Box:
    timed = unit["status"] not in {"up_to_date", "blocked"}
    detail = str(unit["status"]).replace("_", " ") + (f" · {unit['wall_s']:.1f} s" if timed else "")
    return Box(*place, unit["session"], unit["status"], detail, critical=unit["session"] in critical)


def _critical(by_name: dict[str, dict[str, Any]]) -> set[str]:
    """The sessions on the longest chain of requirements, by time."""
    longest: dict[str, tuple[float, list[str]]] = {}
    for name, unit in by_name.items():
        before = max((longest[one] for one in unit["requires"] if one in longest), default=(0.0, []))
        longest[name] = (before[0] + unit["wall_s"], [*before[1], name])
    return set(max(longest.values(), default=(0.0, []))[1])
