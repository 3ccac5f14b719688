"""From pydantic's errors to problems that name the place, the value, the nearest name and the remedy."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pydantic.errors import PydanticUserError

from floe_core.spec import problems
from floe_core.spec.problems import nearest
from floe_core.spec.source import Advice, Point, child

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import BaseModel, ValidationError
    from pydantic_core import ErrorDetails

    from floe_core.spec.problems import Problem
    from floe_core.spec.source import Loc, Source
    from floe_core.spec.yamltree import Node

_CODES = {"floe_cron": problems.BAD_CRON, "floe_timezone": problems.BAD_TIMEZONE}
_POINTS = {"missing": Point.HIDDEN, "extra_forbidden": Point.KEY}
_QUOTED = re.compile(r"'([^']*)'")


def explain(
    error: ValidationError,
    source: Source,
    model: type[BaseModel],
    *,
    base: Loc = (),
    code: str = problems.SCHEMA,
) -> list[Problem]:
    """Every problem in `error`.

    Args:
        error: What pydantic found.
        source: The file with its tree.
        model: The model that was validated.
        base: Where in the file the validated part stands, for example `("plugins", "storage", "config")`.
        code: The code of problems that have no code of their own.
    """
    schema = _Schema(_json_schema(model))
    found: dict[Loc, Problem] = {}
    for detail in error.errors(include_url=False, include_input=False):
        kind, loc = detail["type"], _real(source.root, base, detail)
        if loc not in found:
            advice = _advice(detail, loc[len(base) :], schema, source.value(loc))
            found[loc] = source.problem(_CODES.get(kind, code), loc, advice, _POINTS.get(kind, Point.VALUE))
    # A union reports one error a member; the deepest is the one that the writer meant.
    return [one for loc, one in found.items() if not any(_below(other, loc) for other in found)]


def _json_schema(model: type[BaseModel]) -> dict[str, Any]:
    try:
        return model.model_json_schema(by_alias=True)
    except PydanticUserError:  # a plugin's model may hold what JSON Schema cannot say
        return {}


def _below(inner: Loc, outer: Loc) -> bool:
    return len(inner) > len(outer) and inner[: len(outer)] == outer


def _real(root: Node, base: Loc, detail: ErrorDetails) -> Loc:
    """The location without the steps that only pydantic knows (union members, `[key]`)."""
    real: list[str | int] = list(base)
    node: Node | None = root
    for step in base:
        node = child(node, step) if node is not None else None
    steps = detail["loc"]
    for position, step in enumerate(steps):
        below = child(node, step) if node is not None else None
        last = position == len(steps) - 1
        if below is None and not (last and detail["type"] == "missing"):
            continue
        real.append(step)
        node = below
    return tuple(real)


def _advice(detail: ErrorDetails, loc: Loc, schema: _Schema, value: object) -> Advice:
    kind, last = detail["type"], str(loc[-1]) if loc else ""
    match kind:
        case "missing":
            return Advice(f"the field {last!r} is missing", remedy=f"add {last}: {schema.example(loc)}")
        case "extra_forbidden":
            valid = schema.names(loc[:-1])
            return Advice(
                f"there is no field {last!r} here", nearest(last, valid), _choose("the fields here are", valid)
            )
        case "enum" | "literal_error":
            words = _QUOTED.findall(str(detail.get("ctx", {}).get("expected", "")))
            advice = Advice("not a word that is valid here", nearest(str(value), words), _choose("write one of", words))
        case "floe_timezone":
            from floe_core.spec.schedule import timezones

            advice = Advice(detail["msg"], nearest(str(value), timezones()), schema.remedy(loc))
        case "string_type" if isinstance(value, bool | int | float):
            shown = str(value).lower() if isinstance(value, bool) else value
            advice = Advice("this is a number or a truth value, and text is needed", remedy=f'quote it: "{shown}"')
        case "model_type" | "dict_type":
            advice = Advice("a mapping is needed here", remedy="write its fields below, as name: value, two spaces in")
        case "string_pattern_mismatch":
            advice = Advice("this form is not valid here", remedy=schema.remedy(loc))
        case _:
            advice = Advice(detail["msg"].removeprefix("Value error, "), remedy=schema.remedy(loc))
    return advice


def _choose(lead: str, names: Sequence[str]) -> str:
    return f"{lead}: {', '.join(names)}" if names else "remove it"


class _Schema:
    """Looks places up in a model's JSON Schema, which is made only when something is wrong."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._definitions: Mapping[str, Any] = root.get("$defs", {})

    def names(self, loc: Loc) -> tuple[str, ...]:
        return tuple(self._resolve(self._at(loc)).get("properties", ()))

    def remedy(self, loc: Loc) -> str:
        place = self._telling(self._at(loc))
        description, examples = str(place.get("description", "")), place.get("examples", ())
        if "minimum" in place or "maximum" in place:
            return f"write a number from {place.get('minimum', '…')} to {place.get('maximum', '…')}"
        if "$ref" in place or not (description or examples):
            return "correct the value"
        example = f"for example {examples[0]}" if examples else ""
        return "write " + ", ".join(part for part in (description, example) if part)

    def example(self, loc: Loc) -> str:
        place = self._telling(self._at(loc))
        if examples := place.get("examples"):
            return str(examples[0])
        if "const" in place:
            return str(place["const"])
        return " or ".join(map(str, self._resolve(place).get("enum", ()))) or "…"

    def _at(self, loc: Loc) -> Mapping[str, Any]:
        place: Mapping[str, Any] = self._root
        for step in loc:
            whole = self._resolve(place)
            key = "items" if isinstance(step, int) else "additionalProperties"
            below = whole.get("properties", {}).get(str(step), whole.get(key, {}))
            place = below if isinstance(below, dict) else {}
        return place

    def _telling(self, place: Mapping[str, Any]) -> Mapping[str, Any]:
        """The first alternative that says something, where there are several."""
        told = [branch for branch in place.get("anyOf", ()) if "description" in branch or "examples" in branch]
        return told[0] if told else place

    def _resolve(self, place: Mapping[str, Any]) -> Mapping[str, Any]:
        for branch in (*place.get("anyOf", ()), *place.get("allOf", ())):
            if "$ref" in branch or "properties" in branch:
                return self._resolve(branch)
        if "$ref" in place:
            return dict(self._definitions.get(str(place["$ref"]).rpartition("/")[2], {}))
        return place
