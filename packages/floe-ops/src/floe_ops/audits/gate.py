"""The security gate: each audit run, its evidence recorded, its failure said in the shape of the house."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from floe_core.errors import FloeError, WrongStateError

from floe_ops import evidence
from floe_ops.audits import advisories, bandit_run, bearing, lock
from floe_ops.audits import credentials as literal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from floe_ops.audits.bandit_run import Issue
    from floe_ops.audits.bearing import Bearing, Place
    from floe_ops.audits.findings import Report


def source(project: Path) -> str:
    """Bandit and the look for literal credentials over source and tests (WU7-AC1); returns what was seen.

    Raises:
        WrongStateError: Something was found; each place is named.
        NotReadyError: bandit did not end in time.
    """
    with _recorded("WU7-AC1") as seen:
        report = bandit_run.run(project)
        result = bandit_run.scan(project, report)
        found = (*result.issues, *literal.scan(project, report))
        _refuse("bandit, its nosec rule and the look for credentials", found)
        seen.append(f"{result.files} Python files, {result.lines} lines: nothing high or medium, no literal credential")
    evidence.record("WU7-BC1", "passed", f"every nosec of {result.files} Python files names its check and its reason")
    return seen[0]


def credentials(project: Path) -> str:
    """The house's own look for literal credentials alone; raises as `source`."""
    _refuse("the look for literal credentials", literal.scan(project))
    return "no literal credential in source, tests, charts, docs and workflows"


def leaks(project: Path) -> str:
    """Gitleaks over tree, history, packages, artifacts, runs and image layers (WU7-AC1); returns what was seen.

    Raises:
        MissingToolError: gitleaks or uv is missing.
        NotReadyError: One of them did not end in time.
        WrongStateError: Something was found or could not be looked at; each place is named.
    """
    from floe_ops.audits.leaks import allowed, scan

    with _recorded("WU7-AC1") as seen:
        result = scan.scan(project)
        places = [*map(str, result.leaks), *(f"not looked at: {text}" for text in result.left_out)]
        places += [f"{allowed.FILE}: the entry {entry} covers nothing any more; remove it" for entry in result.unused]
        if places:
            raise WrongStateError(
                f"gitleaks found {len(places)} places",
                where=places[0].partition(": ")[0],
                why="\n         ".join(places),
                remedy=f"take the value out and make it void where it was real; a false alarm goes into {allowed.FILE}",
            )
        seen.append(f"gitleaks found no credential in {', '.join(result.seen)}")
    return seen[0]


def canaries(project: Path) -> str:
    """The secrets of the platform that is up, looked for where they must not be (WU7-AC1); returns what was seen.

    Raises:
        WrongStateError: One was found, or there is none to look for; each place is named, no value.
    """
    from floe_ops.audits.canary import search

    with _recorded("WU7-AC1") as seen:
        told, sightings = search.search(project)
        if sightings:
            raise WrongStateError(
                f"secrets of this run are in {len(sightings)} places where they must not be",
                where=sightings[0].place,
                why="\n         ".join(map(str, sightings)),
                remedy="hand secrets on by environment or in a file of mode 0600, and keep them out of what is written",
            )
        seen.append(f"{told}: in none")
    return seen[0]


def lock_is_current(project: Path) -> str:
    """`uv lock --check` (WU7-AC3); raises as `lock.check`."""
    with _recorded("WU7-AC3") as seen:
        lock.check(project)
        seen.append("uv.lock fits every pyproject.toml of the workspace")
    return seen[0]


def known_advisories(project: Path, place: Place) -> tuple[Report, Bearing]:
    """The lock against advisories (WU7-AC4): the report is kept for the verdict; the caller raises `bearing.error`.

    Raises:
        FloeError: The audit could not be done; see `advisories.audit`.
    """
    with _recorded("WU7-AC4", on_success=False):
        report = advisories.audit(project)
    settled = bearing.settle(report, place)
    bearing.keep(report)
    evidence.record("WU7-AC4", settled.status, settled.sentence)
    return report, settled


@contextmanager
def _recorded(criterion: str, *, on_success: bool = True) -> Iterator[list[str]]:
    """Record what the block appends to the list, or its failure."""
    seen: list[str] = []
    try:
        yield seen
    except FloeError as error:
        evidence.record(criterion, "failed", f"{error.what}: {error.why}")
        raise
    if on_success:
        evidence.record(criterion, "passed", "; ".join(seen))


def _refuse(who: str, issues: tuple[Issue, ...]) -> None:
    if issues:
        raise WrongStateError(
            f"{who} found {len(issues)} places",
            where=f"{issues[0].path}:{issues[0].line}",
            why="\n         ".join(map(str, issues)),
            remedy="correct them; a false alarm is answered on its line: # nosec B105 - why it is safe",
        )
