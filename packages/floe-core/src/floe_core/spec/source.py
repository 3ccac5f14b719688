"""A file and its tree: makes a problem of a location in the document."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from floe_core.spec.literals import is_secret_name, safe_name
from floe_core.spec.problems import Problem, shorten

if TYPE_CHECKING:
    from collections.abc import Mapping

    from floe_core.spec.yamltree import Node

Loc: TypeAlias = tuple[str | int, ...]
"""A place in a document, for example `("transforms", 2, "tier")`."""


class Advice(NamedTuple):
    """The words of a problem: why, the nearest valid name, and what to do."""

    reason: str
    nearest: str = ""
    remedy: str = ""


class Point(Enum):
    """What a problem points to."""

    VALUE = "the value, which is shown"
    HIDDEN = "the value, which is not shown"
    KEY = "the key"


@dataclass(frozen=True)
class Source:
    """A parsed file.

    Attributes:
        file: The file as the caller named it.
        root: The tree.
    """

    file: str
    root: Node

    def holding(self, loc: Loc) -> Source:
        """The file in which the setting at `loc` stands: this one."""
        del loc
        return self

    def problem(self, code: str, loc: Loc, advice: Advice, point: Point = Point.VALUE) -> Problem:
        """A problem at `loc`, or at the nearest place above it that exists, in the file where it stands."""
        held = self.holding(loc)
        return self._own(code, loc, advice, point) if held is self else held.problem(code, loc, advice, point)

    def _own(self, code: str, loc: Loc, advice: Advice, point: Point) -> Problem:
        node, line, column, matched = self.root, self.root.line, self.root.column, 0
        for step in loc:
            below = child(node, step)
            if below is None:
                break
            matched += 1
            line, column = below.line, below.column
            if point is Point.KEY and matched == len(loc) and node.keys is not None:
                line, column = node.keys[str(step)]
            node = below
        hidden = point is not Point.VALUE or matched < len(loc) or any(is_secret_name(str(step)) for step in loc)
        return Problem(code, self.file, line, column, dotted(loc), "" if hidden else shorten(node.value), *advice)

    def value(self, loc: Loc) -> object:
        """What stands at `loc`; None where nothing does."""
        node = self.node(loc)
        return node.value if node is not None else None

    def node(self, loc: Loc) -> Node | None:
        """The part of the tree at `loc`; None where there is none."""
        node: Node | None = self.holding(loc).root
        for step in loc:
            node = child(node, step) if node is not None else None
        return node


@dataclass(frozen=True)
class JoinedSource(Source):
    """A domain's file joined with its parent's.

    Attributes:
        inherited: The parent's file, by the places that are taken from it, for example `("plugins", "storage")`.
    """

    inherited: Mapping[Loc, Source]

    def holding(self, loc: Loc) -> Source:
        """The parent's file for what is taken from it, else this one."""
        for length in range(len(loc), 0, -1):
            if (there := self.inherited.get(loc[:length])) is not None:
                return there
        return self


def child(node: Node, step: str | int) -> Node | None:
    """The node right below `node` at `step`."""
    if isinstance(node.value, dict):
        return node.value.get(str(step))
    if isinstance(node.value, list) and isinstance(step, int) and 0 <= step < len(node.value):
        return node.value[step]
    return None


def dotted(loc: Loc) -> str:
    """`("transforms", 2, "tier")` as `transforms[2].tier`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{safe_name(step)}" for step in loc)
    return text.removeprefix(".")
