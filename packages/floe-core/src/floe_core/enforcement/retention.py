"""How long rows and snapshots are kept, held against the platform's least."""

from __future__ import annotations

from typing import TYPE_CHECKING

from floe_core.enforcement.check import Rule
from floe_core.spec.source import Advice, Point

if TYPE_CHECKING:
    from collections.abc import Iterator

    from floe_core.enforcement.check import Look
    from floe_core.enforcement.result import Finding
    from floe_core.enforcement.subject import Subject


class Retention(Rule):
    """A product keeps rows and snapshots at least as long as its platform asks, and says so."""

    policy_type = "retention"
    code = "FLOE-E312"

    def not_run(self, subject: Subject) -> str:
        """When the platform asks for no retention."""
        asked = (subject.governance.data_retention_days, subject.governance.snapshot_keep_last)
        silent = "governance states neither data_retention_days nor snapshot_keep_last"
        return silent if asked == (None, None) else ""

    def look(self, subject: Subject) -> Iterator[Look]:
        """The days, and the snapshots, whichever the platform asks for."""
        rules, kept = subject.governance, subject.product.model.retention
        days, snapshots = rules.data_retention_days, rules.snapshot_keep_last
        if kept is None:
            yield (self._silent(subject, days, snapshots),)
            return
        if days is not None:
            yield self._compared(subject, "days", kept.days, days)
        if snapshots is not None:
            yield self._compared(subject, "keepSnapshots", kept.keep_snapshots, snapshots)

    def _silent(self, subject: Subject, days: int | None, snapshots: int | None) -> Finding:
        wanted = ", ".join(
            f"{name}: {least}" for name, least in (("days", days or 1), ("keepSnapshots", snapshots)) if least
        )
        advice = Advice("the platform asks how long data are kept", remedy=f"add retention: {{ {wanted} }}, or more")
        return self.found(subject.product.source, ("retention",), advice)

    def _compared(self, subject: Subject, name: str, kept: int, least: int) -> Look:
        if kept >= least:
            return ()
        advice = Advice(f"the product keeps {kept}, and the platform asks for {least}", remedy=f"write {name}: {least}")
        return (self.found(subject.product.source, ("retention", name), advice, Point.VALUE),)
