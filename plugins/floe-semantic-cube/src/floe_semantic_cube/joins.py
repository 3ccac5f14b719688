"""Joins: what dbt's `relationships` tests say of how tables hang together.

Such a test promises that a value exists on the other side, not that it exists once. A join on a value that comes twice
counts rows twice, so a join is made only where the other side is known to be unique and has a primary key,
which Cube needs to add up across a join. What is left out is told, with the reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from floe_semantic_cube import columns, overrides

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from floe_semantic_cube.cubes import Cube
    from floe_semantic_cube.dbt_manifest import GenericTest, Manifest


def connect(cubes: Mapping[str, Cube], manifest: Manifest) -> list[str]:
    """Add the joins to `cubes`, which are keyed by the model's unique id; a note for each that was left out."""
    notes: list[str] = []
    for cube in cubes.values():
        wanted: dict[str, list[tuple[str, str]]] = {}
        for target, here, there in _relationships(cube, manifest):
            pairs = wanted.setdefault(target, [])
            if (here, there) not in pairs:
                pairs.append((here, there))
        for target, pairs in sorted(wanted.items()):
            other = cubes.get(target)
            why = _obstacle(cube, other, pairs)
            if other is None or why:
                label = other.name if other else target.rpartition(".")[2]
                notes.append(f"{cube.name}: no join to {label}, because {why}")
            else:
                _join(cube, other, *pairs[0], manifest.adapter)
    return notes


def _relationships(cube: Cube, manifest: Manifest) -> Iterator[tuple[str, str, str]]:
    """Target's unique id, column here, column there."""
    for test in manifest.tests_of(cube.model):
        field = test.test_metadata.kwargs.get("field")
        if test.test_metadata.name != "relationships" or not isinstance(field, str) or test.column_name is None:
            continue
        place = f"{cube.model.place}: test relationships of {test.column_name[:140]}"
        if overrides.read(overrides.RelationOverride, test.all_meta, place=place).join:
            yield _target(test), test.column_name, field


def _target(test: GenericTest) -> str:
    others = [node for node in test.depends_on.nodes if node != test.attached_node]
    return others[0] if others else str(test.attached_node)


def _obstacle(cube: Cube, other: Cube | None, pairs: list[tuple[str, str]]) -> str:
    """Why there can be no join; empty when there can."""
    here, there = pairs[0]
    if other is None:
        return "that model is no cube"
    keyless = other if cube.key else cube
    ways = ", ".join(f"{one} to {two}" for one, two in pairs)
    obstacles = {
        f"a cube does not join itself ({ways})": other is cube,
        f"there is more than one way ({ways}); give all but one `meta: {{cube: {{join: false}}}}`": len(pairs) > 1,
        f"{here} or {there} is not documented": here not in cube.model.columns or there not in other.model.columns,
        f"nothing says that {other.name}.{there} is unique": there not in other.unique,
        f"{keyless.name} has no primary key": not (cube.key and other.key),
    }
    return next((why for why, holds in obstacles.items() if holds), "")


def _join(cube: Cube, other: Cube, here: str, there: str, adapter: str) -> None:
    left = columns.quoted(cube.model.columns[here], adapter, place=cube.model.place)
    right = columns.quoted(other.model.columns[there], adapter, place=other.model.place)
    kind = "one_to_one" if here in cube.unique else "many_to_one"
    cube.joins.append({"name": other.name, "relationship": kind, "sql": f"{{CUBE}}.{left} = {{{other.name}}}.{right}"})
