"""Views: one a cube, with its public members and those of the cubes that it joins, which bear their cube's name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from floe_semantic_cube import names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from floe_semantic_cube.cubes import Cube

SUFFIX = "_view"


def of_cubes(cubes: Mapping[str, Cube]) -> dict[str, dict[str, Any]]:
    """Views by name; `cubes` by name. A cube that is not public, or has no public member, gets none."""
    found: dict[str, dict[str, Any]] = {}
    for cube in cubes.values():
        if cube.public and cube.public_members():
            view = _view(cube, cubes)
            found[view["name"]] = view
    return found


def _view(cube: Cube, cubes: Mapping[str, Cube]) -> dict[str, Any]:
    parts: list[dict[str, Any]] = [{"join_path": cube.name, "includes": cube.public_members()}]
    for join in cube.joins:
        other = cubes[join["name"]]
        if other.public and (members := other.public_members()):
            parts.append({"join_path": f"{cube.name}.{other.name}", "prefix": True, "includes": members})
    view: dict[str, Any] = {"name": names.cube_name(f"{cube.name}{SUFFIX}", place=cube.model.place)}
    if description := names.text(cube.override.description or cube.model.description):
        view["description"] = description
    return {**view, "cubes": parts}
