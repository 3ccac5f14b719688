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
    return seen[0]


def credentials(project: Path) -> str:
    """The look for literal credentials alone; raises as `source`."""
    _refuse("the look for literal credentials", literal.scan(project))
    return "no literal credential in source, tests, charts, docs and workflows"


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
