"""Runs the checks at a level and sums them up."""

from __future__ import annotations

from dataclasses import replace
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

    from floe_core.enforcement.checks import Check, Subject


def level_of(subject: Subject) -> EnforcementLevel:
    """The stricter of what the platform and the product ask for; `warn` where neither says anything."""
    platform, product = subject.manifest.model.governance, subject.product.model.governance
    return stricter(
        platform.policy_enforcement_level if platform else None,
        product.policy_enforcement_level if product else None,
    )


def enforce(subject: Subject, checks: Sequence[Check] = CHECKS) -> EnforcementResult:
    """Run `checks` and sum up; never raises for a finding.

    Under `off` nothing runs, and the result says so. Under `warn` every finding is a warning and the product
    passes. Under `strict` a product with an error does not pass.
    """
    level = level_of(subject)
    if level is EnforcementLevel.OFF:
        skipped = tuple(CheckNotRun(policy_type=check.policy_type, why="the level is off") for check in checks)
        return _result(subject, level, (), (), skipped)
    reasons = {check.policy_type: check.not_run(subject) for check in checks}
    ran = [check for check in checks if not reasons[check.policy_type]]
    found = tuple(_at_level(one, level) for check in ran for one in check.findings(subject))
    skipped = tuple(CheckNotRun(policy_type=name, why=why) for name, why in reasons.items() if why)
    return _result(subject, level, found, tuple(sorted(check.policy_type for check in ran)), skipped)


def _at_level(finding: Finding, level: EnforcementLevel) -> Finding:
    return finding if level is EnforcementLevel.STRICT else replace(finding, severity=Severity.WARNING)


def _result(
    subject: Subject,
    level: EnforcementLevel,
    found: tuple[Finding, ...],
    checked: tuple[str, ...],
    skipped: tuple[CheckNotRun, ...],
) -> EnforcementResult:
    errors = sum(finding.severity is Severity.ERROR for finding in found)
    summary = EnforcementResultSummary(
        passed=errors == 0,
        error_count=errors,
        warning_count=len(found) - errors,
        policy_types_checked=checked,
        models_validated=len(subject.product.model.transforms) if checked else 0,
        enforcement_level=level,
        findings=tuple(_record(finding) for finding in found),
        checks_not_run=skipped,
    )
    return EnforcementResult(summary, found)


def _record(finding: Finding) -> FindingRecord:
    problem = finding.problem
    return FindingRecord(
        policy_type=finding.policy_type,
        severity=finding.severity,
        field=problem.field,
        message=problem.reason,
        remedy=problem.remedy,
    )
