"""From pydantic's errors to problems that name the place, the value, the nearest name and the remedy."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from floe_core.spec import foreign, problems
from floe_core.spec.literals import BY_REFERENCE, safe_name
from floe_core.spec.lookup import Lookup
from floe_core.spec.problems import nearest
from floe_core.spec.source import Advice, Point, child, dotted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import BaseModel, ValidationError
    from pydantic_core import ErrorDetails

    from floe_core.spec.problems import Problem
    from floe_core.spec.source import Loc, Source
    from floe_core.spec.yamltree import Node

_CODES = {
    "floe_cron": problems.BAD_CRON,
    "floe_timezone": problems.BAD_TIMEZONE,
    "floe_duplicate": problems.DUPLICATE_NAME,
    "floe_environment": problems.ENVIRONMENT_FIELD,
    "floe_reference": problems.LITERAL_SECRET,
}
_POINTS = {
    "missing": Point.HIDDEN,
    "union_tag_not_found": Point.HIDDEN,
    "floe_reference": Point.HIDDEN,
    "floe_one_form": Point.HIDDEN,
    "extra_forbidden": Point.KEY,
    "floe_environment": Point.KEY,
    "floe_scope": Point.KEY,
}
NEARBY = 50
"""Problems of a file for which the nearest valid name is looked for."""
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
        source: The file with its tree; of a joined manifest, the one that holds `base` is told.
        model: The model that was validated.
        base: Where in the file the validated part stands, for example `("plugins", "storage", "config")`.
        code: The code of problems that have no code of their own.
    """
    held = source.holding(base)
    teller = _Teller(held, model, base, code)
    found: dict[Loc, Problem] = {}
    for detail in error.errors(include_url=False, include_input=False):
        loc = _real(held.root, base, detail)
        for place, twin in _places(loc, detail):
            if place not in found:
                found[place] = teller.problem(detail, place, twin)
    # A union reports one error a member; the deepest is the one that the writer meant.
    inner = {loc[:length] for loc in found for length in range(len(loc))}
    return [one for loc, one in found.items() if loc not in inner]


def _places(loc: Loc, detail: ErrorDetails) -> list[tuple[Loc, int]]:
    """Where it is wrong; a check of a whole list or mapping says which of its members are."""
    context = detail.get("ctx", {})
    if detail["type"] == "union_tag_invalid":
        return [((*loc, _tag_of(detail)), 0)]
    told = context.get("places")
    return [((*loc, *below), first) for below, first in told] if told else [(loc, 0)]


def _tag_of(detail: ErrorDetails) -> str:
    return str(detail.get("ctx", {}).get("discriminator", "")).strip("'")


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


class _Teller:
    """Finds the words for one error after the other of a model's validation."""

    def __init__(self, source: Source, model: type[BaseModel], base: Loc, code: str) -> None:
        self._source = source
        self._model = model
        self._base = base
        self._code = code
        self._schema = Lookup(model, source.node(base))
        self._told = 0

    def problem(self, detail: ErrorDetails, place: Loc, twin: int) -> Problem:
        """The problem at `place`; `twin` is the index of what a repeated member repeats."""
        kind, inner = detail["type"], place[len(self._base) :]
        self._told += 1
        code, point = _CODES.get(kind, self._code), _POINTS.get(kind, Point.VALUE)
        if detail["loc"][-1:] == ("[key]",):
            return self._source.problem(code, place, self._advice(detail, inner, str(place[-1])), Point.KEY)
        if kind == "extra_forbidden":
            own, advice = self._unknown(inner)
            return self._source.problem(own or code, place, advice, point)
        advice = (
            self._repeated(place, twin)
            if kind == "floe_duplicate"
            else self._advice(detail, inner, self._source.value(place))
        )
        return self._source.problem(code, place, advice, point)

    def _unknown(self, inner: Loc) -> tuple[str, Advice]:
        """A field that the model does not have: code, where another than usual, and the words."""
        name, valid = str(inner[-1]), self._schema.names(inner[:-1])
        near = self._near(name, valid)
        misspelt = self._near(name, valid, cutoff=0.85)
        misplaced = getattr(self._model, "misplaced", {}) if len(inner) == 1 else {}
        if name in misplaced:
            return "", Advice(misplaced[name][0], near, misplaced[name][1])
        # A plugin's own fields may well be named `host`; a written file's never are.
        code, reason, remedy = foreign.why(name) if not self._base and not misspelt else ("", "", "")
        if code:
            return code, Advice(f"there is no field {safe_name(name)!r} here: {reason}", remedy=remedy)
        return "", Advice(f"there is no field {safe_name(name)!r} here", near, _choose("the fields here are", valid))

    def _near(self, word: str, valid: Sequence[str], cutoff: float = 0.6) -> str:
        # Looking costs more than all the rest, and a person reads the first few problems.
        return nearest(word, valid, cutoff=cutoff) if self._told <= NEARBY else ""

    def _repeated(self, place: Loc, twin: int) -> Advice:
        whole = next(at for at in range(len(place), 0, -1) if isinstance(place[at - 1], int))
        first = dotted((*place[: whole - 1], twin, *place[whole:]))
        return Advice(f"the same stands in {first} already", remedy="rename or remove one of them")

    def _advice(self, detail: ErrorDetails, inner: Loc, value: object) -> Advice:
        kind, schema = detail["type"], self._schema
        match kind:
            case "missing":
                last = str(inner[-1])
                advice = Advice(f"the field {last!r} is missing", remedy=f"add {last}: {schema.example(inner)}")
            case "enum" | "literal_error" | "union_tag_invalid":
                context = detail.get("ctx", {})
                words = _QUOTED.findall(str(context.get("expected") or context.get("expected_tags")))
                advice = Advice(
                    "not a word that is valid here", nearest(str(value), words), _choose("write one of", words)
                )
            case "union_tag_not_found":
                tag = _tag_of(detail)
                words = list(schema.tags(inner))
                advice = Advice(f"the field {tag!r} is missing", remedy=f"add {tag}: {' or '.join(words) or '…'}")
            case "floe_timezone":
                from floe_core.spec.schedule import timezones

                advice = Advice(detail["msg"], nearest(str(value), timezones()), schema.remedy(inner))
            case "string_type" if isinstance(value, bool | int | float):
                shown = str(value).lower() if isinstance(value, bool) else value
                advice = Advice("this is a number or a truth value, and text is needed", remedy=f'quote it: "{shown}"')
            case _ if kind in _WORDS:
                reason = _WORDS[kind][0].format_map(detail.get("ctx", {})) or detail["msg"]
                advice = Advice(reason, remedy=_WORDS[kind][1] or schema.remedy(inner))
            case _:
                advice = Advice(detail["msg"].removeprefix("Value error, "), remedy=schema.remedy(inner))
        return advice


# Reason and remedy by kind of error; an empty one is the error's own, or the field's.
_WORDS = {
    "model_type": ("a mapping is needed here", "write its fields below, as name: value, two spaces in"),
    "dict_type": ("a mapping is needed here", "write its fields below, as name: value, two spaces in"),
    "tuple_type": ("a list is needed here", "write [one, two], or a dash before each"),
    "list_type": ("a list is needed here", "write [one, two], or a dash before each"),
    "bool_type": ("a truth value is needed here", "write true or false, without quotes"),
    "string_type": ("text is needed here", ""),
    "int_type": ("a whole number is needed here", ""),
    "string_too_long": ("longer than {max_length} characters", ""),
    "string_too_short": ("shorter than {min_length} characters", ""),
    "greater_than_equal": ("smaller than {ge}", ""),
    "less_than_equal": ("larger than {le}", ""),
    "too_short": ("{actual_length} are given, and at least {min_length} needed", ""),
    "string_pattern_mismatch": ("this form is not valid here", ""),
    "floe_environment": foreign.ENVIRONMENT,
    "floe_reference": ("", BY_REFERENCE),
    "floe_one_form": ("", "keep one of env, file and secret"),
    "floe_scope": ("", "remove it, or move it into the manifests of scope domain"),
}


def _choose(lead: str, names: Sequence[str]) -> str:
    return f"{lead}: {', '.join(names)}" if names else "remove it"
