"""Somebody answers for the product."""

from __future__ import annotations

from typing import TYPE_CHECKING

from floe_core.enforcement.check import Rule
from floe_core.spec.source import Advice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from floe_core.enforcement.check import Look
    from floe_core.enforcement.subject import Subject


class Ownership(Rule):
    """The product names an owner; its ports have the product's unless they name their own."""

    policy_type = "ownership"
    code = "FLOE-E303"

    def not_run(self, subject: Subject) -> str:
        """When the platform does not ask for owners."""
        return "" if subject.governance.require_owners else "governance.require_owners is false"

    def look(self, subject: Subject) -> Iterator[Look]:
        """The product."""
        if subject.product.model.metadata.owner is not None:
            yield ()
            return
        advice = Advice("nobody answers for this product", remedy="add owner: below metadata:")
        yield (self.found(subject.product.source, ("metadata",), advice),)
