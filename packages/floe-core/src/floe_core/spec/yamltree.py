"""YAML as a tree that remembers where everything stood.

Built from the parser's events with a stack of our own, so that no input can exhaust memory or recursion: size,
depth, and the number of nodes after aliases are counted. Scalars follow YAML 1.2 (`off`, `no` and dates are
text), and numbers are decimal. Tags, duplicate keys, keys that are no scalars and characters that nobody sees are
refused; nothing is ever constructed from a tag.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import yaml

from floe_core.spec.literals import safe_name

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_BYTES = 8 * 1024 * 1024
MAX_DEPTH = 40
MAX_NODES = 1_000_000
MAX_ALIASES = 1_000
MAX_DIGITS = 18
MAX_TEXT = 64 * 1024

# What YAML refuses, and what it takes for a line break and no editor does: places would be those of another file.
_UNSEEN = re.compile("[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")

_BREAK = re.compile(r"\r\n?|\n")
_NULL = re.compile(r"(?:~|null|Null|NULL)?\Z")
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]+\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")

Scalar: TypeAlias = str | int | float | bool | None


@dataclass(slots=True)
class Node:
    """A value and its place.

    Attributes:
        line: From 1.
        column: From 1.
        value: A scalar, a list of nodes, or a mapping of names to nodes.
        keys: Of a mapping: the place of each key.
        weight: How many nodes it is, aliases counted in full.
        height: How many levels it is.
    """

    line: int
    column: int
    value: Scalar | list[Node] | dict[str, Node]
    keys: dict[str, tuple[int, int]] | None = None
    weight: int = 1
    height: int = 1

    def plain(self) -> Any:
        """The value without places; an alias gives a copy, so nothing is shared."""
        if isinstance(self.value, list):
            return [one.plain() for one in self.value]
        if isinstance(self.value, dict):
            return {name: one.plain() for name, one in self.value.items()}
        return self.value


class YamlError(Exception):
    """The text is no YAML that we take; `reason` and the place say why."""

    def __init__(self, reason: str, line: int = 0, column: int = 0, remedy: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line
        self.column = column
        self.remedy = remedy


def parse(raw: bytes) -> Node:
    """The one document in `raw`.

    Raises:
        YamlError: It is not UTF-8, not YAML, more than one document, or beyond the bounds of this module.
    """
    if len(raw) > MAX_BYTES:
        raise YamlError(f"the file is larger than {MAX_BYTES // 1024 // 1024} MiB", remedy="split it")
    text = _text(raw)
    builder = _Builder()
    try:
        for event in _events(text):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        reason = error.problem or error.context or "the parser gives no reason"
        raise YamlError(f"not YAML: {reason}", *place, _hint(text, place[0])) from None
    return builder.root()


def _text(raw: bytes) -> str:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        begin = raw.rfind(b"\n", 0, error.start) + 1
        column = len(raw[begin : error.start].decode("utf-8", "replace")) + 1
        line = raw.count(b"\n", 0, error.start) + 1
        raise YamlError("the file is not UTF-8 text", line, column, "save it as UTF-8") from None
    if unseen := _UNSEEN.search(text):
        at = unseen.start()
        line, column = len(_BREAK.findall(text, 0, at)) + 1, at - _line_start(text, at) + 1
        what = f"a character that nobody sees, U+{ord(unseen[0]):04X}"
        raise YamlError(what, line, column, "remove it; in text write it as \\u and four digits, in double quotes")
    return text


def _line_start(text: str, at: int) -> int:
    return max(text.rfind("\n", 0, at), text.rfind("\r", 0, at)) + 1


def _events(text: str) -> Iterator[yaml.Event]:
    # libyaml where PyYAML was built with it: fifteen times faster, the same events.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.parse(text, Loader=loader)


def _hint(text: str, line: int) -> str:
    lines = _BREAK.split(text)
    if 0 < line <= len(lines) and "\t" in lines[line - 1]:
        return "indent with spaces, not tabs"
    return "check indentation, colons and quotes at this line and the one above"


class _Frame:
    """A collection that is still open."""

    def __init__(self, node: Node, anchor: str | None) -> None:
        self.node = node
        self.anchor = anchor
        self.key: str | None = None


class _Builder:
    """Turns events into one tree and keeps the bounds."""

    def __init__(self) -> None:
        self._stack: list[_Frame] = []
        self._anchors: dict[str, Node] = {}
        self._aliases = 0
        self._nodes = 0
        self._root: Node | None = None

    def root(self) -> Node:
        if self._root is None:
            raise YamlError("the file is empty", 1, 1, "start with apiVersion: floe.dev/v1")
        return self._root

    def take(self, event: yaml.Event) -> None:
        mark = event.start_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event, line, column)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._open(event, line, column)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._close()
        elif isinstance(event, yaml.AliasEvent):
            self._alias(str(event.anchor), line, column)
        elif isinstance(event, yaml.DocumentStartEvent) and self._root is not None:
            raise YamlError("the file holds more than one document", line, column, "keep one, without ---")

    def _scalar(self, event: yaml.ScalarEvent, line: int, column: int) -> None:
        _refuse_tag(event.tag, line, column)
        if len(event.value) > MAX_TEXT:
            raise YamlError(
                f"a text with more than {MAX_TEXT} characters", line, column, "keep it in a file of its own"
            )
        self._count(line, column)
        plain = event.implicit[0]
        frame = self._stack[-1] if self._stack else None
        if frame and frame.node.keys is not None and frame.key is None:
            if plain and event.value == "<<":
                raise YamlError("merge keys are not part of YAML 1.2", line, column, "repeat the fields")
            self._key(frame, event.value, line, column)
            return
        value = _resolve(event.value, line, column) if plain else event.value
        self._add(Node(line, column, value), event.anchor)

    def _count(self, line: int, column: int) -> None:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise YamlError(f"more than {MAX_NODES} values", line, column, "split the file")

    def _key(self, frame: _Frame, name: str, line: int, column: int) -> None:
        keys = cast("dict[str, tuple[int, int]]", frame.node.keys)
        if name in keys:
            raise YamlError(
                f"the key {safe_name(name)!r} stands here twice (first in line {keys[name][0]})",
                line,
                column,
                "keep one of them",
            )
        keys[name] = (line, column)
        frame.key = name

    def _open(self, event: yaml.CollectionStartEvent, line: int, column: int) -> None:
        _refuse_tag(event.tag, line, column)
        self._count(line, column)
        if len(self._stack) >= MAX_DEPTH:
            raise YamlError(f"nested deeper than {MAX_DEPTH} levels", line, column, "flatten it")
        if self._stack and self._stack[-1].node.keys is not None and self._stack[-1].key is None:
            raise YamlError("a key must be a plain name", line, column, "write name: value")
        mapping = isinstance(event, yaml.MappingStartEvent)
        node = Node(line, column, {}, {}) if mapping else Node(line, column, [])
        self._stack.append(_Frame(node, event.anchor))

    def _close(self) -> None:
        frame = self._stack.pop()
        self._add(frame.node, frame.anchor)

    def _alias(self, anchor: str, line: int, column: int) -> None:
        self._aliases += 1
        if self._aliases > MAX_ALIASES:
            raise YamlError(f"more than {MAX_ALIASES} aliases", line, column, "write the values out")
        if anchor not in self._anchors:
            # libyaml reports unknown anchors only when it composes; a name that is still open is a loop.
            raise YamlError(
                f"the alias *{anchor} names nothing that is complete above it", line, column, "write the value"
            )
        if self._stack and self._stack[-1].node.keys is not None and self._stack[-1].key is None:
            raise YamlError("a key must be a plain name", line, column, "write name: value")
        self._add(self._anchors[anchor], None, (line, column))

    def _add(self, node: Node, anchor: str | None, place: tuple[int, int] | None = None) -> None:
        if anchor is not None:
            self._anchors[str(anchor)] = node
        if not self._stack:
            self._root = node
            return
        frame, at = self._stack[-1], place or (node.line, node.column)
        parent = frame.node
        if isinstance(parent.value, list):
            parent.value.append(node)
        else:
            cast("dict[str, Node]", parent.value)[cast("str", frame.key)] = node
            frame.key = None
        parent.weight += node.weight
        parent.height = max(parent.height, node.height + 1)
        if parent.weight > MAX_NODES:
            raise YamlError(f"more than {MAX_NODES} values after aliases", *at, "split the file")
        if len(self._stack) + node.height > MAX_DEPTH + 1:
            raise YamlError(f"nested deeper than {MAX_DEPTH} levels", *at, "flatten it")


def _refuse_tag(tag: str | None, line: int, column: int) -> None:
    if tag is not None:
        raise YamlError(
            f"the tag {tag[:40]!r} is not taken", line, column, "remove the tag; quote the value if it is text"
        )


def _resolve(text: str, line: int, column: int) -> Scalar:
    if _NULL.match(text):
        return None
    if text in _BOOL:
        return _BOOL[text]
    if _INT.match(text):
        if len(text.lstrip("+-")) > MAX_DIGITS:
            raise YamlError(f"a number with more than {MAX_DIGITS} digits", line, column, "quote it if it is text")
        return int(text)
    if _FLOAT.match(text) and len(text) <= MAX_DIGITS * 2:
        number = float(text)
        # 1e999 is infinite, which JSON cannot say.
        return number if abs(number) != float("inf") else text
    return text
