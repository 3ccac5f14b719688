"""The keys of a values.yaml with their comments, `# -- What it is for.` above each, and their defaults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import yaml
from floe_core.errors import WrongStateError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MARK = "# --"


@dataclass(frozen=True)
class Key:
    """One key.

    Attributes:
        path: With dots: `postgresql.image.tag`.
        line: Of the file, from 1.
        default: As YAML, on one line; empty for a key that only holds others.
        meaning: What its comment says; empty without one.
        top: The first part of the path.
    """

    path: str
    line: int
    default: str
    meaning: str

    @property
    def top(self) -> str:
        """The part of the chart that it belongs to."""
        return self.path.partition(".")[0]


def read(file: Path) -> tuple[Key, ...]:
    """The keys of a values file in its order; lists and their items are defaults, not keys.

    Raises:
        WrongStateError: The file is no mapping, or no YAML.
    """
    text = file.read_text(encoding="utf-8")
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise WrongStateError("a values file is no YAML", where=str(file), why=str(error)) from error
    if not isinstance(root, yaml.MappingNode):
        raise WrongStateError("a values file holds no mapping", where=str(file))
    return tuple(_keys(root, "", text.splitlines()))


def undocumented(file: Path) -> tuple[str, ...]:
    """`FILE:LINE path` of each key without a comment of its own."""
    return tuple(f"{file.name}:{key.line} {key.path}" for key in read(file) if not key.meaning)


def _keys(node: yaml.MappingNode, above: str, lines: list[str]) -> Iterator[Key]:
    for name, value in node.value:
        path = f"{above}.{name.value}" if above else str(name.value)
        line = name.start_mark.line
        holds = isinstance(value, yaml.MappingNode) and bool(value.value) and not value.flow_style
        default = "" if holds else _short(yaml.SafeLoader("").construct_document(value))
        yield Key(path, line + 1, default, _comment(lines, line))
        if holds:
            yield from _keys(value, path, lines)


def _comment(lines: list[str], line: int) -> str:
    """The comment right above a line, from its mark on."""
    found: list[str] = []
    while line > 0 and lines[line - 1].strip().startswith("#"):
        line -= 1
        text = lines[line].strip()
        found.insert(0, text.removeprefix(MARK).lstrip("# "))
        if text.startswith(MARK):
            return " ".join(found).strip()
    return ""


def _short(value: object) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, width=10_000, allow_unicode=True, sort_keys=False)
    return text.removesuffix("\n").removesuffix("\n...").strip()
