"""Runs the checks at a level and sums them up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from floe_core.enforcement.checks import CHECKS
from floe_core.enforcement.result import (
    CheckNotRun,
    EnforcementResult,
    EnforcementResultSummary,
    Finding,
    FindingRecord,
    Severity,
)
from floe_core.spec.governance import EnforcementLevel, stricter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from floe_core.enforcement.check import Check
    from floe_core.enforcement.subject import Subject

NOTHING = "there is nothing that it could look at"


def level_of(subject: Subject) -> EnforcementLevel:
    """The stricter of what the platform and the product ask for; `warn` where neither says anything."""
    platform, product = subject.manifest.model.governance, subject.product.model.governance
    return stricter(
        platform.policy_enforcement_level if platform else None,
        product.policy_enforcement_level if product else None,
    )


@dataclass(frozen=True)
class _Ran:
    """What came of one check: how many things it looked at, and what it found; or why it did not run."""

    check: Check
    looked_at: int = 0
    found: tuple[Finding, ...] = ()
    why: str = ""


def enforce(subject: Subject, checks: Sequence[Check] = CHECKS) -> EnforcementResult:
    """Run `checks` and sum up; never raises for a finding.

    Under `off` nothing runs, and the result says so. Under `warn` every finding is a warning and the product
    passes. Under `strict` a product with an error does not pass. A check that looked at nothing has not run.
    """
    level = level_of(subject)
    if level is EnforcementLevel.OFF:
        return _result(subject, level, [_Ran(check, why="the level is off") for check in checks])
    return _result(subject, level, [_run(check, subject, level) for check in checks])


def _run(check: Check, subject: Subject, level: EnforcementLevel) -> _Ran:
    if why := check.not_run(subject):
        return _Ran(check, why=why)
    looks = list(check.look(subject))
    found = tuple(_at_level(one, level) for look in looks for one in look)
    return _Ran(check, len(looks), found, "" if looks else NOTHING)


def _at_level(finding: Finding, level: EnforcementLevel) -> Finding:
    return finding if level is EnforcementLevel.STRICT else replace(finding, severity=Severity.WARNING)


def _result(subject: Subject, level: EnforcementLevel, ran: Sequence[_Ran]) -> EnforcementResult:
    found = tuple(one for each in ran for one in each.found)
    errors = sum(finding.severity is Severity.ERROR for finding in found)
    checked = {each.check.policy_type: each.looked_at for each in ran if not each.why}
    summary = EnforcementResultSummary(
        passed=errors == 0,
        error_count=errors,
        warning_count=len(found) - errors,
        policy_types_checked=tuple(sorted(checked)),
        models_validated=max((each.looked_at for each in ran if each.check.of_models), default=0),
        enforcement_level=level,
        looked_at=dict(sorted(checked.items())),
        findings=tuple(_record(finding, subject.product.path.parent) for finding in found),
        checks_not_run=tuple(CheckNotRun(policy_type=each.check.policy_type, why=each.why) for each in ran if each.why),
    )
    return EnforcementResult(summary, found)


def _record(finding: Finding, folder: Path) -> FindingRecord:
    problem, path = finding.problem, Path(finding.problem.file)
    # Where a machine keeps its files is no part of the finding: artifacts are equal wherever they are made.
    inside = path.is_relative_to(folder) and ".." not in path.relative_to(folder).parts
    return FindingRecord(
        code=problem.code,
        policy_type=finding.policy_type,
        severity=finding.severity,
        file=path.relative_to(folder).as_posix() if inside else path.name,
        line=problem.line,
        field=problem.field,
        message=problem.reason,
        remedy=problem.remedy,
    )
