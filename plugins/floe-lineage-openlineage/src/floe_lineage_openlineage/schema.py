"""Whether a document is an OpenLineage run event.

The library's classes are generated from the official JSON Schemas (the event's, and those of all facets), but take
any type when constructed. So the document is held against their fields here, and a wrong one is refused before it
leaves. A facet whose schema the library does not know, by version or because it is custom, is held against that of
every facet.

Contract: https://openlineage.io/spec/2-0-2/OpenLineage.json and https://openlineage.io/spec/facets.
"""

from __future__ import annotations

import inspect
import json
import re
import types
from datetime import datetime
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin, get_type_hints

import attrs
from floe_core.plugins import LineageError
from openlineage.client import facet_v2
from openlineage.client.event_v2 import RunEvent
from openlineage.client.generated.base import BaseFacet

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ALWAYS = frozenset({"producer", "schemaURL", "_producer", "_schemaURL"})
"""Fields that the schema requires although the library's classes fill them in."""
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+\Z")


class _WrongError(Exception):
    """A place in the document and what is wrong there."""

    def __init__(self, place: str, why: str) -> None:
        super().__init__(why)
        self.place = place
        self.why = why


def check(event: Mapping[str, Any]) -> str:
    """The JSON of `event`, one line, after it was held against the specification.

    Raises:
        LineageError: It is not a run event; `where` is the place in it, and no value is quoted.
    """
    try:
        text = json.dumps(event, allow_nan=False, separators=(",", ":"), sort_keys=True)
        _object(RunEvent, json.loads(text), "event")
    except _WrongError as error:
        raise _refusal(error.place, error.why) from None
    except RecursionError:
        raise _refusal("event", "it is nested too deeply") from None
    except (TypeError, ValueError) as error:
        raise _refusal("event", f"it is not JSON ({type(error).__name__})") from None
    return text


def _refusal(where: str, why: str) -> LineageError:
    return LineageError(
        "the event is not an OpenLineage run event",
        where=where,
        why=why,
        remedy="build events with floe_core.lineage.run_event; the contract is OpenLineage 2-0-2",
    )


def _object(cls: type[object], value: Any, place: str) -> None:
    if not isinstance(value, dict):
        raise _WrongError(place, "it must be an object")
    kind: Any = _facet_class(cls, value, place) if issubclass(cls, BaseFacet) else cls
    for field, hint in _fields(kind):
        if field.name in value:
            _value(hint, value[field.name], f"{place}.{field.name}")
            _format(field, value[field.name], f"{place}.{field.name}")
        elif field.default is attrs.NOTHING or field.name in ALWAYS:
            raise _WrongError(f"{place}.{field.name}", "it is missing")


def _facet_class(cls: type[BaseFacet], value: dict[str, Any], place: str) -> type[BaseFacet]:
    """The class that the facet says it is of; the general one where the library does not know it."""
    url = value.get("_schemaURL")
    known = _facet_classes().get(url) if isinstance(url, str) else None
    if known is None:
        return cls
    if not issubclass(known, cls):
        raise _WrongError(place, f"{known.__name__} does not belong here, where a {cls.__name__} is expected")
    return known


def _value(hint: Any, value: Any, place: str) -> None:
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Any:
        return
    if origin in {Union, types.UnionType}:
        _value(next(one for one in arguments if one is not types.NoneType), value, place)
    elif origin is list:
        _is(value, list, "a list", place)
        for number, item in enumerate(value):
            _value(arguments[0], item, f"{place}[{number}]")
    elif origin is dict:
        _is(value, dict, "an object", place)
        for key, item in value.items():
            _value(arguments[1], item, f"{place}.{key}")
    elif attrs.has(hint):
        _object(hint, value, place)
    else:
        _scalar(hint, value, place)


def _scalar(hint: type[Any], value: Any, place: str) -> None:
    if issubclass(hint, Enum):
        names = [one.value for one in hint]
        if value not in names:
            raise _WrongError(place, f"it must be one of {', '.join(names)}")
    elif hint is float:
        _is(value, (int, float), "a number", place)
    else:
        _is(value, hint, {str: "text", int: "a whole number", bool: "true or false"}.get(hint, hint.__name__), place)


def _is(value: Any, kind: type[Any] | tuple[type[Any], ...], words: str, place: str) -> None:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise _WrongError(place, f"it must be {words}")


def _format(field: attrs.Attribute[Any], value: Any, place: str) -> None:
    fits = _FORMATS.get(field.name)
    if fits is not None and isinstance(value, str) and not fits[1](value):
        raise _WrongError(place, f"it must be {fits[0]}")


def _is_date_time(value: str) -> bool:
    try:
        return "T" in value.upper() and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _is_uri(value: str) -> bool:
    return _URI.match(value) is not None


_FORMATS: dict[str, tuple[str, Callable[[str], bool]]] = {
    **dict.fromkeys(sorted(ALWAYS), ("a URI", _is_uri)),
    **dict.fromkeys(
        ("eventTime", "nominalStartTime", "nominalEndTime"), ("a date and time with its time zone", _is_date_time)
    ),
    "runId": ("a UUID", lambda value: _UUID.match(value) is not None),
}


@cache
def _fields(cls: type[attrs.AttrsInstance]) -> tuple[tuple[attrs.Attribute[Any], Any], ...]:
    hints = get_type_hints(cls)
    return tuple((field, hints[field.name]) for field in attrs.fields(cls))


@cache
def _facet_classes() -> dict[str, type[BaseFacet]]:
    """Every facet that the library knows, by the URL of its schema."""
    modules = (module for _, module in inspect.getmembers(facet_v2, inspect.ismodule))
    classes = (cls for module in modules for _, cls in inspect.getmembers(module, inspect.isclass))
    return {cls._get_schema(): cls for cls in classes if issubclass(cls, BaseFacet) and "/facets/" in cls._get_schema()}
