"""What ENFORCE found: the summary that reaches the artifacts, the findings, and what was not checked and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field

from floe_core.spec.governance import EnforcementLevel
from floe_core.spec.problems import SpecError

if TYPE_CHECKING:
    from floe_core.spec.problems import Problem


class Severity(StrEnum):
    """How much a finding matters; an error fails a product under `strict`."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True)
class Finding:
    """One rule that is not kept.

    Attributes:
        policy_type: The check that found it.
        severity: How much it matters.
        problem: Place, reason and remedy.
    """

    policy_type: str
    severity: Severity
    problem: Problem


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CheckNotRun(_Frozen):
    """A check that did not run.

    Attributes:
        policy_type: The check.
        why: The reason.
    """

    policy_type: str
    why: str


class FindingRecord(_Frozen):
    """A finding as artifacts keep it; without a machine's folders, so that artifacts are equal everywhere.

    Attributes:
        code: The code of the check, which `floe explain` knows.
        policy_type: The check that found it.
        severity: How much it matters.
        file: Relative to the product's folder; the name alone for a file outside of it, as the manifest is.
        line: From 1; 0 where there is none.
        field: Where in the document; empty for a file without fields.
        message: Why the rule is not kept.
        remedy: What to do.
    """

    code: str
    policy_type: str
    severity: Severity
    file: str
    line: Annotated[int, Field(ge=0)]
    field: str
    message: str
    remedy: str


class EnforcementResultSummary(_Frozen):
    """The verdict of ENFORCE.

    Attributes:
        passed: Whether the product may be built; always under `off` and `warn`.
        error_count: Findings that fail the product; only under `strict`.
        warning_count: Findings that do not.
        policy_types_checked: The checks that ran, sorted; empty under `off`.
        models_validated: How many transforms were looked at, by the check that looked at most.
        enforcement_level: The level that was held.
        looked_at: How many things each check that ran looked at, never 0.
        findings: What was found.
        checks_not_run: What was not looked at, and why.
    """

    passed: bool
    error_count: Annotated[int, Field(ge=0)]
    warning_count: Annotated[int, Field(ge=0)]
    policy_types_checked: tuple[str, ...]
    models_validated: Annotated[int, Field(ge=0)]
    enforcement_level: EnforcementLevel
    looked_at: dict[str, Annotated[int, Field(ge=1)]] = Field(default_factory=dict)
    findings: tuple[FindingRecord, ...] = ()
    checks_not_run: tuple[CheckNotRun, ...] = ()


@dataclass(frozen=True)
class EnforcementResult:
    """Summary and findings with their places.

    Attributes:
        summary: The verdict.
        findings: What was found, each with its place in a file.
    """

    summary: EnforcementResultSummary
    findings: tuple[Finding, ...]


class PolicyViolationError(SpecError):
    """The product does not keep the rules of a strict platform; `result` holds the whole verdict."""

    def __init__(self, result: EnforcementResult) -> None:
        errors = [finding.problem for finding in result.findings if finding.severity is Severity.ERROR]
        super().__init__(errors)
        self.result = result
        self.what = f"{result.summary.error_count} policy errors, and the level is strict"
