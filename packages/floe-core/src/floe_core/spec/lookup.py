"""Looks up what a model's JSON Schema says of a place in a file: valid names, the form of a value, an example."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final

from pydantic.errors import PydanticUserError

from floe_core.spec.source import child

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import BaseModel

    from floe_core.spec.source import Loc
    from floe_core.spec.yamltree import Node

_INNER: Final = {"$ref", "properties", "items", "additionalProperties", "oneOf"}
"""A branch of a union with one of these has parts of its own."""

Place = dict[str, Any]


class Lookup:
    """Answers for one model and the part of a file that was held against it.

    The schema is made here, so only when something is wrong, and kept, as making it costs more than all the rest.

    Args:
        model: The model.
        node: The part of the file; it decides between the alternatives of a union with a tag.
    """

    def __init__(self, model: type[BaseModel], node: Node | None) -> None:
        self._root = _schema(model)
        self._node = node
        self._definitions: Mapping[str, Place] = self._root.get("$defs", {})

    def names(self, loc: Loc) -> tuple[str, ...]:
        """The fields that the mapping at `loc` can have; none where any will do."""
        return tuple(self._resolve(*self._at(loc)).get("properties", ()))

    def tags(self, loc: Loc) -> tuple[str, ...]:
        """The words that choose an alternative of the union at `loc`."""
        return tuple(self._resolve(*self._at(loc)).get("discriminator", {}).get("mapping", ()))

    def remedy(self, loc: Loc) -> str:
        """What to write at `loc`."""
        place = _telling(self._at(loc)[0])
        description, examples = str(place.get("description", "")), place.get("examples", ())
        if "minimum" in place and "maximum" in place:
            return f"write a number from {place['minimum']} to {place['maximum']}"
        if "minimum" in place or "maximum" in place:
            bound = f"least {place['minimum']}" if "minimum" in place else f"most {place['maximum']}"
            return f"write a number, at {bound}"
        # What a model says of itself is no instruction; what a field says of its form is.
        if {"$ref", "properties", "oneOf"} & set(place) or not (description or examples):
            return "correct the value"
        example = f"for example {examples[0]}" if examples else ""
        return "write " + ", ".join(part for part in (description, example) if part)

    def example(self, loc: Loc) -> str:
        """Something that can stand at `loc`; dots where nothing is known."""
        at, node = self._at(loc)
        place = _telling(at)
        if examples := place.get("examples"):
            return str(examples[0])
        if "const" in place:
            return str(place["const"])
        return " or ".join(map(str, self._resolve(place, node).get("enum", ()))) or "…"

    def _at(self, loc: Loc) -> tuple[Place, Node | None]:
        place, node = self._root, self._node
        for step in loc:
            whole = self._resolve(place, node)
            key = "items" if isinstance(step, int) else "additionalProperties"
            below = whole.get("properties", {}).get(str(step), whole.get(key, {}))
            place = below if isinstance(below, dict) else {}
            node = child(node, step) if node is not None else None
        return place, node

    def _resolve(self, place: Place, node: Node | None) -> Place:
        """The schema with the parts: behind a reference, in a union, of the alternative that the file's tag names."""
        for branch in (*place.get("anyOf", ()), *place.get("allOf", ())):
            if _INNER & set(branch):
                return self._resolve(branch, node)
        if "$ref" in place:
            return self._resolve(self._named(place["$ref"]), node)
        choice = place.get("discriminator", {})
        tag = child(node, choice["propertyName"]) if choice and node is not None else None
        chosen = choice.get("mapping", {}).get(tag.value) if tag and isinstance(tag.value, str) else None
        return self._named(chosen) if chosen else place

    def _named(self, reference: str) -> Place:
        return self._definitions.get(reference.rpartition("/")[2], {})


def _telling(place: Place) -> Place:
    """The first alternative that says something, where there are several."""
    branches = [branch for branch in place.get("anyOf", ()) if branch.get("type") != "null"]
    told = (branch for branch in branches if "description" in branch or "examples" in branch)
    telling: Place = next(told, branches[0] if branches else place)
    return telling


@functools.lru_cache(maxsize=32)
def _schema(model: type[BaseModel]) -> Place:
    from floe_core.spec.jsonschema import exact

    try:
        return exact(model)
    except PydanticUserError:  # a plugin's model may hold what JSON Schema cannot say
        return {}
