"""`advisories.toml`: how old a snapshot may be, and the advisories that this project lives with for a while.

An entry names its advisory, package, fix, reason, owner and last day. An entry that is not needed any more is as
wrong as a missing one: it would hide the next finding.
"""

from __future__ import annotations

import tomllib
from datetime import date
from typing import TYPE_CHECKING, Literal, NamedTuple

from floe_core.errors import WrongStateError
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from floe_ops.audits import ecosystems

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from floe_ops.audits.findings import Finding

FILE = "advisories.toml"


class Locked(NamedTuple):
    """One package at one version, of PyPI or of Go, that advisories are held against."""

    ecosystem: str
    name: str
    version: str


class Accepted(BaseModel):
    """One advisory that is known and borne until `expires`; `fixed_in` is empty where no fixed version exists."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(min_length=1)
    package: str = Field(min_length=1)
    fixed_in: str
    reason: str = Field(min_length=10)
    owner: str = Field(min_length=1)
    expires: date
    ecosystem: Literal["PyPI", "Go"] = "PyPI"

    @property
    def name(self) -> str:
        """The package, spelled as its ecosystem does it."""
        return ecosystems.ALL[self.ecosystem].normal(self.package)


class Barred(BaseModel):
    """A package that must not come (back) below `fixed_in`, or at all where no fixed version exists.

    It stands here and not among the floors, because a floor that no release meets cannot be written.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(min_length=1)
    package: str = Field(min_length=1)
    fixed_in: str
    reason: str = Field(min_length=10)


class Policy(BaseModel):
    """What `advisories.toml` says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_age_days: int = Field(default=7, gt=0)
    accepted: tuple[Accepted, ...] = ()
    barred: tuple[Barred, ...] = ()


def load(path: Path) -> Policy:
    """Read the policy; a project without the file accepts nothing and takes seven days.

    Raises:
        WrongStateError: The file is no TOML, or holds a field that does not belong there.
    """
    try:
        return Policy.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return Policy()
    except ValidationError as error:
        faults = (f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        raise _wrong(path, "; ".join(faults)) from error
    except (OSError, ValueError, RecursionError) as error:
        raise _wrong(path, str(error)) from error


def covers(entry: Accepted, finding: Finding) -> bool:
    """Whether `entry` is for `finding`, by the advisory's id or one of its aliases."""
    same = (entry.ecosystem, entry.name) == (finding.ecosystem, finding.package)
    return same and entry.id in (finding.id, *finding.aliases)


def problems(
    policy: Policy, findings: Iterable[Finding], locked: Iterable[Locked], today: date, *, judge_unused: bool
) -> tuple[str, ...]:
    """What is wrong with the entries themselves, a sentence each.

    Args:
        policy: What was accepted.
        findings: Everything that the source reported, the accepted ones too.
        locked: Everything that it was asked about: the third-party pins of the lock, the modules of Go tools.
        today: The day to hold `expires` against.
        judge_unused: False where the source is too old to know every advisory.
    """
    found, versions = list(findings), dict[tuple[str, str], list[str]]()
    for ecosystem, name, version in locked:
        versions.setdefault((ecosystem, name), []).append(version)
    texts: list[str] = []
    seen: set[tuple[str, str, str]] = set()
    for entry in policy.accepted:
        of_package = versions.get((entry.ecosystem, entry.name))
        if (entry.id, entry.ecosystem, entry.name) in seen:
            texts.append(f"{entry.id} for {entry.name} is accepted twice")
        seen.add((entry.id, entry.ecosystem, entry.name))
        if entry.ecosystem in {ecosystem for ecosystem, _ in versions}:  # else nobody looked there
            texts.extend(_faults(entry, of_package or []))
            if judge_unused and of_package and not any(covers(entry, finding) for finding in found):
                texts.append(f"{entry.id} for {entry.name} is unused: the source reports no such finding; remove it")
        if entry.expires < today:
            texts.append(f"{entry.id} for {entry.name} expired on {entry.expires} (owner: {entry.owner})")
    return tuple(texts)


def earliest_expiry(policy: Policy) -> date | None:
    """The last good day of the entry that expires first."""
    return min((entry.expires for entry in policy.accepted), default=None)


def _faults(entry: Accepted, versions: list[str]) -> Iterator[str]:
    if not versions:
        told = "the lock does not hold" if entry.ecosystem == "PyPI" else "no Go tool is built with"
        yield f"{entry.id} is for {entry.name}, which {told}; remove it"
    elif entry.fixed_in and all(_at_least(version, entry.fixed_in, entry.ecosystem) for version in versions):
        yield f"{entry.id} is fixed in {entry.name} {entry.fixed_in} and the lock has {', '.join(versions)}; remove it"


def _at_least(version: str, floor: str, ecosystem: str) -> bool:
    parse = ecosystems.ALL[ecosystem].parse
    one, other = parse(version), parse(floor)
    return one is not None and other is not None and bool(one >= other)


def _wrong(path: Path, why: str) -> WrongStateError:
    return WrongStateError(
        "the list of accepted advisories is not valid",
        where=str(path),
        why=why,
        remedy=(
            "an accepted entry has id, package, fixed_in, reason, owner and expires (and ecosystem), a barred one the "
            "first four; nothing else"
        ),
    )
