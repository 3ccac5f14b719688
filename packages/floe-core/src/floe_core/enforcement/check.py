"""What a check is: one kind of rule, with a code of its own, that counts what it looks at."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Protocol, TypeAlias

from floe_core.enforcement.result import Finding, Severity
from floe_core.spec.source import Advice, Point

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from floe_core.enforcement.subject import Subject
    from floe_core.spec.source import Loc, Source

Look: TypeAlias = "Sequence[Finding]"
"""What was found at one thing that was looked at; empty where it keeps the rule."""
SHOWN = 5


class Check(Protocol):
    """One kind of rule.

    Attributes:
        policy_type: Its name in results.
        code: The code of its findings.
        of_models: Whether the things it looks at are transforms.
    """

    policy_type: ClassVar[str]
    code: ClassVar[str]
    of_models: ClassVar[bool]

    def not_run(self, subject: Subject) -> str:
        """Why nothing is looked at: the rule is not asked for, or what it needs is not there; empty when it runs."""

    def look(self, subject: Subject) -> Iterator[Look]:
        """One item for each thing that is looked at; a check that gives none has checked nothing."""


class Rule:
    """Base of the checks: makes findings that carry the check's name, code and severity."""

    policy_type: ClassVar[str]
    code: ClassVar[str]
    of_models: ClassVar[bool] = False
    severity: ClassVar[Severity] = Severity.ERROR

    def not_run(self, subject: Subject) -> str:
        """Nothing stands against it."""
        del subject
        return ""

    def found(self, source: Source, loc: Loc, advice: Advice, point: Point = Point.HIDDEN) -> Finding:
        """A finding at `loc`; what stands there is shown only when `point` says so."""
        return Finding(self.policy_type, self.severity, source.problem(self.code, loc, advice, point))


def listed(names: Sequence[str]) -> str:
    """Names as a few words, however many there are."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
