"""A model's name says its tier."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from floe_core.enforcement.check import Rule
from floe_core.spec.governance import Governance, NamingPattern, Tier
from floe_core.spec.source import Advice, Point

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from floe_core.enforcement.check import Look
    from floe_core.enforcement.subject import Subject

MEDALLION: Final[Mapping[Tier, str]] = {
    Tier.BRONZE: r"(bronze|stg|raw)_[a-z0-9_]+",
    Tier.SILVER: r"(silver|int)_[a-z0-9_]+",
    Tier.GOLD: r"(gold|mart|fct|dim)_[a-z0-9_]+",
}
"""Names of models by tier, the whole name: medallion's own prefixes and dbt's customary ones."""


class NamingByTier(Rule):
    """The name of a model matches the pattern of its tier."""

    policy_type = "naming"
    code = "FLOE-E302"
    of_models = True

    def not_run(self, subject: Subject) -> str:
        """When no transform has a tier, or the platform's own patterns are empty."""
        if not any(transform.tier for transform in subject.transforms):
            return "no transform has a tier"
        return "" if _patterns(subject.governance) else "governance.naming is custom and gives no patterns"

    def look(self, subject: Subject) -> Iterator[Look]:
        """Each transform whose tier has a pattern."""
        patterns = {tier: re.compile(pattern) for tier, pattern in _patterns(subject.governance).items()}
        for index, transform in enumerate(subject.transforms):
            pattern = patterns.get(transform.tier) if transform.tier else None
            if pattern is None:
                continue
            if pattern.fullmatch(transform.name):
                yield ()
                continue
            advice = Advice(
                f"the name of a {transform.tier} model does not match {pattern.pattern}",
                remedy="rename the model, or correct its tier",
            )
            yield (self.found(subject.product.source, ("transforms", index, "name"), advice, Point.VALUE),)


def _patterns(governance: Governance) -> Mapping[Tier, str]:
    custom = governance.naming.pattern is NamingPattern.CUSTOM
    return governance.naming.patterns if custom else MEDALLION
