"""What an audit of advisories found, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import date, datetime

Outcome = Literal["clean", "findings", "stale", "not_looked"]


@dataclass(frozen=True)
class Finding:
    """One advisory that concerns one locked package.

    Attributes:
        package: Its name, normalised as its ecosystem does it.
        version: As locked.
        id: Of the advisory.
        aliases: Its other names.
        fixed_in: Empty where no fixed version is published.
        ecosystem: `PyPI` or `Go`.
        used_by: The Go tools that are built with it.
    """

    package: str
    version: str
    id: str
    aliases: tuple[str, ...]
    fixed_in: tuple[str, ...]
    ecosystem: str = "PyPI"
    used_by: tuple[str, ...] = ()

    def __str__(self) -> str:
        names = ", ".join((self.id, *sorted(alias for alias in self.aliases if alias != self.id)))
        fix = f"fixed in {', '.join(self.fixed_in)}" if self.fixed_in else "no fixed version published"
        tools = f" (Go, in {', '.join(self.used_by)})" if self.used_by else ""
        return f"{self.package} {self.version}{tools}: {names}, {fix}"


@dataclass(frozen=True)
class Report:
    """One audit.

    Attributes:
        outcome: `clean`, `findings` (also for a fault in the accepted list), `stale` (nothing found, but the source
            is too old to say so) or `not_looked` (no source in reach).
        source: What was asked, as a person would name it; empty when nothing was.
        as_of: The day of the newest advisory that the source could know.
        packages: How many pins were held against it.
        findings: Those that nobody accepted.
        accepted: Those that `advisories.toml` bears.
        problems: What is wrong with `advisories.toml` itself, or with a floor's advisory.
        valid_until: The last day on which this result may be relied on.
        borne_until: The last day of the accepted advisory that expires first; None where none is accepted.
        checked_at: When it was made.
        go: What was looked at among the modules of the Go tools, or that nothing was, in words.
        remarks: What else there is to know, a sentence each.
    """

    outcome: Outcome
    source: str
    as_of: date | None
    packages: int
    findings: tuple[Finding, ...]
    accepted: tuple[Finding, ...]
    problems: tuple[str, ...]
    valid_until: date | None
    checked_at: datetime
    borne_until: date | None = None
    go: str = ""
    remarks: tuple[str, ...] = ()
