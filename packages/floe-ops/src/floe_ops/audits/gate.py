"""The security gate: each audit run, its evidence recorded, its failure said in the shape of the house."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from floe_core.errors import FloeError, WrongStateError

from floe_ops import evidence
from floe_ops.audits import accepted, advisories, bandit_run, bearing, lock
from floe_ops.audits import credentials as literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
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
        said = bandit_run.run(project)
        result = bandit_run.scan(project, said)
        found = (*result.issues, *literal.scan(project, said))
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


def floors(project: Path) -> tuple[str, list[str]]:
    """The floors: a list, each with its advisory, none overridden (WU7-AC2), and all met by the lock (WU7-AC5).

    Returns what was seen, and remarks about floors that are not needed today.

    Raises:
        MissingToolError: uv is missing.
        WrongStateError: The list, the lock or a barred package is not as it should be; a floor that is not met is
            named with the package whose pin conflicts, or with the newest release there is.
    """
    from floe_ops.audits.floors import held, listed

    with _recorded("WU7-AC2") as seen:
        found = listed.read(project)
        _refuse_floors("the list of floors is not in order", found.problems)
        seen.append(f"{len(found.floors)} floors as a list, each with its advisory, no override-dependencies")
    with _recorded("WU7-AC5") as met:
        barred = accepted.load(project / accepted.FILE).barred
        wrong, unmet = held.by_lock(found.floors, barred, lock.third_party(project / "uv.lock"))
        _refuse_floors(
            "the lock holds versions below a floor", [*wrong, *(held.why_unmet(project, unmet) if unmet else ())]
        )
        names = ", ".join([*(floor.requirement for floor in found.floors), *(entry.package for entry in barred)])
        met.append(f"not in the lock, or at least the fixed version: {names or 'no floor'}")
    return f"{seen[0]}; {met[0]}", held.needless(found.floors, project)


def known_advisories(project: Path, place: Place) -> tuple[Report, Bearing]:
    """The lock against advisories (WU7-AC4): the report is kept for the verdict; the caller raises `bearing.error`.

    Raises:
        FloeError: The audit could not be done; see `advisories.audit`.
    """
    with _recorded("WU7-AC4", on_success=False):
        found = advisories.audit(project)
    settled = bearing.settle(found, place)
    bearing.keep(found)
    evidence.record("WU7-AC4", settled.status, settled.sentence)
    return found, settled


def report(project: Path) -> Report:
    """The audit of advisories alone, for who proposes from it: nothing is recorded or judged.

    Raises:
        FloeError: The audit could not be done, or there is no source in reach.
    """
    found = advisories.audit(project)
    if found.outcome == "not_looked":
        raise bearing.no_source()
    return found


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


def _refuse_floors(what: str, problems: Sequence[str]) -> None:
    if problems:
        raise WrongStateError(
            what,
            where="[tool.uv] constraint-dependencies of pyproject.toml, uv.lock",
            why="\n         ".join(problems),
            remedy="correct the list and run `uv lock`; where a pin conflicts, raise the package that has it",
        )


def _refuse(who: str, issues: tuple[Issue, ...]) -> None:
    if issues:
        raise WrongStateError(
            f"{who} found {len(issues)} places",
            where=f"{issues[0].path}:{issues[0].line}",
            why="\n         ".join(map(str, issues)),
            remedy="correct them; a false alarm is answered on its line: # nosec B105 - why it is safe",
        )
