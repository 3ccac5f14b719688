"""Small wrong changes of a chart's templates, one line each: what a careless hand might do and a test should see."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SECURITY = (
    "runAsNonRoot",
    "runAsUser",
    "readOnlyRootFilesystem",
    "allowPrivilegeEscalation",
    "automountServiceAccountToken",
    "seccompProfile",
    "enableServiceLinks",
    "fsGroup",
)
_KEY = re.compile(r"^\s*(?:- )?([\w./-]+):")


@dataclass(frozen=True)
class Mutation:
    """One change.

    Attributes:
        file: Of the template, relative to the chart.
        line: Its line, from 1.
        kind: What was done, in two or three words.
        before: The line as it is.
        after: The line as it becomes; None when it goes.
    """

    file: str
    line: int
    kind: str
    before: str
    after: str | None

    def apply(self, text: str) -> str:
        """The template with the change made."""
        lines = text.splitlines(keepends=True)
        lines[self.line - 1 : self.line] = [] if self.after is None else [f"{self.after}\n"]
        return "".join(lines)

    def __str__(self) -> str:
        """For people."""
        became = "" if self.after is None else f" -> {self.after.strip()}"
        return f"{self.file}:{self.line} {self.kind}: {self.before.strip()}{became}"


def every(chart: Path) -> tuple[Mutation, ...]:
    """Every change of the chart's own templates that is known here, in the order of the files."""
    found: list[Mutation] = []
    for path in sorted((chart / "templates").rglob("*")):
        if path.suffix in {".yaml", ".tpl"}:
            name = path.relative_to(chart).as_posix()
            found += of_text(name, path.read_text(encoding="utf-8"))
    return tuple(found)


def some(mutations: tuple[Mutation, ...], most: int) -> tuple[Mutation, ...]:
    """At most so many of them, spread over all; the same ones for the same templates."""
    chosen = sorted(mutations, key=lambda one: hashlib.sha256(f"{one.file}{one.kind}{one.before}".encode()).digest())
    return tuple(sorted(chosen[:most], key=lambda one: (one.file, one.line)))


def of_text(file: str, text: str) -> Iterator[Mutation]:
    """The changes of one template."""
    hidden = False
    for number, line in enumerate(text.splitlines(), 1):
        hidden = hidden or "{{/*" in line or "{{- /*" in line
        if not hidden and line.strip() and not line.strip().startswith("#"):
            for kind, change in _CHANGES.items():
                after = change(line)
                if after is not _SAME:
                    yield Mutation(file, number, kind, line, after)
        if "*/}}" in line or "*/ -}}" in line or "*/-}}" in line:
            hidden = False


_SAME = "\0"


def _drop(line: str) -> str | None:
    match = _KEY.match(line)
    name = match[1] if match else ""
    alone = not line.rstrip().endswith(":") and not line.lstrip().startswith("- ")
    return None if alone and (name in SECURITY or name.startswith("app.kubernetes.io/")) else _SAME


def _include(line: str) -> str | None:
    return None if re.match(r"^\s*\{\{-? include .*\| *n?indent \d+ *-?\}\}\s*$", line) else _SAME


def _flip(line: str) -> str:
    match = re.match(r"^(\s*(?:- )?[\w./-]+: )(true|false)(\s*)$", line)
    return f"{match[1]}{'false' if match[2] == 'true' else 'true'}{match[3]}" if match else _SAME


def _number(line: str) -> str:
    match = re.match(r"^(\s*(?:- )?[\w./-]+: )(\d+)(\s*)$", line)
    return f"{match[1]}{int(match[2]) + 1}{match[3]}" if match else _SAME


def _path(line: str) -> str:
    match = re.match(r"^(\s*(?:- )?(?:path|mountPath|subPath): )(/?[\w./-]+)(\s*)$", line)
    return f"{match[1]}{match[2].rstrip('/')}-elsewhere{match[3]}" if match else _SAME


def _secret_key(line: str) -> str:
    match = re.match(r"^(\s*)key: ([\w.-]+)(\s*)$", line)
    if match:
        return f"{match[1]}key: other-{match[2]}{match[3]}"
    match = re.match(r'^(.*include "[\w.]*\.secret" \(list .*")([a-z][\w-]*)("\).*)$', line)
    return f"{match[1]}other-{match[2]}{match[3]}" if match else _SAME


def _port(line: str) -> str:
    match = re.match(r"^(\s*(?:- )?(?:port|targetPort): )([a-z][a-z-]*)(\s*)$", line)
    return f"{match[1]}x{match[2][:13]}{match[3]}" if match else _SAME


def _condition(line: str) -> str:
    match = re.match(r"^(\s*\{\{-? (?:else )?if )(.+?)( -?\}\}.*)$", line)
    return f"{match[1]}not ({match[2]}){match[3]}" if match else _SAME


_CHANGES: dict[str, Callable[[str], str | None]] = {
    "line dropped": _drop,
    "include dropped": _include,
    "flipped": _flip,
    "number changed": _number,
    "path changed": _path,
    "key changed": _secret_key,
    "port changed": _port,
    "condition turned": _condition,
}
