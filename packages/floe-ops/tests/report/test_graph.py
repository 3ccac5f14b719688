from __future__ import annotations

from typing import Any

from floe_ops import plan
from floe_ops.report import graph


def _units(**walls: float) -> list[dict[str, Any]]:
    return [
        {"session": s.name, "requires": list(s.requires), "status": "passed", "wall_s": walls.get(s.slug, 1.0)}
        for s in plan.load().sessions.values()
    ]


def test_boxes_do_not_overlap_and_requirements_point_to_the_right() -> None:
    drawing = graph.layout(_units())

    places = {(box.x, box.y) for box in drawing.boxes}
    assert len(places) == len(plan.load().sessions)
    assert all(line.x1 < line.x2 for line in drawing.lines)
    assert all(box.x + graph.WIDTH <= drawing.width and box.y + graph.HEIGHT <= drawing.height for box in drawing.boxes)


def test_the_critical_path_is_marked() -> None:
    drawing = graph.layout(_units(cube_multiarch=50.0))

    assert {box.session for box in drawing.boxes if box.critical} == {"cube_multiarch", "final"}
    assert [(line.x1, line.x2) for line in drawing.lines if line.critical]


def test_a_part_of_the_plan_can_be_drawn() -> None:
    drawing = graph.layout([unit for unit in _units() if unit["session"] == "otel"])

    assert len(drawing.boxes) == 1
    assert drawing.lines == []
