"""What Cube takes as a name, and text that Cube reads as text.

Cube compiles each YAML file to JavaScript: every string is parsed as a Python f-string, and a file with `{{`, `}}`,
`{%` or `%}` goes through Jinja first. So a name must be an identifier in both languages, and braces in a sentence
must be escaped.
"""

from __future__ import annotations

import keyword
import re
from typing import TYPE_CHECKING

from floe_core.plugins import SemanticLayerError

if TYPE_CHECKING:
    from collections.abc import Iterable

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}\Z")
_JINJA = re.compile(r"\{\{|\}\}|\{%|%\}")
# A backslash at these places would escape what comes after it.
_LOOSE_BACKSLASH = re.compile(r"\\+(?=[{}]|\Z)")
_JAVASCRIPT = re.compile(
    r"(abstract|arguments|async|await|boolean|break|byte|case|catch|char|class|const|continue|debugger|default|delete|do|"
    r"double|else|enum|eval|export|extends|false|final|finally|float|for|function|goto|if|implements|import|in|"
    r"instanceof|int|interface|let|long|native|new|null|package|private|protected|public|return|short|static|super|"
    r"switch|synchronized|this|throw|throws|transient|true|try|typeof|undefined|var|void|volatile|while|with|yield)\Z"
)
_OF_CUBE = frozenset(
    {"CUBE", "SECURITY_CONTEXT", "USER_CONTEXT", "FILTER_PARAMS", "FILTER_GROUP", "SQL_UTILS", "COMPILE_CONTEXT"}
)
# Every JavaScript object has these.
_INHERITED = frozenset({"__proto__", "constructor", "hasOwnProperty", "prototype", "toString", "valueOf"})


def cube_name(name: str, *, place: str) -> str:
    """`name`, when Cube takes it for a cube or a view.

    Raises:
        SemanticLayerError: It is no identifier, or a word that Cube's compiler keeps for itself.
    """
    reserved = name in _OF_CUBE | _INHERITED or keyword.iskeyword(name) or bool(_JAVASCRIPT.match(name))
    return _checked(name, reserved, "cube", place)


def member_name(name: str, *, place: str) -> str:
    """`name`, when Cube takes it for a dimension, a measure or a segment.

    Raises:
        SemanticLayerError: As for `cube_name`.
    """
    return _checked(name, name in _INHERITED or name == "CUBE", "member", place)


def _checked(name: str, reserved: bool, kind: str, place: str) -> str:  # noqa: FBT001 - private, two callers
    if _IDENTIFIER.match(name) and not reserved:
        return name
    why = "the word is reserved" if reserved else "a name is letters, digits and underscores, 128 at most"
    raise SemanticLayerError(
        f"Cube does not take {name[:140]!r} as the name of a {kind}",
        where=place,
        why=why,
        remedy="give it another one with `meta: {cube: {name: ...}}` at the model or the column",
    )


def unique(names: Iterable[str], *, kind: str, place: str) -> None:
    """Refuse two names that are one to a file system or to Cube's SQL.

    Raises:
        SemanticLayerError: Two of `names` differ in case at most.
    """
    seen: dict[str, str] = {}
    for name in names:
        other = seen.get(name.casefold())
        if other is not None:
            same = f"two {kind}s are called {name}"
            raise SemanticLayerError(
                same if other == name else f"the {kind}s {other} and {name} differ in case only",
                where=place,
                why="Cube keeps one namespace for them",
                remedy="rename one with `meta: {cube: {name: ...}}`",
            )
        seen[name.casefold()] = name


def text(sentence: str) -> str:
    """`sentence` so that Cube shows it as it is: one line, braces escaped, no Jinja."""
    line = _LOOSE_BACKSLASH.sub("", " ".join(sentence.split()))
    escaped = line.replace("{", r"\{").replace("}", r"\}")
    return escaped.replace("{%", "{ %")


def sql(fragment: str, *, place: str) -> str:
    """An SQL fragment from `meta.cube`, as it is.

    Raises:
        SemanticLayerError: It holds Jinja, which Cube would run.
    """
    if _JINJA.search(fragment):
        raise SemanticLayerError(
            "SQL for Cube holds Jinja",
            where=place,
            why="Cube renders {{ }} and {% %} before it reads the file",
            remedy="write {CUBE}.column for a column, and no template",
        )
    return fragment
