"""The state machine: what a release's history says, and what is to be done about it. Pure; nothing is asked or changed.

The status alone does not tell a good revision. A rollback that fails marks the revision it began from as `superseded`,
also when that one failed or was killed. So before a failed rollback a superseded revision counts by its description,
in which Helm replaces "Preparing upgrade" and "Initial install underway" only once all went well; and one that is a
rollback itself repeats the content of another and is as good as that.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING

from floe_ops.clients.helm_model import Revision, Status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_NEVER_THERE = re.compile(r'Preparing upgrade|Initial install underway|(?:Upgrade|Rollback|Release) ".*" failed: ')
_FAILED_ROLLBACK = re.compile(r'Rollback ".*" failed: ')
_REPLACED = "superseded by new release"  # what Helm writes into an uninstalled release whose name is used again


class Action(StrEnum):
    """What is to be done."""

    NOTHING = "nothing"
    WAIT = "wait"
    ROLL_BACK = "roll back"
    REINSTALL = "reinstall"
    REFUSE = "refuse"


@dataclass(frozen=True)
class Plan:
    """What is to be done about a release, and why.

    Attributes:
        action: The next step.
        reason: In a sentence.
        revision: The newest revision; None when there is no release.
        status: Its status; None when there is no release.
        target: The revision to roll back to, now or after the wait.
        wait_s: How long the newest revision is still believed to be somebody's work.
        steps: What a person is to do where nothing can be done here.
    """

    action: Action
    reason: str
    revision: int | None = None
    status: Status | None = None
    target: int | None = None
    wait_s: float = 0.0
    steps: tuple[str, ...] = ()


class _Worth(IntEnum):
    """How sure it is that a revision's content once ran."""

    NONE = 0
    LIKELY = 1
    CERTAIN = 2


def decide(
    history: Sequence[Revision],
    *,
    age_s: float,
    stuck_after_s: float,
    reinstall: bool = False,
) -> Plan:
    """The next step for the release of this history.

    Args:
        history: Every revision, oldest first; empty when there is no release.
        age_s: How long the newest revision has been as it is, in seconds.
        stuck_after_s: How old a revision that Helm is at work on must be before its Helm is held to be dead.
        reinstall: Where there is no good revision, remove the release and install it anew.
    """
    if not history or history[-1].status is Status.UNINSTALLED:
        return Plan(Action.NOTHING, "there is no release")
    newest = history[-1]
    good = newest_good(history)
    about = {"revision": newest.number, "status": newest.status, "target": good.number if good else None}
    if newest.status is Status.DEPLOYED:
        return Plan(Action.NOTHING, "its newest revision is deployed", newest.number, newest.status)
    left_s = stuck_after_s - age_s
    if left_s > 0 and (newest.status.pending or newest.status is Status.UNINSTALLING):
        return Plan(
            Action.WAIT,
            f"revision {newest.number} is {newest.status} since {max(age_s, 0):.0f} s: somebody's Helm may be at work "
            f"on it for {left_s:.0f} s more",
            wait_s=left_s,
            **about,  # type: ignore[arg-type]
        )
    if newest.status is Status.UNINSTALLING:
        return _removal(newest, reinstall=reinstall)
    if good is not None:
        return Plan(
            Action.ROLL_BACK,
            f"revision {newest.number} is {newest.status}; revision {good.number} is the newest that was deployed",
            **about,  # type: ignore[arg-type]
        )
    return _hopeless(newest, reinstall=reinstall)


def newest_good(history: Sequence[Revision]) -> Revision | None:
    """The newest revision whose content once ran, of the time since the release was last removed; None without any.

    A revision of which that is certain is preferred to a newer one of which it is only likely.
    """
    life = list(history)
    for index in range(len(life) - 1, -1, -1):
        if life[index].status is Status.UNINSTALLED or life[index].description == _REPLACED:
            life = life[index + 1 :]
            break
    by_number = {revision.number: revision for revision in life}
    ranked = [(_worth(revision, by_number), revision.number) for revision in life]
    worth, number = max(ranked, default=(_Worth.NONE, 0))
    return by_number[number] if worth is not _Worth.NONE else None


def _worth(revision: Revision, by_number: Mapping[int, Revision]) -> _Worth:
    if revision.status not in {Status.DEPLOYED, Status.SUPERSEDED}:
        return _Worth.NONE
    after = by_number.get(revision.number + 1)
    if revision.status is Status.DEPLOYED or (after is not None and not _FAILED_ROLLBACK.match(after.description)):
        return _Worth.CERTAIN
    if revision.restores is None:
        return _Worth.NONE if _NEVER_THERE.match(revision.description) else _Worth.CERTAIN
    origin = by_number.get(revision.restores)
    if origin is None or origin.number >= revision.number:
        return _Worth.LIKELY  # Helm keeps ten revisions; whoever rolled back to it thought it good
    return _worth(origin, by_number)


def _removal(newest: Revision, *, reinstall: bool) -> Plan:
    """Somebody wanted it gone, so it is not brought back to life."""
    reason = f"revision {newest.number} is uninstalling: its removal was begun and did not end"
    if reinstall:
        return Plan(
            Action.REINSTALL, f"{reason}; it is ended, then the release is installed", newest.number, newest.status
        )
    return Plan(
        Action.REFUSE,
        reason,
        newest.number,
        newest.status,
        steps=(
            "end the removal: helm uninstall {release} --namespace {namespace}",
            "then install it, if it is wanted: invoke helm.install; or both at once: invoke helm.recover --reinstall",
        ),
    )


def _hopeless(newest: Revision, *, reinstall: bool) -> Plan:
    reason = f"revision {newest.number} is {newest.status} and no revision of this release was ever deployed"
    if reinstall:
        return Plan(Action.REINSTALL, f"{reason}; it is removed and installed anew", newest.number, newest.status)
    return Plan(
        Action.REFUSE,
        reason,
        newest.number,
        newest.status,
        steps=(
            "see why it failed: kubectl get pods,events --namespace {namespace}",
            "remove it (claims of StatefulSets stay): helm uninstall {release} --namespace {namespace} --wait",
            "install it: invoke helm.install; or both at once: invoke helm.recover --reinstall",
        ),
    )
