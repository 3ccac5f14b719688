"""Asks the INSTALLED Dagster about a name: does it exist, what do its own annotations say, also of its parameters.

The annotations are asked and not only the warnings listened to, because some marked names warn nothing at run time
(`SourceAsset`, `asset(compute_kind=)`). Runs inside of the probe's process, never in the automation's own.
"""

from __future__ import annotations

import importlib
import inspect
import re
import warnings
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from dagster import _annotations as marks_of

from floe_ops.audits.dagster_api.model import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from floe_ops.audits.dagster_api.model import Use

SQLGLOTRS = r"sqlglotrs is deprecated"
"""The one warning let through: a library that dagster_dbt loads says this of itself at import."""

_MARKS: tuple[Literal["deprecated", "superseded", "preview", "beta"], ...] = (
    "deprecated",
    "superseded",
    "preview",
    "beta",
)


class MissingNameError(LookupError):
    """The installed library has no such name; the message says at which part the path ends."""


@dataclass(frozen=True)
class Found:
    """The objects along a dotted name, each with its path; `bound` when the last is reached through an instance."""

    steps: tuple[tuple[str, Any], ...]
    bound: bool = False


def facts(use: Use) -> list[Fact]:
    """What the library says about `use`: one fact about the name, one a parameter passed; [] where types end."""
    if use.symbol.endswith(".*"):
        return [Fact("hidden", note="a star import hides which names are used")]
    with warnings.catch_warnings(record=True) as heard:
        listen()
        try:
            found = find(use.symbol)
        except MissingNameError as error:
            return [] if use.role == "override" else [Fact("missing", note=str(error))]
        except ImportError as error:
            return [Fact("import error", note=_first_line(error))]
    if found is None:
        return []
    about = [_about_name(use.symbol, found)]
    about.extend(Fact("warning", note=_first_line(warning.message)) for warning in heard)
    if use.role == "override" and about == [Fact("ga")]:
        return []  # an own method, or an override of one in good standing: nothing to report
    if use.role == "call":
        about.extend(_about_parameters(found, use))
    return about


def listen() -> None:
    """Hear every warning but the named one, however often it is raised."""
    warnings.simplefilter("always")
    warnings.filterwarnings("ignore", message=SQLGLOTRS, category=DeprecationWarning)


@cache
def find(symbol: str) -> Found | None:
    """The objects along `symbol`; None where the type of an intermediate value is not known.

    Raises:
        MissingNameError: the library has no such name.
        ImportError: the library is there and cannot be imported.
    """
    parts = symbol.split(".")
    module, rest = _deepest_module([part.removesuffix("()") for part in parts])
    steps: list[tuple[str, Any]] = [(module.__name__, module)]
    current: Any = module
    instance = bound = False
    for part in parts[len(parts) - rest :]:
        name = part.removesuffix("()")
        if instance and not inspect.isclass(current):
            return None
        current = _member(current, name, steps[-1][0], instance=instance)
        if current is _OPAQUE:
            return None
        steps.append((f"{steps[-1][0]}.{name}", current))
        bound, instance = instance, part.endswith("()")
    return Found(tuple(steps), bound)


def _deepest_module(parts: list[str]) -> tuple[Any, int]:
    """The module that `parts` begins with, and how many parts are left after it."""
    try:
        module = importlib.import_module(parts[0])
    except ModuleNotFoundError as error:
        if error.name != parts[0]:
            raise
        raise MissingNameError(f"{parts[0]} is not installed") from None
    left = parts[1:]
    while left and not hasattr(module, left[0]):
        name = f"{module.__name__}.{left[0]}"
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name != name:
                raise
            raise MissingNameError(f"{module.__name__} has no {left[0]}") from None
        left = left[1:]
    return module, len(left)


_OPAQUE = object()
"""A member that exists but of which nothing more is known: set by the initializer, or a field."""


def _member(owner: Any, name: str, path: str, *, instance: bool) -> Any:
    if inspect.isclass(owner):
        try:
            return inspect.getattr_static(owner, name) if instance else getattr(owner, name)
        except AttributeError:
            if instance and _declared(owner, name):
                return _OPAQUE
            raise MissingNameError(f"{path} has no {name}") from None
    if inspect.ismodule(owner):
        try:
            return getattr(owner, name)
        except AttributeError:
            pass
        try:
            return importlib.import_module(f"{owner.__name__}.{name}")
        except ModuleNotFoundError:
            raise MissingNameError(f"{path} has no {name}") from None
    return getattr(owner, name, _OPAQUE)  # an attribute of a value: its type promises nothing


def _declared(owner: type, name: str) -> bool:
    """Whether instances of `owner` carry `name` although the class has no such attribute."""
    if hasattr(owner, "__getattr__") or name in getattr(owner, "model_fields", {}):
        return True
    return any(name in vars(base).get("__annotations__", {}) or _assigned(base, name) for base in owner.__mro__)


@cache
def _assigned(owner: type, name: str) -> bool:
    try:
        source = inspect.getsource(owner)
    except (OSError, TypeError):
        return owner is not object and owner.__module__ != "builtins"  # no source to read: give it the benefit
    return re.search(rf"self\.{re.escape(name)}\b", source) is not None


def _about_name(symbol: str, found: Found) -> Fact:
    """The first mark along the path, else what the path itself says (private), else general availability."""
    for path, thing in found.steps[1:]:
        fact = _marked(path, thing)
        if fact:
            return fact
    if any(_is_private(part) for part in symbol.replace("()", "").split(".")):
        return Fact("private", note="no promise of Dagster covers a private name")
    return Fact("ga")


def _is_private(part: str) -> bool:
    return part.startswith("_") and not (part.startswith("__") and part.endswith("__"))


def _marked(path: str, thing: Any) -> Fact | None:
    for mark in _MARKS:
        if getattr(marks_of, f"is_{mark}")(thing):
            info = getattr(marks_of, f"get_{mark}_info")(thing)
            notes = [info.additional_warn_text or "", _inherited(mark, thing, info), f"at {path}"]
            return Fact(
                mark, breaking_version=getattr(info, "breaking_version", ""), note="; ".join(filter(None, notes))
            )
    return None


def _inherited(mark: str, thing: Any, info: Any) -> str:
    """Names the base class that a mark comes from: marks are attributes, so subclasses carry them on."""
    if not inspect.isclass(thing):
        return ""
    for base in reversed(thing.__mro__[1:]):
        if getattr(marks_of, f"is_{mark}")(base) and getattr(marks_of, f"get_{mark}_info")(base) is info:
            return f"inherited from {base.__name__}"
    return ""


def _about_parameters(found: Found, use: Use) -> Iterator[Fact]:
    called = found.steps[-1][1]
    signature = _signature(called)
    implied = int(found.bound and inspect.isfunction(called))  # `self`, which nobody passes
    names = [*_positional_names(signature, use.positional + implied)[implied:], *use.keywords]
    for name in names:
        mark = _parameter_mark(called, name)
        if mark:
            yield mark
        elif signature is not None and not _accepts(called, signature, name):
            yield Fact("missing", name, note="no such parameter")
        else:
            yield Fact("ga", name)


def _parameter_mark(called: Any, name: str) -> Fact | None:
    if marks_of.is_deprecated_param(called, name) and not _reinitialised(called, "_deprecated_params"):
        info = marks_of.get_deprecated_param_info(called, name)
        return Fact("deprecated", name, info.breaking_version, info.additional_warn_text or "")
    if marks_of.is_beta_param(called, name) and not _reinitialised(called, "_beta_params"):
        return Fact("beta", name, note=marks_of.get_beta_param_info(called, name).additional_warn_text or "")
    return None


def _reinitialised(called: Any, attribute: str) -> bool:
    """Whether a class inherits the marks of parameters but has an initializer of its own, which they do not fit."""
    return (
        inspect.isclass(called) and attribute not in vars(called) and bool({"__init__", "__new__"} & set(vars(called)))
    )


def _signature(called: Any) -> inspect.Signature | None:
    try:
        return inspect.signature(called)
    except (TypeError, ValueError):
        return None  # built in C, or not callable


def _positional_names(signature: inspect.Signature | None, count: int) -> list[str]:
    if signature is None:
        return []
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [name for name, parameter in signature.parameters.items() if parameter.kind in kinds][:count]


def _accepts(called: Any, signature: inspect.Signature, name: str) -> bool:
    if name in signature.parameters:
        return True
    fields: dict[str, Any] = getattr(called, "model_fields", {})
    if fields:
        aliases = {field.alias for field in fields.values() if field.alias}
        return name in fields or name in aliases or called.model_config.get("extra") == "allow"
    if not any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in signature.parameters.values()):
        return False
    marks = marks_of.get_deprecated_params(called) if marks_of.has_deprecated_params(called) else {}
    # Where Dagster keeps old parameters hidden in **kwargs, it takes those and refuses every other name.
    return not any(info.hidden for info in marks.values())


def _first_line(message: object) -> str:
    kind = type(message).__name__
    text = str(message).strip().partition("\n")[0][:300]
    return f"{kind}: {text}"
