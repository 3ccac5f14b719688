"""The checks that need no dbt manifest; each looks at one kind of rule and reports where it is not kept."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from floe_core.enforcement.result import Finding, Severity
from floe_core.plugins.interface import PluginType
from floe_core.spec.governance import Governance, NamingPattern, Tier
from floe_core.spec.problems import POLICY
from floe_core.spec.source import Advice, Point

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from floe_core.registry import ResolvedPlugin
    from floe_core.spec.load import Document
    from floe_core.spec.platform import PlatformManifest
    from floe_core.spec.product import FloeSpec
    from floe_core.spec.source import Loc

MEDALLION: Final[Mapping[Tier, str]] = {
    Tier.BRONZE: r"(bronze|stg|raw)_[a-z0-9_]+",
    Tier.SILVER: r"(silver|int)_[a-z0-9_]+",
    Tier.GOLD: r"(gold|mart|fct|dim)_[a-z0-9_]+",
}
"""Names of models by tier, the whole name: medallion's own prefixes and dbt's customary ones."""


@dataclass(frozen=True)
class Subject:
    """What is looked at.

    Attributes:
        product: The product with its places.
        manifest: The manifest with its places.
        plugins: The chosen plugins, and no others that happen to be installed.
    """

    product: Document[FloeSpec]
    manifest: Document[PlatformManifest]
    plugins: Mapping[PluginType, ResolvedPlugin]

    @property
    def governance(self) -> Governance:
        """The platform's rules; the defaults where it states none."""
        return self.manifest.model.governance or Governance()


class Check(Protocol):
    """One kind of rule."""

    policy_type: str

    def not_run(self, subject: Subject) -> str:
        """Why the check has nothing to look at; empty when it runs."""

    def findings(self, subject: Subject) -> Iterator[Finding]:
        """Where the rule is not kept."""


class Instrumentation:
    """Every chosen plugin makes spans; one that does not is a warning at every level."""

    policy_type = "plugin_instrumentation"

    def not_run(self, subject: Subject) -> str:  # noqa: ARG002 - the interface of all checks
        """Never: a product always has plugins."""
        return ""

    def findings(self, subject: Subject) -> Iterator[Finding]:
        """One for each plugin without a tracer; telemetry back ends carry spans and make none themselves."""
        for kind, plugin in subject.plugins.items():
            if plugin.instance.tracer_name is None and kind is not PluginType.TELEMETRY_BACKEND:
                advice = Advice(
                    f"the plugin {plugin.entry.name!r} makes no spans, so traces will have a gap",
                    remedy=f"ask the authors of {plugin.entry.distribution} to set tracer_name",
                )
                problem = subject.manifest.source.problem(POLICY, ("plugins", kind.value, "type"), advice)
                yield Finding(self.policy_type, Severity.WARNING, problem)


class NamingByTier:
    """A model's name says its tier."""

    policy_type = "naming"

    def not_run(self, subject: Subject) -> str:
        """When no transform has a tier, or the platform's own patterns are empty."""
        if not any(transform.tier for transform in subject.product.model.transforms):
            return "no transform has a tier"
        return "" if _patterns(subject.governance) else "governance.naming is custom and gives no patterns"

    def findings(self, subject: Subject) -> Iterator[Finding]:
        """One for each model whose name does not match the pattern of its tier."""
        patterns = _patterns(subject.governance)
        for index, transform in enumerate(subject.product.model.transforms):
            pattern = patterns.get(transform.tier) if transform.tier else None
            if pattern is not None and not re.fullmatch(pattern, transform.name):
                advice = Advice(
                    f"the name of a {transform.tier} model does not match {pattern}",
                    remedy="rename the model, or correct its tier",
                )
                problem = subject.product.source.problem(POLICY, ("transforms", index, "name"), advice)
                yield Finding(self.policy_type, Severity.ERROR, problem)


class Ownership:
    """Somebody answers for the product."""

    policy_type = "ownership"

    def not_run(self, subject: Subject) -> str:
        """When the platform does not ask for owners."""
        return "" if subject.governance.require_owners else "governance.require_owners is false"

    def findings(self, subject: Subject) -> Iterator[Finding]:
        """One when the product names no owner (its ports have the product's unless they name their own)."""
        if subject.product.model.metadata.owner is None:
            advice = Advice("nobody answers for this product", remedy="add owner: below metadata:")
            problem = subject.product.source.problem(POLICY, ("metadata",), advice, Point.HIDDEN)
            yield Finding(self.policy_type, Severity.ERROR, problem)


class Descriptions:
    """The product and what it offers are described."""

    policy_type = "descriptions"

    def not_run(self, subject: Subject) -> str:
        """When the platform does not ask for descriptions."""
        return "" if subject.governance.require_descriptions else "governance.require_descriptions is false"

    def findings(self, subject: Subject) -> Iterator[Finding]:
        """One for the product, and one for each output port, that has no description."""
        product = subject.product
        places: list[tuple[Loc, str]] = []
        if not product.model.metadata.description.strip():
            places.append((("metadata",), "the product"))
        places += [
            (("outputPorts", index), f"the output port {port.name}")
            for index, port in enumerate(product.model.output_ports)
            if not port.description.strip()
        ]
        for loc, subject_name in places:
            advice = Advice(f"{subject_name} has no description", remedy="add description: with one sentence")
            problem = product.source.problem(POLICY, loc, advice, Point.HIDDEN)
            yield Finding(self.policy_type, Severity.ERROR, problem)


class ModelDescriptions:
    """Models and columns are described; that stands in dbt's files, which no check without its manifest reads."""

    policy_type = "model_descriptions"

    def not_run(self, subject: Subject) -> str:  # noqa: ARG002 - the interface of all checks
        """Always, until ENFORCE reads dbt's manifest."""
        return "descriptions of models stand in dbt's own files, and no dbt manifest is read in this stage"

    def findings(self, subject: Subject) -> Iterator[Finding]:  # noqa: ARG002 - the interface of all checks
        """None, since it does not run."""
        yield from ()


class Dependencies:
    """A refined model says what it is made of."""

    policy_type = "dependencies"

    def not_run(self, subject: Subject) -> str:
        """When the platform does not ask for it, or nothing is refined."""
        if not subject.governance.require_depends_on:
            return "governance.require_depends_on is false"
        refined = any(transform.tier in {Tier.SILVER, Tier.GOLD} for transform in subject.product.model.transforms)
        return "" if refined else "no transform is silver or gold"

    def findings(self, subject: Subject) -> Iterator[Finding]:
        """One for each silver or gold model without `dependsOn`."""
        for index, transform in enumerate(subject.product.model.transforms):
            if transform.tier in {Tier.SILVER, Tier.GOLD} and not transform.depends_on:
                advice = Advice(
                    f"the {transform.tier} model {transform.name} does not say what it is made of",
                    remedy="add dependsOn: with the names of the transforms it reads",
                )
                problem = subject.product.source.problem(POLICY, ("transforms", index), advice, Point.HIDDEN)
                yield Finding(self.policy_type, Severity.ERROR, problem)


CHECKS: Final[tuple[Check, ...]] = (
    Instrumentation(),
    NamingByTier(),
    Ownership(),
    Descriptions(),
    ModelDescriptions(),
    Dependencies(),
)


def _patterns(governance: Governance) -> Mapping[Tier, str]:
    custom = governance.naming.pattern is NamingPattern.CUSTOM
    return governance.naming.patterns if custom else MEDALLION
