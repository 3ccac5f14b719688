"""What differs between ecosystems of OSV: how names and versions are written, and which version comes first.

PyPI orders versions by PEP 440 in ranges of type ECOSYSTEM; Go by Semantic Versioning 2.0.0 in ranges of type SEMVER
(https://ossf.github.io/osv-schema/), without the `v` that its own tools write, and with `+incompatible` as mere
build metadata.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import total_ordering
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

if TYPE_CHECKING:
    from collections.abc import Callable

SEMVER = re.compile(r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?")


@total_ordering
@dataclass(frozen=True)
class SemVer:
    """A semantic version; `pre` is its pre-release part, None for a release."""

    numbers: tuple[int, int, int]
    pre: tuple[str, ...] | None = None

    def __lt__(self, other: SemVer) -> bool:
        return self._key() < other._key()

    def _key(self) -> tuple[Any, ...]:
        if self.pre is None:
            return (self.numbers, 1)
        return (self.numbers, 0, tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in self.pre))


@dataclass(frozen=True)
class Ecosystem:
    """One ecosystem.

    Attributes:
        name: As OSV writes it.
        ranges: The type of the ranges that count.
        parse: A version that can be ordered, or None for what is none.
        beginning: Before every version.
        normal: The one spelling of a package's name.
    """

    name: str
    ranges: str
    parse: Callable[[str], Any]
    beginning: Any
    normal: Callable[[str], str]


def _pep440(version: str) -> Version | None:
    try:
        return Version(version)
    except InvalidVersion:
        return None


def _semver(version: str) -> SemVer | None:
    match = SEMVER.fullmatch(version)
    if match is None:
        return None
    numbers = (int(match[1]), int(match[2] or 0), int(match[3] or 0))
    return SemVer(numbers, tuple(match[4].split(".")) if match[4] else None)


PYPI = Ecosystem("PyPI", "ECOSYSTEM", _pep440, Version("0.dev0"), canonicalize_name)
GO = Ecosystem("Go", "SEMVER", _semver, SemVer((0, 0, 0), ("0",)), str)
ALL = {one.name: one for one in (PYPI, GO)}
