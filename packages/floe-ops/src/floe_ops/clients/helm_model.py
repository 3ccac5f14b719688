"""What Helm tells of a release: both majors write the same JSON, the second adds fields."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from floe_core.errors import WrongStateError

from floe_ops.clients import untrusted

# What each major writes into a revision that rolls back, unless it was told other words.
_ROLLBACK = re.compile(r"Rollback to (\d+)")


class Status(StrEnum):
    """A revision's status, in Helm's words."""

    UNKNOWN = "unknown"
    DEPLOYED = "deployed"
    UNINSTALLED = "uninstalled"
    SUPERSEDED = "superseded"
    FAILED = "failed"
    UNINSTALLING = "uninstalling"
    PENDING_INSTALL = "pending-install"
    PENDING_UPGRADE = "pending-upgrade"
    PENDING_ROLLBACK = "pending-rollback"

    @property
    def pending(self) -> bool:
        """Whether Helm is at work on it, or was when it was killed."""
        return self in {Status.PENDING_INSTALL, Status.PENDING_UPGRADE, Status.PENDING_ROLLBACK}


@dataclass(frozen=True)
class Revision:
    """One revision of a release.

    Attributes:
        number: Counts from 1.
        status: As Helm recorded it.
        updated: When Helm began with it, by the clock of the machine that Helm ran on.
        chart: Name and version.
        app_version: Of the chart.
        description: Helm's sentence, or that of whoever called it.
        restores: The revision whose content it repeats, when it is a rollback and that is told.
    """

    number: int
    status: Status
    updated: datetime
    chart: str = ""
    app_version: str = ""
    description: str = ""
    restores: int | None = None


@dataclass(frozen=True)
class Release:
    """A release and its newest revision, as `helm status` and `helm list` tell them.

    Attributes:
        name: Of the release.
        namespace: Where it is.
        revision: The newest.
        status: That revision's.
        updated: When Helm began with that revision; the epoch when it does not tell.
        description: Helm's sentence about it; empty in a list.
    """

    name: str
    namespace: str
    revision: int
    status: Status
    updated: datetime
    description: str = ""


def read_history(text: str) -> tuple[Revision, ...]:
    """The answer of `helm history -o json`, oldest first.

    Raises:
        WrongStateError: It has another shape.
    """
    try:
        revisions = [_revision(one) for one in untrusted.document(text)]
    except untrusted.STUMBLES as error:
        raise _strange("history", error) from error
    return tuple(sorted(revisions, key=lambda revision: revision.number))


def read_release(text: str) -> Release:
    """The answer of `helm status -o json`, or of an install or upgrade; raises as `read_history`."""
    try:
        body = untrusted.document(text)
        info = body["info"]
        return Release(
            name=str(body["name"]),
            namespace=str(body["namespace"]),
            revision=int(body["version"]),
            status=_status(info["status"]),
            updated=_moment(info.get("last_deployed", "")),
            description=str(info.get("description", "")),
        )
    except untrusted.STUMBLES as error:
        raise _strange("status", error) from error


def read_list(text: str) -> tuple[Release, ...]:
    """The answer of `helm list -o json`; raises as `read_history`."""
    try:
        return tuple(
            Release(
                name=str(one["name"]),
                namespace=str(one["namespace"]),
                revision=int(one["revision"]),
                status=_status(one["status"]),
                updated=_moment(one["updated"]),
            )
            for one in untrusted.document(text)
        )
    except untrusted.STUMBLES as error:
        raise _strange("list", error) from error


def _revision(raw: dict[str, Any]) -> Revision:
    description = str(raw.get("description", ""))
    told = raw.get("rollback_revision") or (match[1] if (match := _ROLLBACK.fullmatch(description)) else None)
    return Revision(
        number=int(raw["revision"]),
        status=_status(raw["status"]),
        updated=_moment(raw.get("updated", "")),
        chart=str(raw.get("chart", "")),
        app_version=str(raw.get("app_version", "")),
        description=description,
        restores=int(told) if told else None,
    )


def _status(text: str) -> Status:
    return Status(text) if text in set(Status) else Status.UNKNOWN


def _moment(text: str) -> datetime:
    """RFC 3339, or Go's own way to print a time, which lists use: `2026-01-02 03:04:05.678901 +0000 UTC`."""
    match = re.match(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(\.\d+)? ?(Z|[+-]\d\d:?\d\d)", text)
    if not match:
        return datetime.fromtimestamp(0, UTC)
    day, clock, fraction, zone = match.groups()
    moment = datetime.fromisoformat(f"{day}T{clock}{(fraction or '.0')[:7].ljust(7, '0')}{zone}")
    return moment.astimezone(UTC)


def _strange(command: str, error: Exception) -> WrongStateError:
    return WrongStateError(
        f"the answer of helm {command} has a shape that is not understood",
        where=f"helm {command} -o json",
        why=untrusted.why(error),
        remedy="use Helm 3.14 or newer, or Helm 4; FLOE_TOOL_HELM names one",
    )
