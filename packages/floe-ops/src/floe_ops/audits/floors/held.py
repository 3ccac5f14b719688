"""Floors against what they are for: the lock, what pulls a package in, the advisories, and uv's resolver."""

from __future__ import annotations

import importlib.metadata
import re
import tomllib
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import requests
from floe_core.errors import NotReadyError
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from floe_ops.audits import lock, osv_snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from floe_ops.audits.accepted import Barred
    from floe_ops.audits.floors.listed import Floor
    from floe_ops.audits.sources import Source

ASK_S = 20.0
# uv says who wants what: "all versions of a depend on b<2 and b>=2.0", "a==1.0 depends on b<2".
WANTS = re.compile(
    r"(?P<who>your (?:project|workspace)|[A-Za-z0-9][\w.-]*(?:\[[\w,-]+\])?)(?P<version>[<>=!~]=?[\w.*,<>=!~]+)?"
    r"\s+depends?\s+on\s+(?P<what>[A-Za-z0-9][\w.-]*?)(?P<spec>[<>=!~]=?[\w.*,<>=!~+]+)"
)
ONLY = re.compile(r"only (?P<what>[A-Za-z0-9][\w.-]*?)(?P<spec>[<>=!~]=?[\w.*,<>=!~+]+) (?:is|are) available")
FROM = ("==", ">=", "~=", "===")


@dataclass(frozen=True)
class Wish:
    """What one package, at its locked version, wants of another."""

    who: str
    specifier: SpecifierSet

    def __str__(self) -> str:
        return f"{self.who} wants {self.specifier}"


def by_lock(
    floors: Iterable[Floor], barred: Iterable[Barred], pins: Iterable[lock.Pin]
) -> tuple[list[str], list[Floor]]:
    """Not in the lock, or at least the fixed version: sentences about barred packages, and floors that are not met."""
    versions: dict[str, list[str]] = {}
    for pin in pins:
        versions.setdefault(pin.name, []).append(pin.version)
    problems = []
    for entry in barred:
        for version in versions.get(canonicalize_name(entry.package), []):
            if not entry.fixed_in or Version(version) < Version(entry.fixed_in):
                fix = f"at least {entry.fixed_in}" if entry.fixed_in else "no fixed version exists"
                problems.append(f"{entry.package} {version} is in the lock and barred ({entry.id}): {fix}")
    unmet = [
        floor for floor in floors if any(Version(one) < Version(floor.version) for one in versions.get(floor.name, []))
    ]
    return problems, unmet


def needless(floors: Iterable[Floor], project: Path) -> list[str]:
    """Floors that change nothing today, a sentence each: nobody pulls the package in, or only fixed versions of it."""
    locked = lock.third_party(project / "uv.lock")
    said = []
    for floor in floors:
        if not any(pin.name == floor.name for pin in locked):
            said.append(f"{floor.requirement} is not needed today: the lock does not hold {floor.name}")
            continue
        enough = [wish for wish in wishes(project, floor.name) if _lowest(wish.specifier) >= Version(floor.version)]
        if enough:
            said.append(f"{floor.requirement} is not needed today: {enough[0]} of {floor.name}")
    return said


def by_source(floors: Iterable[Floor], source: Source) -> tuple[list[str], list[str]]:
    """Problems and remarks about the advisories that floors name, as far as the source knows them.

    Raises:
        NotReadyError: The source does not answer any more.
    """
    problems, remarks = [], []
    for floor in floors:
        for name in floor.advisories:
            record = _record(source, name)
            if record is None:
                remarks.append(f"{name} of {floor.requirement} is not known to the source")
            elif not osv_snapshot.about(record, floor.name):
                problems.append(f"{name} does not concern {floor.name}")
            elif osv_snapshot.affects(record, floor.name, floor.version):
                problems.append(f"{floor.requirement} is too low: {name} concerns {floor.version} itself")
    return problems, remarks


def why_unmet(project: Path, floors: Sequence[Floor]) -> list[str]:
    """Why the lock does not meet these floors: the package whose pin conflicts, no such release, or a lock to renew.

    Asks uv to resolve without writing anything, and reads its words; what it cannot say, because it has no way to an
    index, the packages' own metadata may.
    """
    code, said = lock.resolve(project, [floor.name for floor in floors])
    if code == 0:
        renew = "".join(f" --upgrade-package {floor.name}" for floor in floors)
        return [f"{floor.requirement} is not met by the lock; run: uv lock{renew}" for floor in floors]
    found = []
    for floor in floors:
        pinned = [*conflicts(said, floor), *_conflicts_by_metadata(project, floor)]
        found += pinned or [f"{floor.requirement} is not met by the lock, and uv says: {' '.join(said.split())}"]
    return found


def conflicts(said: str, floor: Floor) -> list[str]:
    """What uv's words about a failed resolution say of a floor, a sentence each."""
    text = " ".join(said.split())
    found = {
        f"{floor} cannot be met: only {match['what']}{match['spec']} is available"
        for match in ONLY.finditer(text)
        if _excludes(match, floor)
    }
    for match in WANTS.finditer(text):
        if _excludes(match, floor):
            who = f"{match['who']}{match['version'] or ''}"
            found.add(f"{floor} conflicts with {who}, which wants {match['what']}{match['spec'].rstrip(',.')}")
    return sorted(found)


def _conflicts_by_metadata(project: Path, floor: Floor) -> list[str]:
    return [
        f"{floor} conflicts with {wish.who}, which wants {floor.name}{wish.specifier}"
        for wish in wishes(project, floor.name)
        if not wish.specifier.contains(floor.version, prereleases=True)
        and _lowest(wish.specifier) < Version(floor.version)
    ]


def wishes(project: Path, name: str) -> list[Wish]:
    """What the locked packages want of `name`: the workspace's own by the lock, others as far as they are installed."""
    raw = tomllib.loads((project / "uv.lock").read_text(encoding="utf-8"))
    found = [
        Wish(entry["name"], SpecifierSet(wanted.get("specifier", "")))
        for entry in raw.get("package", ())
        for wanted in entry.get("metadata", {}).get("requires-dist", ())
        if canonicalize_name(wanted["name"]) == name
    ]
    locked = lock.third_party(project / "uv.lock")
    for distribution in importlib.metadata.distributions():
        if lock.pin(distribution.name, distribution.version) in locked:
            found += [Wish(f"{distribution.name} {distribution.version}", spec) for spec in _of(distribution, name)]
    return found


def _of(distribution: importlib.metadata.Distribution, name: str) -> Iterator[SpecifierSet]:
    for text in distribution.requires or ():
        with suppress(InvalidRequirement):
            wanted = Requirement(text)
            if canonicalize_name(wanted.name) == name and (
                wanted.marker is None or wanted.marker.evaluate({"extra": ""})
            ):
                yield wanted.specifier


def _lowest(specifier: SpecifierSet) -> Version:
    """The lowest version that a specifier allows, as far as it names one."""
    bounds = [Version("0.dev0")]
    for one in specifier:
        if one.operator in FROM:
            with suppress(InvalidVersion):
                bounds.append(Version(one.version.removesuffix(".*")))
    return max(bounds)


def _excludes(match: re.Match[str], floor: Floor) -> bool:
    if canonicalize_name(match["what"]) != floor.name:
        return False
    try:
        return not SpecifierSet(match["spec"].rstrip(",.")).contains(floor.version, prereleases=True)
    except InvalidSpecifier:
        return False


def _record(source: Source, name: str) -> dict[str, Any] | None:
    url = f"{source.base}/v1/vulns/{name}"
    try:
        response = requests.get(url, timeout=ASK_S)
        if response.status_code == requests.codes.not_found:
            return None
        response.raise_for_status()
        return dict(response.json())
    except (requests.RequestException, ValueError, TypeError) as error:
        raise NotReadyError("the advisory service does not answer any more", where=url, why=str(error)) from error
