"""Views: one a cube, with its public members and those of the cubes that it joins, which bear their cube's name.

Cube refuses a view in which two members have one name, and with it the whole data model. `customer_id` of an order and
`id` of the cube `customer` are such a pair: the cube's own member stays, the joined one is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from floe_semantic_cube import names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from floe_semantic_cube.cubes import Cube

SUFFIX = "_view"


def of_cubes(cubes: Mapping[str, Cube]) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Views by name, and notes; `cubes` by name. A cube that is not public, or has no public member, gets none."""
    found: dict[str, dict[str, Any]] = {}
    notes: list[str] = []
    for cube in cubes.values():
        if cube.public and cube.public_members():
            view, left_out = _view(cube, cubes)
            found[view["name"]] = view
            notes += [f"{view['name']}: left out {one}, whose name there is taken" for one in left_out]
    return found, notes


def _view(cube: Cube, cubes: Mapping[str, Cube]) -> tuple[dict[str, Any], list[str]]:
    own = cube.public_members()
    taken, left_out = {name.casefold() for name in own}, []
    parts: list[dict[str, Any]] = [{"join_path": cube.name, "includes": own}]
    for join in cube.joins:
        other = cubes[join["name"]]
        members = other.public_members() if other.public else []
        free = [name for name in members if f"{other.name}_{name}".casefold() not in taken]
        left_out += [f"{other.name}.{name}" for name in members if name not in free]
        taken |= {f"{other.name}_{name}".casefold() for name in free}
        if free:
            parts.append({"join_path": f"{cube.name}.{other.name}", "prefix": True, "includes": free})
    view: dict[str, Any] = {"name": names.cube_name(f"{cube.name}{SUFFIX}", place=cube.model.place)}
    if description := names.text(cube.override.description or cube.model.description):
        view["description"] = description
    return {**view, "cubes": parts}, left_out
