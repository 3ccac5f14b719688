"""A dbt manifest as Cube's data model: which files there are, and what could not be told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from floe_core.plugins import SemanticLayerError

from floe_semantic_cube import cubes, dbt_manifest, files, joins, names, views

if TYPE_CHECKING:
    from floe_core.plugins import SemanticRequest

    from floe_semantic_cube.config import CubeConfig, Selection
    from floe_semantic_cube.dbt_manifest import Manifest, Model


def build(request: SemanticRequest, config: CubeConfig) -> tuple[dict[str, str], list[str]]:
    """The files' texts by path below the output folder, and notes.

    Raises:
        SemanticLayerError: A model cannot be expressed.
    """
    manifest = dbt_manifest.read(request.dbt_manifest)
    selected = _selected(manifest, config.select, request.output_ports)
    if not selected:  # a product may offer nothing; its build must not fail for that
        return {}, [_nothing(manifest, config.select)]
    drafts = {
        model.unique_id: cubes.draft(model, manifest, config, request.classifications.get(model.name, {}))
        for model in selected
    }
    notes = [note for cube in drafts.values() for note in _untyped(cube)] + joins.connect(drafts, manifest)
    by_name = _by_name(list(drafts.values()))
    texts = {
        f"cubes/{name}.yml": files.rendered({"cubes": [cubes.written(cube, config, manifest.adapter)]})
        for name, cube in by_name.items()
    }
    if config.views:
        found, left_out = views.of_cubes(by_name)
        notes += left_out
        names.unique((*by_name, *found), kind="cube or view", place="the selected models")
        texts |= {f"views/{name}.yml": files.rendered({"views": [view]}) for name, view in found.items()}
    return texts, notes


def _selected(manifest: Manifest, select: Selection, ports: frozenset[str]) -> list[Model]:
    return [
        model
        for model in manifest.models.values()
        if set(select.tags) & set(model.tags)
        or model.name.startswith(select.prefixes)
        or (select.output_ports and model.name in ports)
    ]


def _nothing(manifest: Manifest, select: Selection) -> str:
    tags, prefixes = ", ".join(select.tags), ", ".join(select.prefixes)
    return (
        f"no model is told to Cube: none of {len(manifest.models)} is an output port, has a tag of [{tags}] "
        f"or begins with one of [{prefixes}] (plugins.semantic_layer.config.select)"
    )


def _by_name(drafts: list[cubes.Cube]) -> dict[str, cubes.Cube]:
    found: dict[str, cubes.Cube] = {}
    for cube in sorted(drafts, key=lambda one: one.name):
        other = found.setdefault(cube.name.casefold(), cube)
        if other is not cube:
            raise SemanticLayerError(
                f"two models would be the cube {cube.name}",
                where=f"{other.model.place}; {cube.model.place}",
                why="names of cubes may not differ in case only",
                remedy="rename one with `meta: {cube: {name: ...}}`",
            )
    return {cube.name: cube for cube in found.values()}


def _untyped(cube: cubes.Cube) -> list[str]:
    if not cube.dimensions:
        return [f"{cube.name}: no column is documented, so there is nothing but a count"]
    untyped = [one.column for one in cube.dimensions if not one.typed]
    return [f"{cube.name}: no data_type, so taken for text: {', '.join(untyped)}"] if untyped else []
