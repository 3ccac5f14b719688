"""The floors as `pyproject.toml` lists them, and what is wrong with the list itself (AD-4)."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from floe_core.errors import WrongStateError
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

if TYPE_CHECKING:
    from pathlib import Path

KEY = "constraint-dependencies"
NEVER = "override-dependencies"
BLOCK = re.compile(rf"^{KEY}\s*=\s*\[\n(.*?)^\]\n", re.MULTILINE | re.DOTALL)
LINE = re.compile(r"""^\s*["'](?P<floor>[^"']+)["']\s*,?\s*(?:#\s*(?P<comment>.*))?$""", re.MULTILINE)
ADVISORY = re.compile(r"\b[A-Z][A-Z0-9]+(?:-[0-9A-Za-z]+)+\b")


@dataclass(frozen=True, order=True)
class Floor:
    """No version of `name` below `version`, because of these advisories."""

    name: str
    version: str
    advisories: tuple[str, ...]

    @property
    def requirement(self) -> str:
        """As the list has it."""
        return f"{self.name}>={self.version}"

    def __str__(self) -> str:
        return f"{self.requirement} ({', '.join(self.advisories) or 'no advisory'})"


@dataclass(frozen=True)
class Listed:
    """The floors, and what is wrong with how they are written, a sentence each."""

    floors: tuple[Floor, ...]
    problems: tuple[str, ...]


def read(project: Path) -> Listed:
    """Read the list of the project, and see that no member of its workspace overrides a dependency.

    Raises:
        WrongStateError: A pyproject.toml or uv.toml cannot be read.
    """
    root = project / "pyproject.toml"
    settings = _settings(root)
    problems = [
        f"{path.relative_to(project)}: {NEVER} is never used: it silences what a package says of itself; write a floor"
        for path in _files(project)
        if NEVER in _settings(path)
    ]
    entries = settings.get(KEY, [])
    if not isinstance(entries, list):
        return Listed((), (*problems, f"pyproject.toml: {KEY} is no list"))
    comments = {match["floor"]: match["comment"] or "" for match in LINE.finditer(block(root))}
    floors = []
    for entry in entries:
        floor = _floor(str(entry), comments)
        if floor is None:
            problems.append(
                f"pyproject.toml: {entry!r} is no floor; write one package and one >=, its advisory behind it"
            )
            continue
        if not floor.advisories:
            problems.append(f"pyproject.toml: {floor.requirement} does not say which advisory it is for; add: # GHSA-…")
        floors.append(floor)
    doubled = sorted({floor.name for floor in floors if sum(floor.name == other.name for other in floors) > 1})
    problems += [f"pyproject.toml: {name} has more than one floor" for name in doubled]
    return Listed(tuple(floors), tuple(problems))


def block(root: Path) -> str:
    """The lines of the list in a pyproject.toml; empty where there is none, or it stands in one line."""
    match = BLOCK.search(root.read_text(encoding="utf-8"))
    return match[1] if match else ""


def _floor(entry: str, comments: dict[str, str]) -> Floor | None:
    try:
        wanted = Requirement(entry)
    except InvalidRequirement:
        return None
    specifiers = list(wanted.specifier)
    if len(specifiers) != 1 or specifiers[0].operator != ">=" or wanted.marker or wanted.extras or wanted.url:
        return None
    names = tuple(ADVISORY.findall(comments.get(entry, "")))
    return Floor(canonicalize_name(wanted.name), str(Version(specifiers[0].version)), names)


def _files(project: Path) -> list[Path]:
    """Every file of the workspace in which uv reads settings."""
    members = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = members.get("tool", {}).get("uv", {}).get("workspace", {}).get("members", [])
    folders = [project, *(folder for pattern in patterns for folder in sorted(project.glob(pattern)))]
    return [folder / name for folder in folders for name in ("pyproject.toml", "uv.toml") if (folder / name).is_file()]


def _settings(path: Path) -> dict[str, Any]:
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise WrongStateError("the settings of uv cannot be read", where=str(path), why=str(error)) from error
    return dict(raw if path.name == "uv.toml" else raw.get("tool", {}).get("uv", {}))
