"""Reads the declarations of one distribution, line by line, so that a broken one hides nothing else.

The library's own parser gives up on a whole distribution at its first broken line, takes a file that may not be read
for one that is not there, and parses a distribution's description to find its version.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from floe_core.plugins.interface import PluginType

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.metadata import Distribution

_GROUPS: Final = {kind.entry_point_group: kind for kind in PluginType}
_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,62}\Z")
_TARGET: Final = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*\Z")
_EXTRAS: Final = re.compile(r"\s*\[[^\]]*\]\Z")


@dataclass(frozen=True, order=True)
class PluginEntry:
    """One declared plugin.

    Attributes:
        type: Its type.
        name: The name under which manifests choose it.
        target: `module:Class`.
        distribution: The distribution that declares it.
        version: That distribution's version; empty where it cannot be read.
        flaw: Why the declaration cannot be used; empty where it can.
    """

    type: PluginType
    name: str
    target: str
    distribution: str
    version: str
    flaw: str = ""

    @property
    def key(self) -> tuple[PluginType, str]:
        """What the plugin is known by: a name alone may be taken in two types."""
        return self.type, self.name

    def __str__(self) -> str:
        return f"{self.type} {self.name!r} ({self.distribution} {self.version})".replace(" )", ")")


@dataclass(frozen=True, order=True)
class UnreadableDistribution:
    """A distribution of which nobody can say what it declares.

    Attributes:
        name: Its name as its folder tells it.
        where: That folder.
        why: What reading it said.
    """

    name: str
    where: str
    why: str


class _Folder(Protocol):
    """What a metadata folder can do, in a directory or in an archive."""

    def joinpath(self, part: str, /) -> _Folder: ...
    def read_bytes(self) -> bytes: ...


class _Text:
    """The files of one distribution's metadata.

    The library keeps the folder in `_path`. Its public `read_text` cannot tell a file that is forbidden from one that
    is not there, so it only serves distributions of another kind.
    """

    def __init__(self, distribution: Distribution) -> None:
        self._distribution = distribution
        self._folder: _Folder | None = getattr(distribution, "_path", None)
        self.where = str(self._folder if self._folder is not None else distribution.locate_file(""))
        self.stem = Path(self.where).name.removesuffix(".dist-info").removesuffix(".egg-info")

    def read(self, name: str) -> tuple[str, str]:
        """The text of a file and what is wrong with it; both empty where there is none.

        Raises:
            OSError: It is there and cannot be read.
        """
        if self._folder is None:
            return self._distribution.read_text(name) or "", ""
        try:
            raw = self._folder.joinpath(name).read_bytes()
        except (FileNotFoundError, NotADirectoryError, KeyError):
            return "", ""
        try:
            return raw.decode("utf-8"), ""
        except UnicodeDecodeError:
            return raw.decode("utf-8", "replace"), f"its {name} is not UTF-8 text"


def declared(distribution: Distribution) -> tuple[list[PluginEntry], UnreadableDistribution | None]:
    """What one distribution declares, broken lines included, or why that cannot be known."""
    text = _Text(distribution)
    try:
        entry_points, flaw = text.read("entry_points.txt")
        # Most distributions declare nothing of ours, and parsing all of them costs more than finding that out.
        if "[floe." not in entry_points:
            return [], None
        lines = list(_lines(entry_points))
        if not lines:
            return [], None
        name, version, broken = _identity(text)
    except (OSError, ValueError) as error:
        why = (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
        return [], UnreadableDistribution(text.stem.partition("-")[0], text.where, why)
    return [_entry(kind, line, name, version, flaw or broken) for kind, line in lines], None


def _lines(text: str) -> Iterator[tuple[PluginType, str]]:
    """The lines of our groups, in the order of the file."""
    group = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("[") and line.endswith("]"):
            group = line[1:-1].strip()
        elif line and not line.startswith("#") and group in _GROUPS:
            yield _GROUPS[group], line


def _entry(kind: PluginType, line: str, distribution: str, version: str, flaw: str) -> PluginEntry:
    name, equals, value = (part.strip() for part in line.partition("="))
    target = _EXTRAS.sub("", value)
    if not equals:
        flaw = flaw or f"its entry point {line!r} is not of the form name = module:Class"
    elif not _NAME.match(name):
        flaw = flaw or f"no manifest can choose the name {name!r}: lower-case letters, digits, - and _"
    elif not _TARGET.match(target):
        flaw = flaw or f"its entry point names {value!r}, and not module:Class"
    return PluginEntry(kind, name, target, distribution, version, flaw)


def _identity(text: _Text) -> tuple[str, str, str]:
    """Name, version, and what is wrong with them."""
    metadata, flaw = text.read("METADATA")
    if not metadata:
        metadata, flaw = text.read("PKG-INFO")
    fields: dict[str, str] = {}
    for line in metadata.splitlines():
        if not line:
            break
        word, _, value = line.partition(":")
        fields.setdefault(word.strip().lower(), value.strip())
    name, version = fields.get("name", ""), fields.get("version", "")
    if not (name and version):
        flaw = flaw or "its METADATA has no name and version"
    return name or text.stem.partition("-")[0], version, flaw
