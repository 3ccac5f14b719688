"""`advisories.toml`: how old a snapshot may be, and the advisories that this project lives with for a while.

An entry names its advisory, package, fix, reason, owner and last day. An entry that is not needed any more is as
wrong as a missing one: it would hide the next finding.
"""

from __future__ import annotations

import tomllib
from datetime import date
from typing import TYPE_CHECKING

from floe_core.errors import WrongStateError
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version
from pydantic import BaseModel, ConfigDict, Field, ValidationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from floe_ops.audits.findings import Finding
    from floe_ops.audits.lock import Pin

FILE = "advisories.toml"


class Accepted(BaseModel):
    """One advisory that is known and borne until `expires`; `fixed_in` is empty where no fixed version exists."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(min_length=1)
    package: str = Field(min_length=1)
    fixed_in: str
    reason: str = Field(min_length=10)
    owner: str = Field(min_length=1)
    expires: date


class Policy(BaseModel):
    """What `advisories.toml` says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_age_days: int = Field(default=7, gt=0)
    accepted: tuple[Accepted, ...] = ()


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
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise _wrong(path, str(error)) from error


def covers(entry: Accepted, finding: Finding) -> bool:
    """Whether `entry` is for `finding`, by the advisory's id or one of its aliases."""
    return canonicalize_name(entry.package) == finding.package and entry.id in (finding.id, *finding.aliases)


def problems(
    policy: Policy, findings: Iterable[Finding], pins: Iterable[Pin], today: date, *, judge_unused: bool
) -> list[str]:
    """What is wrong with the entries themselves, a sentence each.

    Args:
        policy: What was accepted.
        findings: Everything that the source reported, the accepted ones too.
        pins: The third-party pins of the lock.
        today: The day to hold `expires` against.
        judge_unused: False where the source is too old to know every advisory.
    """
    found, locked = list(findings), {pin.name: pin.version for pin in pins}
    texts: list[str] = []
    seen: set[tuple[str, str]] = set()
    for entry in policy.accepted:
        name = canonicalize_name(entry.package)
        if (entry.id, name) in seen:
            texts.append(f"{entry.id} for {name} is accepted twice")
        seen.add((entry.id, name))
        texts.extend(_faults(entry, locked.get(name), today))
        if judge_unused and name in locked and not any(covers(entry, finding) for finding in found):
            texts.append(f"{entry.id} for {name} is unused: the source reports no such finding; remove it")
    return texts


def earliest_expiry(policy: Policy) -> date | None:
    """The last good day of the entry that expires first."""
    return min((entry.expires for entry in policy.accepted), default=None)


def _faults(entry: Accepted, locked: str | None, today: date) -> Iterator[str]:
    name = canonicalize_name(entry.package)
    if locked is None:
        yield f"{entry.id} is for {name}, which the lock does not hold; remove it"
    elif entry.fixed_in and _at_least(locked, entry.fixed_in):
        yield f"{entry.id} is fixed in {name} {entry.fixed_in} and the lock has {locked}; remove it"
    if entry.expires < today:
        yield f"{entry.id} for {name} expired on {entry.expires} (owner: {entry.owner})"


def _at_least(version: str, floor: str) -> bool:
    try:
        return Version(version) >= Version(floor)
    except InvalidVersion:
        return False


def _wrong(path: Path, why: str) -> WrongStateError:
    return WrongStateError(
        "the list of accepted advisories is not valid",
        where=str(path),
        why=why,
        remedy="an entry has id, package, fixed_in, reason, owner and expires, and nothing else",
    )
