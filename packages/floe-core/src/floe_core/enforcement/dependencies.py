"""A refined model says what it is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from floe_core.enforcement.check import Rule
from floe_core.spec.governance import Tier
from floe_core.spec.source import Advice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from floe_core.enforcement.check import Look
    from floe_core.enforcement.subject import Subject

REFINED = frozenset({Tier.SILVER, Tier.GOLD})


class Dependencies(Rule):
    """A silver or gold model has `dependsOn`."""

    policy_type = "dependencies"
    code = "FLOE-E309"
    of_models = True

    def not_run(self, subject: Subject) -> str:
        """When the platform does not ask for it, or nothing is refined."""
        if not subject.governance.require_depends_on:
            return "governance.require_depends_on is false"
        return "" if any(one.tier in REFINED for one in subject.transforms) else "no transform is silver or gold"

    def look(self, subject: Subject) -> Iterator[Look]:
        """Each silver or gold model."""
        for index, transform in enumerate(subject.transforms):
            if transform.tier not in REFINED:
                continue
            advice = Advice(
                f"the {transform.tier} model {transform.name} does not say what it is made of",
                remedy="add dependsOn: with the names of the transforms it reads",
            )
            loc = ("transforms", index)
            yield () if transform.depends_on else (self.found(subject.product.source, loc, advice),)
