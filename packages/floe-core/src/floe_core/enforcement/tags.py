"""The tags that a platform asks of each tier."""

from __future__ import annotations

from typing import TYPE_CHECKING

from floe_core.enforcement.check import Rule, listed
from floe_core.spec.source import Advice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from floe_core.enforcement.check import Look
    from floe_core.enforcement.subject import Subject


class RequiredTags(Rule):
    """A model carries the tags of its tier, in `floe.yaml` or in dbt."""

    policy_type = "required_tags"
    code = "FLOE-E308"
    of_models = True

    def not_run(self, subject: Subject) -> str:
        """When the platform asks for none, or no transform is of a tier that needs some."""
        required = {tier for tier, tags in subject.governance.required_tags.items() if tags}
        if not required:
            return "governance.required_tags is empty"
        concerned = any(transform.tier in required for transform in subject.transforms)
        return "" if concerned else f"no transform is {' or '.join(sorted(required))}"

    def look(self, subject: Subject) -> Iterator[Look]:
        """Each transform of a tier that needs tags."""
        required = subject.governance.required_tags
        for index, transform in enumerate(subject.transforms):
            wanted = required.get(transform.tier, ()) if transform.tier else ()
            if not wanted:
                continue
            model = subject.dbt.manifest.models.get(transform.name) if subject.dbt.manifest else None
            there = {*transform.tags, *(model.tags if model else ())}
            missing = [tag for tag in wanted if tag not in there]
            advice = Advice(
                f"the {transform.tier} model {transform.name} lacks the tags {listed(missing)}",
                remedy=f"add tags: [{', '.join((*transform.tags, *missing))}]",
            )
            yield (self.found(subject.product.source, ("transforms", index, "tags"), advice),) if missing else ()
